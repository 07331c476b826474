"""From a bot's name to the bot: the ones of this folder, and a user's own ones beside them.

Of this folder only files are ever imported, and only the ones that are named.
"""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bots._bot import AnyBot, Bot

FOLDER = Path(__file__).parent


class UnknownBot(LookupError):
    """No bot of that name or alias."""


class BrokenBot(LookupError):
    """A user's own bot that cannot be loaded; the text says why."""


@functools.cache
def names() -> tuple[str, ...]:
    """Names of all bots of this folder in alphabetical order; nothing is imported."""
    return tuple(sorted(path.stem for path in FOLDER.glob("[a-z]*.py")))


@functools.cache
def _load(name: str) -> AnyBot:
    bot = importlib.import_module(f"bots.{name}").bot
    assert isinstance(bot, Bot)
    return bot


@functools.cache
def _by_alias(alias: str) -> AnyBot | None:
    # Files that do not even contain the word are not imported for it.
    quoted = f'"{alias}"'
    hits = (name for name in names() if quoted in (FOLDER / f"{name}.py").read_text(encoding="utf-8"))
    return next((bot for bot in map(_load, hits) if alias in bot.aliases), None)


def bot_named(name: str) -> AnyBot:
    """The bot of this folder with that name or alias; its file is imported on first use.

    Raises:
        UnknownBot: there is none; the text lists close names.
    """
    return Catalogue().bot_named(name)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All bots a hub knows. ``own`` are a user's: how to load each by its name.

    A name of this folder always means the bot of this folder.
    """

    own: Mapping[str, Callable[[], AnyBot]] = field(default_factory=dict)

    def names(self) -> tuple[str, ...]:
        """All names in alphabetical order; nothing is imported."""
        return tuple(sorted({*names(), *self.own}))

    def bot_named(self, name: str) -> AnyBot:
        """
        Raises:
            UnknownBot: there is none of that name or alias; the text lists close names.
            BrokenBot: it is a user's own and cannot be loaded.
        """
        if name in names():
            return _load(name)
        if name in self.own:
            return self.own[name]()
        if (bot := _by_alias(name)) is not None:
            return bot
        import difflib  # noqa: PLC0415 - only needed for the error

        close = difflib.get_close_matches(name, self.names(), n=3)
        hint = f"; did you mean {' or '.join(close)}?" if close else "; `hub bots` lists all"
        raise UnknownBot(f"there is no bot called {name[:80]!r}{hint}")
