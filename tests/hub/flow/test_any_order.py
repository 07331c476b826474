"""No order of findings, answers, undos, deaths and redeliveries does what a guard refused, changes anything without
a record, writes over an outcome, or leaves a lease for ever."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from hub import flow
from hub.errors import HubError, NotNow
from hub.flow import waiting
from hub.flow.resume import body_for
from hub.flow.undo import Wish, undo
from hub.flow.way_back import NothingToUndo
from hub.journals import Query
from hub.model import Answer, Message, Outcome, Run
from hub.rules.guard_model import Freeze, GuardRules, ModeEntry, ModeWord
from tests.hub.flow.world import BAD, GOOD, LEASE_SECONDS, WORKER, Dead, Life, Worker, World
from tests.virtual_time import VirtualLoop

T = TypeVar("T")
ADA = "arn:aws:sts::111122223333:assumed-role/Security/ada"
THINGS = ("one", "two")
MINUTES = (1, 2, 61, 60 * 24, 60 * 24 * 8)


@dataclass
class Sent:
    message: Message
    times: int = 0


class Story:
    """A hub's life, event by event.

    Of every event ``which`` says to what it happens, ``life`` after how many calls its worker dies, None if it lives.
    """

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.world = World(self.loop)
        self.queue: list[Sent] = []
        self.settled: list[Sent] = []
        self.ended: dict[str, Outcome] = {}
        self.number = 0

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def a_finding_comes(self, which: int, life: int | None) -> None:
        """One of a harmless bot or of a destructive one, about one of two things, and is delivered."""
        self.number += 1
        sent = Sent(self.world.message(("mend", "wipe")[which % 2], THINGS[which // 2 % 2], self.number))
        self.queue.append(sent)
        self._deliver(sent, life)

    def a_message_is_delivered(self, which: int, life: int | None) -> None:
        if self.queue:
            self._deliver(self.queue[which % len(self.queue)], life)

    def a_settled_message_is_delivered_again(self, which: int, life: int | None) -> None:
        if self.settled:
            sent = self.settled[which % len(self.settled)]
            self.wait_for(self._settle(replace(sent.message, again=True), life))

    def two_workers_are_at_work_at_once(self, which: int, life: int | None) -> None:
        first = which % max(1, len(self.queue) - 1)
        pair = self.queue[first : first + 2]

        async def both() -> list[bool]:
            lives = (life, None)
            work = (self._settle(sent.message, each) for sent, each in zip(pair, lives, strict=False))
            return list(await asyncio.gather(*work))

        for sent, well in zip(pair, self.wait_for(both()), strict=True):
            self._done(sent, well=well)

    def a_person_says_yes(self, which: int, life: int | None) -> None:
        self._answer(which, ADA, approved=True)
        self._wake(which, life)

    def a_person_says_no(self, which: int, life: int | None) -> None:
        self._answer(which, ADA, approved=False)

    def the_worker_itself_says_yes(self, which: int, life: int | None) -> None:
        self._answer(which, WORKER, approved=True)
        self._wake(which, life)

    def what_is_ready_is_woken(self, which: int, life: int | None) -> None:
        self._wake(which, life)

    def somebody_forges_a_word_to_go_on(self, which: int, life: int | None) -> None:
        if self.ended:
            run_id = sorted(self.ended)[which % len(self.ended)]
            sent = Sent(Message(body=body_for(run_id)))
            self.queue.append(sent)
            self._deliver(sent, life)

    def a_fix_is_taken_back(self, which: int, life: int | None) -> None:
        changed = sorted({run_id for run_id, _ in self.world.changes})
        if changed:
            wish = Wish(force=which % 2 == 0, hold=timedelta(0))
            self.wait_for(self._take_back(changed[which % len(changed)], wish, life))

    def a_person_changes_something(self, which: int, life: int | None) -> None:
        thing = self.world.things[THINGS[which % 2]]
        thing.value, thing.shade = (BAD, BAD, GOOD)[which % 3], which % 5

    def the_hub_is_switched(self, which: int, life: int | None) -> None:
        off = () if self.world.guards.modes else (ModeEntry(line=1, comment="off", mode=ModeWord.OFF),)
        self.world.guards = replace(self.world.guards, modes=off)

    def changes_are_frozen_or_thawed(self, which: int, life: int | None) -> None:
        now = self.world.now()
        freeze = Freeze(line=2, comment="a feast", starts=now, ends=now + timedelta(hours=1 + which % 48))
        self.world.guards = replace(self.world.guards, freezes=() if self.world.guards.freezes else (freeze,))

    def things_become_slow_or_quick(self, which: int, life: int | None) -> None:
        self.world.stubborn = not self.world.stubborn

    def time_passes(self, which: int, life: int | None) -> None:
        self.wait_for(asyncio.sleep(MINUTES[which % len(MINUTES)] * 60))

    def check(self) -> None:
        """Nothing was changed that might not be, and what was said of a run stays said."""
        assert self.world.wrong == []

        async def look() -> None:
            async for run in self.world.journal.runs(Query(limit=100_000)):
                if run.outcome is not None:
                    assert self.ended.setdefault(run.run_id, run.outcome) is run.outcome

        self.wait_for(look())

    def end(self) -> None:
        """Dead workers' leases end by themselves; then everything that is left in the queue comes to its end."""
        self.world.guards = GuardRules()
        self.world.stubborn = False
        self.wait_for(self._end())
        self.check()
        self.loop.close()

    async def _end(self) -> None:
        await asyncio.sleep(LEASE_SECONDS * 2)
        for name in list(self.world.journal._leases):
            taken = await self.world.journal.lease(name, owner="anybody", seconds=0.001)
            assert taken, f"{name} is held for ever"
        await asyncio.sleep(1)
        for sent in self.queue:
            assert await self._settle(replace(sent.message, again=True), None), sent.message.body
        for run in await self._open_runs():
            if run.undo_of is not None:
                await self._take_back(run.undo_of, Wish(force=True, hold=timedelta(0)), None)
        assert await self._open_runs() == [], "nobody goes on with these"
        for waits in [each async for each in waiting.everybody(self.world.journal)]:
            ended = await self.world.journal.get(waits.run_id)
            assert ended is None or ended.outcome is not None, (
                "its finding is settled, so it has ended as waiting"
            )

    async def _open_runs(self) -> list[Run]:
        return [run async for run in self.world.journal.runs(Query(limit=100_000)) if run.outcome is None]

    def _deliver(self, sent: Sent, life: int | None) -> None:
        message = replace(sent.message, again=sent.times > 0)
        self._done(sent, well=self.wait_for(self._settle(message, life)))

    def _done(self, sent: Sent, *, well: bool) -> None:
        sent.times += 1
        if well:
            self.queue.remove(sent)
            self.settled.append(sent)

    async def _settle(self, message: Message, life: int | None) -> bool:
        """Whether the message was settled, by a worker that may die meanwhile."""
        try:
            async with Worker(self.world, Life(life)) as worker:
                return (await flow.settle(worker.kit, message)).acknowledge
        except (Dead, HubError):
            return False

    async def _take_back(self, run_id: str, wish: Wish, life: int | None) -> None:
        with contextlib.suppress(Dead, NothingToUndo, NotNow):
            async with Worker(self.world, Life(life)) as worker:
                await undo(worker.kit, run_id, wish)

    def _answer(self, which: int, by: str, *, approved: bool) -> None:
        async def answer() -> None:
            found = [each async for each in waiting.everybody(self.world.journal) if each.answer is None]
            if found:
                waits = sorted(found, key=lambda each: each.run_id)[which % len(found)]
                said = Answer(
                    approved=approved,
                    by=by,
                    because="so it is",
                    at=self.world.now(),
                    requested_by=waits.requested_by,
                )
                assert await waiting.write(self.world.journal, replace(waits, answer=said))

        self.wait_for(answer())

    def _wake(self, which: int, life: int | None) -> None:
        async def ready() -> list[str]:
            now = self.world.now()
            return [each.run_id async for each in waiting.everybody(self.world.journal) if each.ready(now)]

        found = [Sent(Message(body=body_for(run_id))) for run_id in self.wait_for(ready())]
        self.queue.extend(found)
        if found:
            self._deliver(found[which % len(found)], life)


