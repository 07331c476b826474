"""Patterns as shells know them: ``*`` any text, ``?`` one character, ``[abc]`` ``[a-z]`` ``[!a]`` one of these."""

from __future__ import annotations

import fnmatch
import re

_SIGNS = re.compile(r"[*?\[]")
_PIECES = re.compile(r"[*?]|\[.*", re.DOTALL)
LONGEST = 500
MOST_STARS = 8  # what a star may stand for is tried anew for each of them


def is_pattern(text: str) -> bool:
    """Whether it can stand for more than itself."""
    return _SIGNS.search(text) is not None


def compiled(pattern: str) -> re.Pattern[str]:
    """To be used with ``match``; takes the whole value."""
    return re.compile(fnmatch.translate(pattern))


def literal(pattern: str) -> str:
    """A text that every value that meets the pattern holds; the longest that is easily found."""
    return max(_PIECES.split(pattern), key=len)


def wrong_with(pattern: str) -> str:
    """Why it is no pattern, "" if it is one."""
    if len(pattern) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if pattern.count("*") > MOST_STARS:
        return f"has more than {MOST_STARS} stars"
    at = pattern.find("[")
    while at >= 0:
        # A bracket right behind the opening one (or behind its !) is a character like others.
        end = pattern.find("]", at + (3 if pattern.startswith("[!", at) else 2))
        if end < 0:
            return "opens a bracket that is not closed ([[] stands for the bracket itself)"
        at = pattern.find("[", end)
    return ""
