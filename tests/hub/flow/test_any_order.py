"""No order of findings, answers, undos, deaths and redeliveries does what a guard refused, changes anything without
a record, writes over an outcome, or leaves a lease for ever."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, TypeVar

from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

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
THINGS = st.sampled_from(["one", "two"])
BOTS = st.sampled_from(["mend", "wipe"])
LIVES = st.one_of(st.none(), st.integers(0, 40))


@dataclass
class Sent:
    message: Message
    times: int = 0


class AnyOrder(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.loop = VirtualLoop()
        asyncio.set_event_loop(None)
        self.world = World(self.loop)
        self.queue: list[Sent] = []
        self.settled: list[Sent] = []
        self.ended: dict[str, Outcome] = {}
        self.number = 0

    def wait_for(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @rule(bot=BOTS, thing=THINGS)
    def a_finding_comes(self, bot: str, thing: str) -> None:
        self.number += 1
        self.queue.append(Sent(self.world.message(bot, thing, self.number)))

    @precondition(lambda self: self.queue)
    @rule(which=st.integers(0), life=LIVES)
    def a_message_is_delivered(self, which: int, life: int | None) -> None:
        sent = self.queue[which % len(self.queue)]
        sent.times += 1
        if self.wait_for(self._settle(replace(sent.message, again=sent.times > 1), life)):
            self.queue.remove(sent)
            self.settled.append(sent)

    @precondition(lambda self: self.settled)
    @rule(which=st.integers(0), life=LIVES)
    def a_settled_message_is_delivered_again(self, which: int, life: int | None) -> None:
        sent = self.settled[which % len(self.settled)]
        self.wait_for(self._settle(replace(sent.message, again=True), life))

    @precondition(lambda self: len(self.queue) > 1)
    @rule(lives=st.tuples(LIVES, LIVES))
    def two_workers_at_once(self, lives: tuple[int | None, int | None]) -> None:
        async def both() -> list[bool]:
            messages = (self.queue[0].message, self.queue[1].message)
            return list(
                await asyncio.gather(
                    *(self._settle(each, life) for each, life in zip(messages, lives, strict=True))
                )
            )

        done = self.wait_for(both())
        for sent, well in list(zip(self.queue[:2], done, strict=True)):
            sent.times += 1
            if well:
                self.queue.remove(sent)
                self.settled.append(sent)

    async def _settle(self, message: Message, life: int | None) -> bool:
        """Whether the message was settled by a worker that may die meanwhile."""
        try:
            async with Worker(self.world, Life(life)) as worker:
                return (await flow.settle(worker.kit, message)).acknowledge
        except (Dead, NotNow):
            return False
        except HubError:
            return False

    @rule(which=st.integers(0), approved=st.booleans(), by=st.sampled_from([ADA, WORKER]))
    def somebody_answers(self, which: int, approved: bool, by: str) -> None:
        async def answer() -> None:
            everybody = [each async for each in waiting.everybody(self.world.journal)]
            if not everybody:
                return
            waits = sorted(everybody, key=lambda each: each.run_id)[which % len(everybody)]
            said = Answer(
                approved=approved,
                by=by,
                because="so it is",
                at=self.world.now(),
                requested_by=waits.requested_by,
            )
            if waits.answer is None:
                await waiting.write(self.world.journal, replace(waits, answer=said))

        self.wait_for(answer())

    @rule()
    def what_is_ready_is_sent(self) -> None:
        async def ready() -> list[str]:
            return [
                each.run_id
                async for each in waiting.everybody(self.world.journal)
                if each.ready(self.world.now())
            ]

        self.queue.extend(Sent(Message(body=body_for(run_id))) for run_id in self.wait_for(ready()))

    @precondition(lambda self: self.ended)
    @rule(which=st.integers(0))
    def somebody_forges_a_word_to_go_on(self, which: int) -> None:
        run_id = sorted(self.ended)[which % len(self.ended)]
        self.queue.append(Sent(Message(body=body_for(run_id))))

    @precondition(lambda self: self.ended)
    @rule(which=st.integers(0), force=st.booleans(), life=LIVES)
    def something_is_taken_back(self, which: int, force: bool, life: int | None) -> None:
        run_id = sorted(self.ended)[which % len(self.ended)]
        self.wait_for(self._take_back(run_id, Wish(force=force, hold=timedelta(0)), life))

    async def _take_back(self, run_id: str, wish: Wish, life: int | None) -> None:
        with contextlib.suppress(Dead, NothingToUndo, NotNow):
            async with Worker(self.world, Life(life)) as worker:
                await undo(worker.kit, run_id, wish)

    @rule(thing=THINGS, value=st.sampled_from([BAD, GOOD]), shade=st.integers(0, 2))
    def a_person_changes_something(self, thing: str, value: int, shade: int) -> None:
        self.world.things[thing].value = value
        self.world.things[thing].shade = shade

    @rule(off=st.booleans())
    def the_hub_is_switched(self, off: bool) -> None:
        modes = (ModeEntry(line=1, comment="off", mode=ModeWord.OFF),) if off else ()
        self.world.guards = replace(self.world.guards, modes=modes)

    @rule(hours=st.integers(0, 48))
    def changes_are_frozen(self, hours: int) -> None:
        now = self.world.now()
        freeze = Freeze(line=2, comment="a feast", starts=now, ends=now + timedelta(hours=hours))
        self.world.guards = replace(self.world.guards, freezes=(freeze,) if hours else ())

    @rule(stubborn=st.booleans())
    def things_become_slow(self, stubborn: bool) -> None:
        self.world.stubborn = stubborn

    @rule(minutes=st.sampled_from([1, 2, 61, 60 * 24, 60 * 24 * 8]))
    def time_passes(self, minutes: int) -> None:
        self.wait_for(asyncio.sleep(minutes * 60))

    @invariant()
    def what_was_said_of_a_run_stays_said(self) -> None:
        if not hasattr(self, "world"):
            return

        async def look() -> None:
            async for run in self.world.journal.runs(Query(limit=100_000)):
                if run.outcome is not None:
                    assert self.ended.setdefault(run.run_id, run.outcome) is run.outcome

        self.wait_for(look())

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.guards = GuardRules()
        self.world.stubborn = False
        self.wait_for(self._afterwards())
        self.loop.close()

    async def _afterwards(self) -> None:
        """Dead workers' leases end by themselves; then everything that is left in the queue comes to its end."""
        await asyncio.sleep(LEASE_SECONDS * 2)
        for name in list(self.world.journal._leases):
            assert await self.world.journal.lease(name, owner="anybody", seconds=0.001), (
                f"{name} is held for ever"
            )
        await asyncio.sleep(1)
        for sent in list(self.queue):
            for _ in range(3):
                if await self._settle(replace(sent.message, again=True), None):
                    break
                await asyncio.sleep(LEASE_SECONDS)
            else:
                raise AssertionError(f"never settled: {sent.message.body}")
        for run in await self._open_runs():
            if run.undo_of is not None:
                await self._take_back(run.undo_of, Wish(force=True, hold=timedelta(0)), None)
        assert await self._open_runs() == [], "nobody goes on with these"

    async def _open_runs(self) -> list[Run]:
        return [run async for run in self.world.journal.runs(Query(limit=100_000)) if run.outcome is None]


TestAnyOrder = AnyOrder.TestCase
TestAnyOrder.settings = hypothesis_settings(max_examples=60, stateful_step_count=40, deadline=None)
