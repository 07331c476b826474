"""Settles a stream of messages side by side, holding no more than it works on."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from typing import Protocol

from hub import flow
from hub.app import Hub
from hub.errors import FindingUnreadable, NotNow, PutOff
from hub.model import Message, Outcome, Report, Run

TRIES_WHEN_BUSY = 20
KEPT_FOR_TABLE = 500


class Progress(Protocol):
    def __call__(self, done: int, taken: int, *, all_taken: bool) -> None: ...


class Batch:
    """One pass over many messages. Afterwards tells what came of them.

    Attributes:
        runs: the first entries, enough for a table.
        unreadable: a text for each message that could not be read.
    """

    def __init__(
        self,
        hub: Hub,
        *,
        concurrency: int,
        on_progress: Progress | None = None,
        on_wait: Callable[[str, float], None] | None = None,
    ) -> None:
        self.runs: list[Run] = []
        self.unreadable: list[str] = []
        self._hub = hub
        self._concurrency = concurrency
        self._on_progress = on_progress
        self._on_wait = on_wait
        self._outcomes: Counter[Outcome] = Counter()
        self._quiet = 0
        self._taken = 0
        self._done = 0

    async def settle(self, messages: Iterable[Message]) -> AsyncIterator[Report]:
        """Reports in the order they are ready."""
        source = iter(messages)
        working: set[asyncio.Task[Report | None]] = set()
        more = True
        try:
            while more or working:
                while more and len(working) < self._concurrency:
                    more = self._start_next(source, working)
                if not working:
                    break
                finished, working = await asyncio.wait(working, return_when=asyncio.FIRST_COMPLETED)
                for task in finished:
                    self._done += 1
                    report = task.result()
                    if report is not None:
                        yield report
                if self._on_progress is not None:
                    self._on_progress(self._done, self._taken, all_taken=not more)
        finally:
            for task in working:
                task.cancel()
            await asyncio.gather(*working, return_exceptions=True)

    def _start_next(self, source: Iterator[Message], working: set[asyncio.Task[Report | None]]) -> bool:
        try:
            message = next(source)
        except StopIteration:
            return False
        except FindingUnreadable as error:
            self.unreadable.append(str(error))
            return False
        self._taken += 1
        working.add(asyncio.create_task(self._settle_one(message)))
        return True

    async def _settle_one(self, message: Message) -> Report | None:
        tries_when_busy = TRIES_WHEN_BUSY
        while True:
            try:
                done = await flow.settle(self._hub.kit, message)
            except PutOff as later:
                # The flow's own patience ends this.
                if self._on_wait is not None:
                    self._on_wait(str(later), later.seconds)
                await asyncio.sleep(later.seconds)
                message = replace(message, again=True)
                continue
            except NotNow as busy:
                tries_when_busy -= 1
                if not tries_when_busy:
                    raise
                await asyncio.sleep(min(busy.seconds, 1.0))
                continue
            self._count(message, done)
            return done.report

    def _count(self, message: Message, done: flow.Settlement) -> None:
        if done.report is None:
            self._quiet += 1
            return
        if done.report.error is not None:
            self.unreadable.append(f"{message.origin}: {done.report.error}")
        self._outcomes.update(done.report.outcomes)
        room = KEPT_FOR_TABLE - len(self.runs)
        self.runs.extend(done.report.runs[: max(0, room)])

    def summary(self) -> str:
        """One line: how many of what."""
        parts = [f"{count} {outcome}" for outcome, count in self._outcomes.most_common()]
        total = sum(self._outcomes.values())
        if self.unreadable:
            parts.append(f"{len(self.unreadable)} unreadable")
        if self._quiet:
            parts.append(f"{self._quiet} with nothing to do")
        shown = f" (the first {KEPT_FOR_TABLE} are listed)" if total > KEPT_FOR_TABLE else ""
        noun = "finding" if self._taken == 1 else "findings"
        return f"{self._taken} {noun}: {', '.join(parts) or 'nothing due'}{shown}"

    @property
    def waiting(self) -> int:
        """How many wait for a person or a moment."""
        return self._outcomes[Outcome.WAITING]

    @property
    def exit_status(self) -> int:
        """2 when something was unreadable, else 1 when something failed, else 0."""
        if self.unreadable:
            return 2
        return 0 if all(outcome.well for outcome in self._outcomes) else 1
