"""Work on many things, a few at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def abreast(things: Iterable[T], work: Callable[[T], Awaitable[object]], *, hands: int) -> None:
    """Do the work for each of the things, as many at once as there are hands. A thing is taken at the moment
    a hand is free for it; an iterator may decide until then what comes next.

    Raises:
        Whatever the work raised first; what is under way then goes on.
    """
    waiting = iter(things)

    async def hand() -> None:
        for thing in waiting:
            await work(thing)

    await asyncio.gather(*(hand() for _ in range(hands)))
