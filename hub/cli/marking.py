"""Pieces of Markdown for tickets. What findings and resources are called is shown as it is and marks nothing up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

# Ticket systems make links of addresses too, and tell people and other tickets by these signs.
_MARKS = re.compile(r"([\\`*_\[\]<>#|~&$@]|:(?=//)|(?<=www)\.)")


def facts(rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A list of names and values."""
    for name, text in rows:
        yield f"* {name}: {plain(text)}"


def part(title: str, names: Sequence[str], rows: Sequence[Sequence[str]] | str) -> Iterator[str]:
    """A table, or in one sentence why there is none."""
    yield ""
    if isinstance(rows, str):
        yield f"**{title}:** {plain(rows)}"
        return
    yield f"**{title}**"
    yield ""
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(plain(cell) for cell in row)} |"


def block(title: str, state: Any) -> Iterator[str]:
    """A value as JSON."""
    text = json.dumps(state, indent=2, ensure_ascii=False)
    # Longer than whatever fence the text itself holds.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    yield from ("", f"**{title}**", "", f"{fence}json", text, fence)


def plain(text: str) -> str:
    """The text on one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.splitlines()))


def code(text: str, *, empty: str = "-") -> str:
    """A name that can be copied; ``empty`` if there is none."""
    told = " ".join(text.splitlines()).replace("`", "'").strip()
    return f"`{told}`" if told else empty
