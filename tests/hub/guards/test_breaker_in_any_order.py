"""Whatever workers do in whatever order, a breaker lets through what it promises and nothing else."""

from __future__ import annotations

import asyncio
from datetime import datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.guards.breaker import TRY
from hub.model import Decision, Outcome, Verdict
from tests.hub.guards.changes import Day
from tests.hub.guards.steps import NOW, word
from tests.hub.guards.test_breaker import FAILED, PASSED, PAUSE, an_entry, guard, opened


async def test_who_loses_the_race_for_the_try_waits() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers)
    day.clock.time = NOW + PAUSE
    day.journal.before_writing.append(lambda: day.judged(guard(day), "faster"))
    verdict = await day.judged(breakers, "slower")
    assert verdict is not None
    assert verdict.until == NOW + PAUSE + TRY
    assert "run faster tries now" in verdict.why


async def test_who_finds_it_closed_when_taking_the_try_goes_on() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers)
    day.clock.time = NOW + PAUSE

    async def decided() -> None:
        await day.judged(guard(day), "faster")
        await day.end(guard(day), "faster")

    day.journal.before_writing.append(decided)
    assert await day.judged(breakers, "slower") is None


async def test_failures_at_the_same_time_are_all_counted() -> None:
    day = Day()
    day.journal.gives_way = True
    breakers = guard(day, an_entry(20))
    await asyncio.gather(*(day.end(breakers, f"bad{n}", Outcome.DENIED) for n in range(20)))
    assert word(await day.judged(breakers)) is Decision.WAIT


class ABreaker(RuleBasedStateMachine):
    """Workers that ask, end and die, against what a breaker promises."""

    @initialize(failures=st.integers(1, 3))
    def begin(self, failures: int) -> None:
        self.day = Day()
        self.failures = failures
        self.guards = [guard(self.day, an_entry(failures)) for _ in range(2)]
        self.asked = 0
        self.row = 0  # failures in a row of changes that count
        self.going: dict[str, bool] = {}  # run: whether it began while the breaker was closed
        self.open_until: datetime | None = None
        self.trying = ""
        self.try_ends: datetime | None = None

    def _ask(self, run_id: str, *, plan: bool = False) -> Verdict | None:
        return asyncio.run(self.day.judged(self.guards[self.asked % 2], run_id, only_asked=plan))

    @rule()
    def ask(self) -> None:
        self.asked += 1
        run_id, now = f"r{self.asked}", self.day.clock()
        verdict = self._ask(run_id)
        if self.open_until is None:
            assert verdict is None
        elif now < self.open_until:
            assert verdict is not None
            assert verdict.until == self.open_until
        elif self.try_ends is not None and now < self.try_ends:
            assert verdict is not None
            assert verdict.until == self.try_ends
        else:
            assert verdict is None
            self.trying, self.try_ends = run_id, now + TRY
        if verdict is None:
            self.going[run_id] = True

    @rule()
    def plan(self) -> None:
        before = len(self.day.journal.writes())
        self._ask("plan", plan=True)
        assert len(self.day.journal.writes()) == before

    @precondition(lambda self: self.going)
    @rule(which=st.integers(0, 9), outcome=st.sampled_from(Outcome))
    def end(self, which: int, outcome: Outcome) -> None:
        run_id = list(self.going)[which % len(self.going)]
        del self.going[run_id]
        asyncio.run(self.day.end(self.guards[which % 2], run_id, outcome))
        decides = run_id == self.trying
        if self.open_until is not None and not decides:
            return
        if outcome in PASSED:
            self.row, self.open_until = 0, None
        elif outcome in FAILED:
            self.row += 1
            if decides or self.row >= self.failures:
                self.open_until = self.day.clock() + PAUSE
        if decides:
            self.trying, self.try_ends = "", None

    @precondition(lambda self: self.going)
    @rule(which=st.integers(0, 9))
    def die(self, which: int) -> None:
        del self.going[list(self.going)[which % len(self.going)]]

    @rule(minutes=st.sampled_from([1, 15, 60, 120]))
    def time_goes_by(self, minutes: int) -> None:
        self.day.later(minutes=minutes)

    @invariant()
    def at_most_one_tries(self) -> None:
        if hasattr(self, "day") and self.open_until is not None and self.day.clock() < self.open_until:
            assert self.trying == ""


ABreaker.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestABreaker = ABreaker.TestCase
