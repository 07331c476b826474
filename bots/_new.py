"""Starts a bot: ``python -m bots._new NAME`` writes its file and its test, which fail until they are filled in."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from bots._catalogue import Catalogue, UnknownBot

ROOT = Path(__file__).resolve().parent.parent

BOT = '''"""Say in one sentence what @NAME@ does.

After: what is true of the resource then.
Caution: what can hurt, and what stays open.
Finding: @NAME@
"""

from __future__ import annotations

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity


class State(Before):
    """Everything fix and undo touch, and nothing that changes by itself."""


bot = Bot(
    name="@NAME@",
    acts_on="AWS::Service::Resource",
    target=entity("id"),
    params=NoParams,
    before=State,
    reads=(),  # Get, List and Describe actions that check uses: on(ARN patterns, *actions) where AWS narrows
    writes=(),  # all other actions of fix and undo
    risk=Risk.DESTRUCTIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[State]:
    raise NotImplementedError("read the live resource, never the finding's copy")


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: State) -> None:
    raise NotImplementedError("make it right; called again it must do no harm")


@bot.undo_with
async def undo(aws: Aws, target: Target, before: State) -> None:
    raise NotImplementedError("put `before` back, or declare Undo.none and drop this function")
'''

TEST = '''"""Scenes of `bots.@NAME@`, and what only this bot does."""

from __future__ import annotations

from typing import Any

from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin


def _plant(admin: Admin) -> Planted:
    raise NotImplementedError("arrange the violation with admin.client(...)")


def _observe(admin: Admin, planted: Planted) -> Any:
    raise NotImplementedError("read the whole resource as the administrator sees it")


def _missing(admin: Admin) -> Planted:
    raise NotImplementedError("name a resource of this kind that does not exist")


def scenes() -> list[Scene]:
    return [Scene(name="plain", plant=_plant, observe=_observe, missing=_missing)]
'''


class Refused(Exception):
    """No bot is started under that name; the text says why."""


def start(name: str, root: Path = ROOT) -> tuple[Path, Path]:
    """Write the two files of a new bot; nothing is ever overwritten.

    Raises:
        Refused: the name cannot be one or is taken.
    """
    if re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", name) is None or len(name) > 64:
        raise Refused(f"{name[:80]!r} is no name for a bot: write small words joined by _, service first")
    try:
        taken = Catalogue().bot_named(name)
    except UnknownBot:
        pass
    else:
        raise Refused(f"{name} is taken by {taken.name}")
    files = {root / "bots" / f"{name}.py": BOT, root / "tests" / "bots" / f"test_{name}.py": TEST}
    for path in files:
        if path.exists():
            raise Refused(f"{path} is there already")
    for path, text in files.items():
        path.write_text(text.replace("@NAME@", name), encoding="utf-8")
    bot, test = files
    return bot, test


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """0: written; 2: refused, with the reason on standard error."""
    parser = argparse.ArgumentParser(prog="python -m bots._new", description=__doc__)
    parser.add_argument("name", help="the word findings use, such as s3_enable_versioning")
    asked = parser.parse_args(arguments)
    try:
        bot, test = start(asked.name, root)
    except Refused as reason:
        sys.stderr.write(f"{reason}\n")
        return 2
    sys.stdout.write(
        f"wrote {bot.relative_to(root)} and {test.relative_to(root)}\n"
        f"fill them in until this passes:  .venv/bin/python -m pytest tests/bots -k {asked.name}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
