"""An action's text taken apart into words, the way people write them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_BLANKS = re.compile(r"\s+")
_PLAIN = re.compile(r"[^\s\"'{\[=:,]+")
_OPENERS = "=:,"  # a value may begin behind one of these, and so may a quote
_ENDS = {sign: re.compile(rf"{sign}(?=[\s,]|\Z)") for sign in "\"'"}
# Values that only look like JSON are read again from each of their words, so there is an end to trying.
_JSON_TRIES = 8


@dataclass(frozen=True, slots=True)
class Words:
    """``notes`` say what had to be taken another way than it was meant, in words for the report."""

    words: tuple[str, ...]
    notes: tuple[str, ...] = ()


def split(text: str) -> Words:
    """The words between blanks, as a shell would see them but for backslashes and ``#``, which mean nothing.

    A quote opens at the beginning of a word or of a value (behind ``=``, ``:`` or ``,``) and closes where
    the same quote stands before a blank, a comma or the end; any other quote is a letter like every
    other. A JSON object or list is one word and keeps its quotes and blanks.
    """
    return _Splitter(text).split()


class _Splitter:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._tries = _JSON_TRIES
        # Signs that nothing closes from here on; looking again would cost the square of the length.
        self._unclosed: set[str] = set()
        self._odd = False

    def split(self) -> Words:
        words = []
        while True:
            blanks = _BLANKS.match(self._text, self._at)
            self._at = blanks.end() if blanks else self._at
            if self._at >= len(self._text):
                break
            words.append(self._word())
        notes = ("quotes that do not pair up were taken as letters",) if self._odd else ()
        return Words(tuple(words), notes)

    def _word(self) -> str:
        parts: list[str] = []
        while self._at < len(self._text) and not self._text[self._at].isspace():
            plain = _PLAIN.match(self._text, self._at)
            if plain:
                parts.append(plain[0])
                self._at = plain.end()
                continue
            sign = self._text[self._at]
            opens = not parts or parts[-1][-1:] in _OPENERS
            value = None
            if sign in _ENDS:
                value = self._quoted(sign) if opens else None
                self._odd = self._odd or (value is None and (opens or sign == '"'))
            elif sign in "{[" and opens:
                value = self._json()
            if value is None:
                value = sign
                self._at += 1
            parts.append(value)
        return "".join(parts)

    def _quoted(self, sign: str) -> str | None:
        """What stands between this quote and the one that closes it; None if none does."""
        if sign in self._unclosed:
            return None
        start = self._at + 1
        end = _ENDS[sign].search(self._text, start)
        if end is None:
            self._unclosed.add(sign)
            return None
        self._at = end.end()
        return self._text[start : end.start()]

    def _json(self) -> str | None:
        """The text of the JSON value that begins here and is followed by a blank or the end."""
        if self._tries == 0:
            return None
        start = self._at
        try:
            _, end = json.JSONDecoder().raw_decode(self._text, start)
        except (ValueError, RecursionError):
            end = -1
        if end < 0 or (end < len(self._text) and not self._text[end].isspace()):
            self._tries -= 1
            return None
        self._at = end
        return self._text[start:end]
