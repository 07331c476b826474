"""Where two states of a resource differ. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

MOST_TOLD = 5
LONGEST_VALUE = 80
LONGEST_PATH = 120


class Difference(NamedTuple):
    """``path`` is like ``rules[0].port``; None stands for what is not there."""

    path: str
    before: Any
    after: Any


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Each place where they differ; lists of different lengths differ as a whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in (*before, *(name for name in after if name not in before)):
            yield from differences(before.get(name), after.get(name), f"{path}.{name}" if path else str(name))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (was, now) in enumerate(zip(before, after, strict=True)):
            yield from differences(was, now, f"{path}[{index}]")
    elif before != after:
        yield Difference(path, before, after)


def in_words(before: Any, after: Any) -> str:
    """``status: "Enabled" becomes "Off"; ...``; "nothing" if they are the same. At most 1,500 characters."""
    found = list(islice(differences(before, after), MOST_TOLD + 1))
    told = [
        f"{_clipped(each.path, LONGEST_PATH) or 'it'}: {_value(each.before)} becomes {_value(each.after)}"
        for each in found
    ]
    if len(found) > MOST_TOLD:
        told[MOST_TOLD:] = ["and more"]
    return "; ".join(told) or "nothing"


def _value(value: Any) -> str:
    if value is None:
        return "nothing"
    return _clipped(json.dumps(value, ensure_ascii=False, default=str), LONGEST_VALUE)


def _clipped(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