Event = Callable[[Story, int, "int | None"], None]
WEIGHTS: dict[Event, int] = {
    Story.a_finding_comes: 5,
    Story.a_message_is_delivered: 5,
    Story.a_settled_message_is_delivered_again: 2,
    Story.two_workers_are_at_work_at_once: 2,
    Story.a_person_says_yes: 4,
    Story.a_person_says_no: 1,
    Story.the_worker_itself_says_yes: 1,
    Story.what_is_ready_is_woken: 2,
    Story.somebody_forges_a_word_to_go_on: 1,
    Story.a_fix_is_taken_back: 2,
    Story.a_person_changes_something: 4,
    Story.the_hub_is_switched: 1,
    Story.changes_are_frozen_or_thawed: 1,
    Story.things_become_slow_or_quick: 1,
    Story.time_passes: 3,
}
EVENTS = st.tuples(
    st.sampled_from([event for event, weight in WEIGHTS.items() for _ in range(weight)]),
    st.integers(0, 59),
    st.one_of(st.none(), st.none(), st.integers(0, 60)),
)


@hypothesis_settings(max_examples=150)
@given(st.lists(EVENTS, min_size=30, max_size=60))
def test_whatever_happens_in_whatever_order(events: list[tuple[Event, int, int | None]]) -> None:
    story = Story()
    for number, (event, which, life) in enumerate(events):
        event(story, which, life)
        if number % 8 == 0:
            story.check()
    story.end()
