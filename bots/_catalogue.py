"""From a bot's name to the bot. Only names of files in this folder are ever imported."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

from bots._bot import AnyBot, Bot


class UnknownBot(LookupError):
    """No bot of that name or alias."""


@functools.cache
def names() -> tuple[str, ...]:
    """Names of all bots in alphabetical order, read from the folder, nothing imported."""
    return tuple(sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")))


@functools.cache
def _load(name: str) -> AnyBot:
    bot = importlib.import_module(f"bots.{name}").bot
    assert isinstance(bot, Bot)
    return bot


@functools.cache
def _aliases() -> dict[str, str]:
    return {alias: name for name in names() for alias in _load(name).aliases}


def bot_named(name: str) -> AnyBot:
    """The bot of that name or alias; its file is imported on first use.

    Raises:
        UnknownBot: there is none; the text lists close names.
    """
    if name in names():
        return _load(name)
    if name in _aliases():
        return _load(_aliases()[name])
    import difflib  # noqa: PLC0415 - only needed for the error

    close = difflib.get_close_matches(name, names(), n=3)
    hint = f"; did you mean {' or '.join(close)}?" if close else "; `hub bots` lists all"
    raise UnknownBot(f"there is no bot called {name[:80]!r}{hint}")
