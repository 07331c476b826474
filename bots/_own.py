"""Bots a user wrote: from a folder or from installed packages, in this project's shape or in the old one.

The old shape is a module with ``run_action(boto_session, rule, entity, params)``. It may also have
``check(boto_session, rule, entity, params)``, true when the resource is right; ``actions``, the IAM
actions it needs; and ``risk``. A file that cannot be loaded spoils nothing but itself.
"""

from __future__ import annotations

import functools
import importlib.util
import re
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from bots._aws import Aws
from bots._bot import AnyBot, Before, Bot, Check, RawWords, Risk, Target, Undo, Unproven, entity_or_account
from bots._catalogue import BrokenBot, Catalogue

ENTRY_POINTS = "remediation_hub.bots"
OLD_SHAPE_TYPE = "Custom::Resource"
MOST_SAID = 2000  # characters of a bot's own text
_NAME = re.compile(r"[a-z][a-z0-9_]{0,99}", re.ASCII)

Runner = Callable[[Aws, Callable[..., object], tuple[object, ...]], Awaitable[object]]
"""Calls ``function(boto_session, *arguments)`` with a session of the account, off the event loop."""


def catalogue(folder: str = "", *, runner: Runner | None = None) -> Catalogue:
    """This project's bots and the user's own. Nothing of the user's is run yet.

    Args:
        folder: where the user's files are; "" for none.
        runner: how old-shaped bots are called; without one they can only be looked at.

    Raises:
        NotADirectoryError: there is no such folder.
    """
    found: dict[str, Callable[[], AnyBot]] = {}
    for point in entry_points(group=ENTRY_POINTS):
        found[point.name] = functools.partial(_load, point.name, point.load, runner)
    if folder:
        where = Path(folder)
        if not where.is_dir():
            raise NotADirectoryError(f"there is no folder {folder} to take bots from")
        for path in sorted(where.glob("[a-z]*.py")):
            found[path.stem] = functools.partial(_load, path.stem, functools.partial(_file, path), runner)
    return Catalogue({name: functools.cache(load) for name, load in found.items()})


def _file(path: Path) -> ModuleType:
    name = f"own_bots.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Pydantic looks a model's module up by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _load(name: str, source: Callable[[], object], runner: Runner | None) -> AnyBot:
    """
    Raises:
        BrokenBot: whatever the user's code does wrong while it is loaded.
    """
    try:
        found = source()
    except (Exception, SystemExit) as error:
        raise BrokenBot(f"your bot {name} cannot be loaded: {type(error).__name__}: {error}"[:500]) from error
    bot = getattr(found, "bot", found)
    if isinstance(bot, Bot):
        problem = "; ".join(_problems(name, bot))
        if problem:
            raise BrokenBot(f"your bot {name} cannot be used: {problem}")
        return bot
    if callable(getattr(found, "run_action", None)):
        return old_shaped(name, found, runner)
    raise BrokenBot(f"your bot {name} has neither a `bot` nor a function `run_action`")


def _problems(name: str, bot: AnyBot) -> Iterator[str]:
    if _NAME.fullmatch(name) is None:
        yield "its name must be of small letters, digits and _"
    if bot.name != name:
        yield f"its header calls it {bot.name!r}"
    if bot._check is None:
        yield "it has no check"
    if bot._fix is None:
        yield "it has no fix"
    if (bot._undo is None) != (bot.undo.degree == "none"):
        yield f"it declares undo {bot.undo.degree} and has {'no ' if bot._undo is None else 'an '}undo"


class Unknown(Before):
    """Old-shaped bots keep nothing."""


@dataclass(kw_only=True)
class _OldShaped(Bot[RawWords, Unknown]):
    doc: str

    @property
    def paragraphs(self) -> list[str]:
        return [self.doc.strip() or "A bot in the old shape that does not say what it does."]

    def kept_of(self, found: Mapping[str, Any]) -> dict[str, Any]:
        return dict(found)


def old_shaped(name: str, module: object, runner: Runner | None) -> AnyBot:
    """The one adapter for the old shape.

    What nobody can read again is reported ``unproven``, with the bot's own words.
    """
    actions = tuple(getattr(module, "actions", ()))
    bot = _OldShaped(
        name=name,
        acts_on=OLD_SHAPE_TYPE,
        target=entity_or_account("id", "arn", "name"),
        params=RawWords,
        before=Unknown,
        reads=(),
        writes=actions,
        risk=Risk(getattr(module, "risk", Risk.DESTRUCTIVE)),
        undo=Undo.none("a bot in the old shape keeps nothing to go back to"),
        doc=getattr(module, "__doc__", None) or "",
    )
    looks = getattr(module, "check", None)

    async def called(function: Any, aws: Aws, target: Target, params: RawWords) -> object:
        assert runner is not None, "old-shaped bots need a runner"
        entity = {**target.entity, "cloud_account_id": target.account_id, "eventTime": target.event_time}
        words = list(params.words)
        if params.suggested_policy is not None:
            words.append(f"SuggestedPolicy:{params.suggested_policy}")
        return await runner(aws, function, (dict(target.rule_document), entity, words))

    @bot.check
    async def check(aws: Aws, target: Target, params: RawWords) -> Check[Unknown]:
        right = looks is not None and bool(await called(looks, aws, target, params))
        why = f"{name} says it is {'right' if right else 'wrong'}" if looks else f"{name} cannot look"
        return Check(compliant=right, before=Unknown(), why=why)

    @bot.fix
    async def fix(aws: Aws, target: Target, params: RawWords, before: Unknown) -> None:
        said = await called(module.run_action, aws, target, params)  # type: ignore[attr-defined]
        if looks is None:
            raise Unproven(
                f"{name} ended and said: {str(said)[:MOST_SAID]}; it offers no check that could prove it"
            )

    return bot
