"""Answers nobody has: what AWS would say to a call that is only rehearsed. Pure.

Parts of such an answer can be handed on as parameters of later calls, where they show as
``<of CreateKey: KeyMetadata.KeyId>``, alone, inside other texts and in JSON. Whoever asks what they
really are ends the rehearsal.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Set
from datetime import date
from typing import Any, NoReturn

PLACEHOLDER = re.compile(r"<of [A-Za-z0-9]+(?: [0-9]+)?: [^<>]+>")
# Lists of what went wrong. A rehearsal supposes that AWS does what it is asked.
_WENT_WRONG = re.compile(r"(Failure|Failed|Error|Unsuccessful|Unprocessed)", re.IGNORECASE)
# AWS makes up a new one, so it is none of those that were there before.
_MADE_UP = re.compile(r"(Create|Allocate|Associate|Replace)[A-Z]\w*(?: [0-9]+)?: .*Id")

Stop = Callable[[str], NoReturn]
"""Ends the rehearsal; the text says why."""


class Part(str):
    """A text, number, list or structure in such an answer: known by its place alone."""

    __slots__ = ("place", "stop")
    place: str
    stop: Stop

    def __new__(cls, place: str, stop: Stop) -> Part:
        part = super().__new__(cls, f"<of {place}>")
        part.place = place
        part.stop = stop
        return part

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, int):
            return Part(f"{self.place}[{key}]", self.stop)
        return () if _WENT_WRONG.match(str(key)) else Part(f"{self.place}.{key}", self.stop)

    def get(self, key: str, default: Any = None) -> Any:
        return default if _WENT_WRONG.match(key) else self[key]

    def __eq__(self, other: object) -> bool:
        same = isinstance(other, Part) and other.place == self.place
        if not (same or other is None or _MADE_UP.fullmatch(self.place)):
            self._asked()
        return same

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        # Among others it would be looked for by its hash, and not be found, whatever it really is.
        if not _MADE_UP.fullmatch(self.place):
            self._asked()
        return super().__hash__()

    def _asked(self, *_: object, **__: object) -> NoReturn:
        self.stop(f"what comes next hangs on {self!s}, which only a real call makes known")


class Answer(dict[str, Any]):
    """The whole of such an answer."""

    def __init__(self, call: str, stop: Stop) -> None:
        super().__init__()
        self.call = call
        self.stop = stop

    def __getitem__(self, key: str) -> Any:
        return () if _WENT_WRONG.match(key) else Part(f"{self.call}: {key}", self.stop)

    def get(self, key: str, default: Any = None) -> Any:
        return default if _WENT_WRONG.match(key) else self[key]

    def __bool__(self) -> bool:
        return True  # AWS's answers are never empty

    def _asked(self, *_: object, **__: object) -> NoReturn:
        self.stop(f"what comes next hangs on the answer of {self.call}, which only a real call makes known")


# Whatever else can be done with a text or a dict would go wrong unseen: cutting it up, counting, searching.
_ALSO = "bool len iter contains lt le gt ge add radd mul rmul mod int float index or ror eq ne reversed"
for _kind in (Part, Answer):
    _closed = {f"__{name}__" for name in _ALSO.split()} | {"items", "keys", "values"}
    _closed |= {name for name in dir(_kind.__base__) if not name.startswith("_")}
    for _name in _closed - set(vars(_kind)):
        setattr(_kind, _name, _kind._asked)


def has_part(value: object) -> bool:
    """Whether something in it stands for what only AWS can tell."""
    match value:
        case str():
            return PLACEHOLDER.search(str(value)) is not None
        case Answer():
            return True
        case Mapping():
            return any(has_part(name) or has_part(each) for name, each in value.items())
        case list() | tuple() | Set():
            return any(map(has_part, value))
        case _:
            return False


def as_json(value: Any) -> Any:
    """Parameters of a call as they are now, as JSON: bytes as text (else base64), times as ISO text."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str(value)
        case bytes() | bytearray():
            try:
                return value.decode("utf-8")
            except UnicodeDecodeError:
                return base64.b64encode(value).decode()
        case date():
            return value.isoformat()
        case Mapping():
            return {str(name): as_json(each) for name, each in value.items()}
        case list() | tuple():
            return [as_json(each) for each in value]
        case Set():
            return sorted(map(as_json, value), key=str)
        case _:
            return f"a {type(value).__name__}, which cannot be shown"
