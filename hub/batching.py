"""Brings calls of one kind together while they wait, where AWS has an API that takes several.

Nobody waits for company: an item goes out at once unless as many requests as may be are on their way. What
comes meanwhile is collected and goes out together when one of them ends. There are no timers.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from hub.errors import InternalError

T = TypeVar("T")
R = TypeVar("R")

MOST = 10  # what SNS and SQS take at once
AT_ONCE = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[T, R]):
    """An item and whoever waits for what becomes of it."""

    item: T
    size: int
    outcome: asyncio.Future[R] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


@dataclass(slots=True, eq=False)
class _Request(Generic[T, R]):
    """Items that travel together. Which ones is decided when it leaves."""

    items: list[_Waiting[T, R]] = field(default_factory=list)

    @property
    def unwanted(self) -> bool:
        """Nobody waits for it any more."""
        return all(each.outcome.cancelled() for each in self.items)


class Batcher(Generic[T, R]):
    """Sends items, several in one request when several wait, in the order they came.

    Args:
        send: makes one request. Gives an outcome for each item, in their order; an error among them is for that
            item's caller only. An error it raises is for all of them.
        at_once: how many requests may be on their way. With 1, no item overtakes another.
        most: how many items a request takes.
        most_bytes: how much a request takes together, if there is a limit. What is larger by itself goes alone.
        size: of an item, in bytes.
    """

    def __init__(
        self,
        send: Callable[[Sequence[T]], Awaitable[Sequence[R | Exception]]],
        *,
        at_once: int = AT_ONCE,
        most: int = MOST,
        most_bytes: int | None = None,
        size: Callable[[T], int] = lambda _item: 0,
    ) -> None:
        self._send = send
        self._at_once = at_once
        self._most = most
        self._most_bytes = most_bytes
        self._size = size
        self._waiting: deque[_Waiting[T, R]] = deque()
        self._on_the_way: dict[asyncio.Task[None], _Request[T, R]] = {}
        self._leaving = False  # a request is about to be made of what waits

    def __len__(self) -> int:
        """How many requests are on their way."""
        return len(self._on_the_way)

    async def do(self, item: T) -> R:
        """What became of the item.

        A caller that is cancelled takes nothing from the others. An item that has not left then never leaves;
        a request that nobody waits for any more is broken off, and its last caller sees it end.

        Raises:
            Exception: whatever `send` gave for this item, or ended with.
        """
        mine: _Waiting[T, R] = _Waiting(item, self._size(item))
        self._waiting.append(mine)
        self._start()
        try:
            return await mine.outcome
        except asyncio.CancelledError:
            await self._give_up(mine)
            raise

    async def close(self) -> None:
        """Wait until nothing waits and nothing is on its way."""
        while self._on_the_way:
            await asyncio.wait(self._on_the_way)

    def _start(self) -> None:
        if self._leaving or not self._waiting or len(self._on_the_way) >= self._at_once:
            return
        self._leaving = True
        request: _Request[T, R] = _Request()
        task = asyncio.create_task(self._carry(request))
        self._on_the_way[task] = request
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._on_the_way[task]
        self._start()

    async def _carry(self, request: _Request[T, R]) -> None:
        self._leaving = False
        request.items = self._next()
        self._start()
        if not request.items:
            return
        outcomes: Sequence[R | Exception]
        try:
            outcomes = await self._send([each.item for each in request.items])
            if len(outcomes) != len(request.items):
                raise InternalError(f"{len(outcomes)} outcomes for {len(request.items)} items that were sent")
        except asyncio.CancelledError:
            for each in request.items:
                each.outcome.cancel()
            raise
        except Exception as error:  # noqa: BLE001 - it is raised, at its callers
            outcomes = [error] * len(request.items)
        for each, outcome in zip(request.items, outcomes, strict=True):
            if each.outcome.done():
                continue  # its caller was cancelled
            if isinstance(outcome, Exception):
                each.outcome.set_exception(outcome)
            else:
                each.outcome.set_result(outcome)

    def _next(self) -> list[_Waiting[T, R]]:
        """What goes out now: the first that fit together."""
        found: list[_Waiting[T, R]] = []
        total = 0
        while self._waiting and len(found) < self._most:
            first = self._waiting[0]
            if found and self._most_bytes is not None and total + first.size > self._most_bytes:
                break
            self._waiting.popleft()
            if not first.outcome.cancelled():
                found.append(first)
                total += first.size
        return found

    async def _give_up(self, mine: _Waiting[T, R]) -> None:
        for task, request in list(self._on_the_way.items()):
            if mine in request.items and request.unwanted and not task.done():
                task.cancel()
                await asyncio.wait({task})
