"""IAM's patterns: which texts, and which other patterns, one covers. Pure."""

from __future__ import annotations

import functools
import re
from typing import Any


def listed(value: Any) -> list[Any]:
    """IAM lets a list of one be written without brackets."""
    return value if isinstance(value, list) else [value]


def covers(pattern: str, other: str, *, any_case: bool = False) -> bool:
    """Whether everything that ``other`` fits, a text or itself a pattern, fits ``pattern``.

    ``*`` and ``?`` of ``other`` are covered by a ``*`` only. So a yes is always right; a no may be wrong
    for patterns nobody writes, such as ``?*`` against ``*?``.
    """
    if any_case:
        pattern, other = pattern.lower(), other.lower()
    return pattern == other or _compiled(pattern).fullmatch(other) is not None


@functools.lru_cache(maxsize=8192)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"([*?])", pattern)
    return re.compile(
        "".join({"*": ".*", "?": "[^*?]"}.get(part, re.escape(part)) for part in parts), re.DOTALL
    )
