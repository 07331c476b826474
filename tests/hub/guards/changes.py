"""Changes as guards that remember meet them: proposed, ended, while a clock is turned."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hub.errors import JournalUnwritable
from hub.guards import ChangeGuard, Proposal
from hub.journals import Note
from hub.journals.memory import MemoryJournal
from hub.model import Outcome, Run, Step, Verdict
from tests.hub.guards.steps import NOW, a_proposal, a_step
from tests.hub.journals.stores import Clock


def a_clock() -> Clock:
    clock = Clock()
    clock.time = NOW
    return clock


class Counting(MemoryJournal):
    """Tells what was asked of it, can be away, and lets others write between a reading and a writing."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(now=clock)
        self.calls: list[str] = []
        self.away: set[str] = set()
        self.before_writing: list[Callable[[], Awaitable[object]]] = []
        self.gives_way = False
        self._writing = False

    def _asked(self, what: str) -> None:
        self.calls.append(what)
        if what in self.away:
            raise JournalUnwritable(f"{what} is not answered")

    async def note(self, name: str) -> Note | None:
        if self._writing:
            return await super().note(name)
        self._asked("note")
        found = await super().note(name)
        if self.gives_way:
            await asyncio.sleep(0)
        return found

    async def keep(self, note: Note) -> Note | None:
        self._asked("keep")
        await self._overtaken()
        self._writing = True
        kept = await super().keep(note)
        self._writing = False
        return kept

    async def drop(self, note: Note) -> bool:
        self._asked("drop")
        await self._overtaken()
        self._writing = True
        dropped = await super().drop(note)
        self._writing = False
        return dropped

    async def tally(self, name: str, add: int, *, until: Any) -> int:
        self._asked(f"tally {add}")
        number = await super().tally(name, add, until=until)
        if self.gives_way:
            await asyncio.sleep(0)
        return number

    async def _overtaken(self) -> None:
        if self.before_writing:
            await self.before_writing.pop()()

    def writes(self) -> list[str]:
        return [call for call in self.calls if call not in ("note", "tally 0")]


@dataclass
class Day:
    """A journal and its clock."""

    clock: Clock = field(default_factory=a_clock)
    journal: Counting = field(init=False)

    def __post_init__(self) -> None:
        self.journal = Counting(self.clock)

    def later(self, **by: float) -> None:
        self.clock.forward(timedelta(**by).total_seconds())

    def proposal(self, run_id: str = "r", step: Step | None = None, **given: Any) -> Proposal:
        """A change that this run would make now."""
        step = replace(step or a_step(), run_id=run_id)
        region = given.pop("region", "")
        return replace(a_proposal(step, now=self.clock(), region=region), **given)

    async def judged(self, guard: ChangeGuard, run_id: str = "r", **given: Any) -> Verdict | None:
        return await guard.judge_change(self.proposal(run_id, **given))

    async def end(
        self,
        guard: ChangeGuard,
        run_id: str = "r",
        outcome: Outcome = Outcome.FIXED,
        *,
        changed: bool | None = None,
        message: str = "as told",
        **given: Any,
    ) -> Run:
        """The change of this run ends now."""
        proposal = self.proposal(run_id, **given)
        run = replace(
            proposal.run,
            outcome=outcome,
            changed=outcome is Outcome.FIXED if changed is None else changed,
            message=message,
            closed_at=self.clock(),
        )
        await guard.ended(proposal.step, run)
        return run
