"""Words for sentences about many things."""

from __future__ import annotations

from collections.abc import Iterable

NAMED_AT_MOST = 5  # things in one sentence


def some(names: Iterable[str], *, between: str = ", ", last: str = " and ") -> str:
    """The first of the names and, after ``last``, how many more there are, for a sentence; "" for none."""
    every = list(names)
    more = f"{last}{len(every) - NAMED_AT_MOST} more" if len(every) > NAMED_AT_MOST else ""
    return between.join(every[:NAMED_AT_MOST]) + more
