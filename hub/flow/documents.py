"""The JSON documents of a text stream, whatever way they follow one another.

One document, documents one after another (one a line or spread over many), and one long list are all
read in pieces, so that the largest file takes no more memory than its largest finding.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from hub.errors import FindingUnreadable

CHUNK = 64 * 1024
# A document that has not ended after so many characters never will, or would be refused anyway.
LONGEST_DOCUMENT = 8 * 1024 * 1024
# Of a broken document so much is kept: more than a message may have, so that "too large" is told as such.
LONGEST_BROKEN = 1024 * 1024 + 1
# Where a piece ends in the middle of a word of JSON, the mistake seems to be this near to the end:
# the longest words are -Infinity and an escaped pair of surrogates.
_WORD = 12
_BETWEEN = re.compile("[\\s,\ufeff]*")  # files put together bring a byte order mark each
_LIST = re.compile(r"\[\s*(?=[{\]])")
_LIST_OR_NEITHER = re.compile(r"\[\s*\Z")


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its text, the number of the line it begins in, and its value, None if it is broken."""

    text: str
    line: int
    value: Any = None


class _Incomplete(Exception):
    """There must come more before anything can be said."""


class _Broken(Exception):
    """No reading on will make this JSON."""


def documents(stream: TextIO, *, name: str) -> Iterator[Document]:
    """The documents in their order. The elements of a list at the top count as documents.

    A broken document reaches to the next line at which another one can begin: one that is not indented
    deeper and starts with a bracket. Anything that is no object or list counts as broken. A list that is
    never closed counts as broken at its beginning, unless one of its elements was.

    Raises:
        FindingUnreadable: the stream is empty or not UTF-8 text.
    """
    return _Reader(stream, name).documents()


class _Reader:
    def __init__(self, stream: TextIO, name: str) -> None:
        self._stream = stream
        self._name = name
        self._text = ""
        self._at = 0
        self._line = 1
        self._ended = False
        self._list_began: int | None = None  # its line, while a list at the top is open
        self._list_is_hurt = False  # a broken element may have taken the list's end with it
        # Numbers stay texts: here only the end of a document is looked for, and a number of ten thousand
        # digits must not get in the way of that.
        self._decoder = json.JSONDecoder(parse_int=str, parse_float=str)

    def documents(self) -> Iterator[Document]:
        if not self._find_next():
            raise FindingUnreadable(f"{self._name} is empty; it should hold findings as JSON")
        while self._find_next():
            if not self._opens_or_closes_list():
                yield self._next()
        if self._list_began is not None and not self._list_is_hurt:
            yield Document("[", self._list_began)

    def _find_next(self) -> bool:
        """Go to where the next document begins; False at the end."""
        while True:
            between = _BETWEEN.match(self._text, self._at)
            self._consume(between.end() if between else self._at)
            if self._at < len(self._text):
                return True
            if self._ended:
                return False
            self._more()

    def _opens_or_closes_list(self) -> bool:
        if self._list_began is not None:
            if self._text[self._at] != "]":
                return False
            self._list_began = None
            self._consume(self._at + 1)
            return True
        while not self._ended and _LIST_OR_NEITHER.match(self._text, self._at):
            self._more()
        if not _LIST.match(self._text, self._at):
            return False
        self._list_began = self._line
        self._list_is_hurt = False
        self._consume(self._at + 1)
        return True

    def _next(self) -> Document:
        line = self._line
        # A finding begins with a bracket. Of anything else the whole line is taken, so that the rest of a
        # line that lost its beginning does not come out in shreds of valid JSON.
        if self._text[self._at] not in "{[":
            return self._broken()
        while True:
            try:
                value, end = self._decode()
            except _Incomplete:
                if len(self._text) - self._at > LONGEST_DOCUMENT:
                    return self._broken()
                self._more()
            except _Broken:
                return self._broken()
            else:
                text = self._text[self._at : end]
                self._consume(end)
                return Document(text, line, value)

    def _decode(self) -> tuple[Any, int]:
        try:
            return self._decoder.raw_decode(self._text, self._at)
        except json.JSONDecodeError as error:
            near_the_end = len(self._text.rstrip()) - error.pos <= _WORD
            if not self._ended and (near_the_end or error.msg.startswith("Unterminated string")):
                raise _Incomplete from None
            raise _Broken from None
        except (ValueError, RecursionError):
            raise _Broken from None

    def _broken(self) -> Document:
        """The text from here to where the next document can begin, which is never before the next line."""
        line = self._line
        next_one = self._resumption()
        self._list_is_hurt = True
        kept: list[str] = []
        room = LONGEST_BROKEN
        while True:
            found = next_one.search(self._text, self._at)
            # A match that ends with the piece might not be one with what follows.
            if found and (found.end() < len(self._text) or self._ended):
                end = found.start("line")
            elif self._ended:
                end = len(self._text)
            else:
                found = None
                # The last line stays: what it begins with decides about the end.
                end = max(self._text.rfind("\n"), self._at)
                if len(self._text) - end > LONGEST_DOCUMENT:
                    end = len(self._text)
            piece = self._text[self._at : end]
            kept.append(piece[:room])
            room -= len(kept[-1])
            self._consume(end)
            if found or (self._ended and self._at == len(self._text)):
                return Document("".join(kept).rstrip("\r\n"), line)
            self._more()

    def _resumption(self) -> re.Pattern[str]:
        """What the next document's line begins with."""
        if self._text[self._at] not in "{[":
            return re.compile(r"\n(?P<line>)")
        start = self._text.rfind("\n", 0, self._at) + 1
        before = self._text[start : self._at]
        indented = len(before) if not before.strip() else 0
        brackets = r"[{\]]" if self._list_began is not None else r"[{\[]"
        return re.compile(rf"\n(?P<line>[^\S\n]{{0,{indented}}}(?={brackets}))")

    def _consume(self, end: int) -> None:
        self._line += self._text.count("\n", self._at, end)
        self._at = end

    def _more(self) -> None:
        """Read on: as much again as is waiting, so that trying again costs no more than reading did."""
        waiting = len(self._text) - self._at
        try:
            piece = self._stream.read(max(CHUNK, waiting))
        except UnicodeDecodeError as error:
            raise FindingUnreadable(f"{self._name} is not UTF-8 text; save it as UTF-8") from error
        self._ended = not piece
        # What stands before in the same line stays: it tells how deep the line is indented.
        start = self._text.rfind("\n", 0, self._at) + 1
        if self._at - start > CHUNK:
            start = self._at
        self._text = self._text[start:] + piece
        self._at -= start
