"""An entry of the ``guards`` of a rules file while it is read: its keys, and what is wrong with their values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta, tzinfo
from typing import TypedDict, TypeVar

from yaml.nodes import MappingNode, Node

from bots._bot import Risk
from bots._catalogue import Catalogue
from hub.rules import globs, times
from hub.rules.bots import called, standing_for
from hub.rules.guard_keys import EACH, ENTRY_KEYS, LONGEST_NAME, MOST, WHERE_KEYS, WHOLE_HUB, Section
from hub.rules.guard_model import EachOf, Hours, Patterns, Where
from hub.rules.nodes import Mistakes, did_you_mean, line, shown
from hub.rules.values import Values

_Word = TypeVar("_Word", bound=str)
_Read = TypeVar("_Read")


class Common(TypedDict):
    """What every entry has."""

    line: int
    comment: str
    where: Where


@dataclass(frozen=True, slots=True)
class Tools:
    """What every entry is read with."""

    mistakes: Mistakes
    catalogue: Catalogue
    values: Values


class Draft:
    """What is wrong becomes a mistake, and something harmless is read in its place."""

    def __init__(self, node: Node, section: Section, tools: Tools) -> None:
        self.node = node
        self.what = section.one
        self._mistakes = tools.mistakes
        self._catalogue = tools.catalogue
        self.values = tools.values
        self.keys = self._mistakes.mapping(node, self.what, (*ENTRY_KEYS, *section.keys))
        if isinstance(node, MappingNode):
            # One without a value has been told already.
            written = {key.value for key, _ in node.value}
            for key, why in section.needed.items():
                if key not in written:
                    self._mistakes.add(node, f"{self.what} has no {key}", why)

    def wrong(self, key: str | None, wrong: str, meant: str = "") -> None:
        """A mistake in the line of the key, or of the whole entry."""
        at = self.keys.get(key, self.node) if key else self.node
        self._mistakes.add(at, f"{self.what} {wrong}", meant)

    @property
    def says_where(self) -> bool:
        """Whether it is about some steps only, or tries to be."""
        return any(key in self.keys for key in WHERE_KEYS)

    def common(self) -> Common:
        why = "say why it is there, and who wants it"
        return Common(
            line=line(self.node),
            comment=self.values.required(self.node, self.keys, self.what, "comment", why),
            where=Where(
                accounts=self.values.accounts(self.keys, self.what),
                ous=self.values.ous(self.keys, self.what),
                account_tags=self.values.tags(self.keys, "account_tags", self.what),
                regions=self.values.regions(self.keys, self.what),
                bots=tuple(self._bots()),
                risks=tuple(self._each_word("risks", tuple(Risk))),
            ),
        )

    def name(self, taken: dict[str, int]) -> str:
        """Its name, which no other may have; from here on mistakes tell it by its name.

        Args:
            taken: the names of the section so far, with their lines.
        """
        if "name" not in self.keys:
            return ""
        found = self._mistakes.text(self.keys["name"], f"name of {self.what}")
        if len(found) > LONGEST_NAME or not found.isprintable():
            self.wrong(
                "name", f"is called {shown(found)}", f"a name has at most {LONGEST_NAME} printable characters"
            )
        elif (first := taken.get(found.casefold())) is not None:
            wrong = f"is called {shown(found)}, and so is the one in line {first}"
            self.wrong("name", wrong, "rename one, they are counted under their names")
        elif found:
            taken[found.casefold()] = line(self.node)
            self.what = f"{self.what} {shown(found)}"
        return found

    def word(self, key: str, words: Sequence[_Word], otherwise: _Word) -> _Word:
        if key not in self.keys:
            return otherwise
        return self.values.word(self.keys[key], f"{key} of {self.what}", words, otherwise)

    def flag(self, key: str, *, otherwise: bool) -> bool:
        return self.word(key, ("true", "false"), str(otherwise).lower()) == "true"

    def count(self, key: str, *, most: int = MOST, otherwise: str = "") -> int | None:
        """A whole number of 1 or more; None where it is not given.

        Args:
            otherwise: what else could be written, for people.
        """
        if key not in self.keys:
            return None
        found = self._mistakes.text(self.keys[key], f"{key} of {self.what}")
        if found.isascii() and found.isdigit() and len(found) <= len(str(MOST)) and 1 <= int(found) <= most:
            return int(found)
        if found:
            wrong = f"{key} of {self.what} cannot be {shown(found)}"
            self._mistakes.add(self.keys[key], wrong, f"write a whole number from 1 to {most}{otherwise}")
        return None

    def timed(self, key: str, read: Callable[[str], _Read], otherwise: _Read) -> _Read:
        """A value that `hub.rules.times` reads."""
        if key not in self.keys:
            return otherwise
        found = self._mistakes.text(self.keys[key], f"{key} of {self.what}")
        return next(self._read(key, read, [(found, self.keys[key])] if found else []), otherwise)

    def hours(self) -> tuple[Hours, ...]:
        """When a window is open."""
        if "open" not in self.keys:
            return ()
        texts = self._mistakes.texts(self.keys["open"], f"open of {self.what}")
        return tuple(self._read("open", times.hours, texts))

    def zone(self) -> tzinfo:
        utc: tzinfo = UTC
        return self.timed("zone", times.zone, utc)

    def duration(self, key: str, otherwise: timedelta) -> timedelta:
        return self.timed(key, times.duration, otherwise)

    def each(self, otherwise: tuple[EachOf, ...]) -> tuple[EachOf, ...]:
        """What is counted apart; nothing where one count is for the whole hub."""
        if "each" not in self.keys:
            return otherwise
        words: tuple[EachOf | str, ...] = (*EACH, WHOLE_HUB)
        found = list(self._each_word("each", words))
        if WHOLE_HUB in found and len(found) > 1:
            self.wrong(
                "each", f"counts for the whole {WHOLE_HUB} and apart", f"write 'each: {WHOLE_HUB}' alone"
            )
        if len(set(found)) < len(found):
            self.wrong("each", "names the same twice in each", "keep one")
        return tuple(each for each in EACH if each in found)

    def _read(
        self, key: str, read: Callable[[str], _Read], texts: Iterable[tuple[str, Node]]
    ) -> Iterator[_Read]:
        for text, at in texts:
            try:
                yield read(text)
            except times.Misread as misread:
                self._mistakes.add(at, f"{key} of {self.what}: {misread.wrong}", misread.meant)

    def _each_word(self, key: str, words: Sequence[_Word]) -> Iterator[_Word]:
        if key not in self.keys:
            return
        for text, at in self._mistakes.texts(self.keys[key], f"{key} of {self.what}"):
            fitting = [word for word in words if word == text]
            yield from fitting
            if not fitting:
                self._mistakes.add(
                    at, f"{key} of {self.what} cannot be {shown(text)}", did_you_mean(text, words)
                )

    def _bots(self) -> Iterator[str]:
        """Names as the catalogue has them, and patterns that fit some of them."""
        if "bots" not in self.keys:
            return
        what, names = f"bots of {self.what}", self._catalogue.names()
        for text, at in self._mistakes.texts(self.keys["bots"], what):
            if len(text.split()) > 1:
                meant = f"name the bot alone, as in {text.split()[0]!r}: parameters do not count here"
                self._mistakes.add(at, f"{what}: {shown(text)} is more than a name", meant)
            elif not globs.is_pattern(text):
                if (bot := called(text, at, what, self._mistakes, self._catalogue)) is not None:
                    yield bot.name
            elif bad := globs.wrong_with(text):
                self._mistakes.add(at, f"{what}: pattern {shown(text)} {bad}")
            elif standing_for(text, names):
                yield text
            else:
                wrong = f"{what}: pattern {shown(text)} stands for no bot"
                self._mistakes.add(at, wrong, _near(text, names))


def _near(pattern: str, names: Patterns) -> str:
    """Names that a pattern without a fit may have meant; there are too many to list them all."""
    meant = did_you_mean(pattern.strip("*"), names)
    return meant if meant.startswith("did") else "`hub bots` lists all"
