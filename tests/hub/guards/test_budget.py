"""Never more changes in a period than a budget allows, however they are asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots._bot import Risk
from hub.errors import JournalUnwritable
from hub.guards import budget as module
from hub.guards.budget import Budgets, period
from hub.journals.memory import MemoryJournal
from hub.model import Decision, Outcome
from hub.rules.guard_model import Budget, Where
from tests.hub.guards.changes import Day
from tests.hub.guards.steps import NOTHING_KNOWN, NOW, a_proposal, a_step, in_force, word


def hourly(changes: int | None = 2, **given: Any) -> Budget:
    facts: dict[str, Any] = {"line": 7, "comment": "c", "name": "hourly", "changes": changes}
    return Budget(**(facts | given))


def guard(day: Day, *entries: Budget) -> Budgets:
    return Budgets(in_force(budgets=entries), day.journal)


async def let_through(day: Day, budgets: Budgets, asks: int, **given: Any) -> int:
    said = [await day.judged(budgets, f"r{n}-{len(day.journal.calls)}", **given) for n in range(asks)]
    return said.count(None)


async def test_what_is_past_the_budget_waits_for_the_next_period_and_goes_on_then() -> None:
    day = Day()
    budgets = guard(day, hourly(2))
    day.later(minutes=20)
    assert await let_through(day, budgets, 2) == 2
    verdict = await day.judged(budgets, "late")
    assert verdict is not None
    assert verdict.decision is Decision.WAIT
    assert verdict.guard == "budget"
    assert verdict.until == NOW + timedelta(hours=1)
    assert verdict.why == (
        "budget hourly of budgets (rules.yaml line 7) allows account 222233334444 at most 2 changes from 2026-11-29 "
        "12:00 UTC to 2026-11-29 13:00 UTC, and they are spent; the step goes on by itself at 2026-11-29 13:00 UTC, or "
        "allow more there"
    )
    day.clock.time = verdict.until
    assert await let_through(day, budgets, 3) == 2


async def test_without_a_budget_nothing_is_counted() -> None:
    day = Day()
    assert await let_through(day, guard(day, hourly(1, where=Where(regions=("us-*",)))), 3) == 3
    assert day.journal.calls == []


async def test_a_budget_of_destructive_changes_does_not_count_the_others() -> None:
    day = Day()
    budgets = guard(day, hourly(None, destructive=1))
    assert await let_through(day, budgets, 3, step=a_step(risk=Risk.ACCESS_REMOVAL)) == 3
    assert day.journal.calls == []
    assert await let_through(day, budgets, 2, step=a_step(risk=Risk.DISRUPTIVE)) == 1
    verdict = await day.judged(budgets, "late", step=a_step(risk=Risk.DESTRUCTIVE))
    assert verdict is not None
    assert "at most 1 disruptive or destructive changes" in verdict.why


async def test_destructive_changes_count_among_all_changes_too() -> None:
    day = Day()
    budgets = guard(day, hourly(2, destructive=5))
    assert await let_through(day, budgets, 1) == 1
    assert await let_through(day, budgets, 3, step=a_step(risk=Risk.DESTRUCTIVE)) == 1
    # What was refused for the one was not counted for the other.
    day.later(hours=1)
    budgets = guard(day, hourly(5, destructive=1))
    assert await let_through(day, budgets, 3, step=a_step(risk=Risk.DESTRUCTIVE)) == 1
    assert await let_through(day, budgets, 9) == 4


@pytest.mark.parametrize(
    ("each", "others", "let"),
    [
        (("account",), {"account": "333344445555"}, 1),
        (("account",), {"region": "us-east-1"}, 0),
        (("region",), {"region": "us-east-1"}, 1),
        (("region", "account"), {"account": "333344445555"}, 1),
        (("bot",), {"bot": "s3_block_all_public_access"}, 1),
        ((), {"account": "333344445555", "region": "us-east-1"}, 0),
    ],
)
async def test_changes_are_counted_apart_for_each(each: Any, others: Any, let: int) -> None:
    day = Day()
    budgets = guard(day, hourly(1, each=each))
    assert await let_through(day, budgets, 2) == 1
    assert await let_through(day, budgets, 1, step=a_step(**others)) == let


async def test_the_region_counts_where_the_look_found_the_resource() -> None:
    day = Day()
    budgets = guard(day, hourly(1, each=("region",)))
    assert await let_through(day, budgets, 1, region="us-east-1") == 1
    assert await let_through(day, budgets, 1, step=a_step(region="us-east-1")) == 0


async def test_a_budget_for_the_whole_hub_says_so() -> None:
    day = Day()
    verdict = await day.judged(guard(day, hourly(0, each=())))
    assert verdict is not None
    assert "allows the whole hub at most 0 changes" in verdict.why


async def test_of_several_budgets_all_must_have_room_and_none_is_spent_for_another() -> None:
    day = Day()
    budgets = guard(day, hourly(3), hourly(1, name="tight", hours=24, each=()))
    assert await let_through(day, budgets, 3) == 1
    # The others' places in the first one were given back.
    assert await let_through(day, guard(day, hourly(3)), 5) == 2


async def test_a_plan_reads_and_counts_nothing() -> None:
    day = Day()
    budgets = guard(day, hourly(1))
    for _ in range(3):
        assert await day.judged(budgets, only_asked=True) is None
    assert await let_through(day, budgets, 1) == 1
    assert word(await day.judged(budgets, "late", only_asked=True)) is Decision.WAIT
    assert day.journal.writes() == ["tally 1"]


async def test_what_was_not_changed_is_given_back_once() -> None:
    day = Day()
    budgets = guard(day, hourly(1))
    assert await day.judged(budgets) is None
    await day.end(budgets, outcome=Outcome.DENIED)
    await day.end(budgets, outcome=Outcome.DENIED)
    assert await let_through(day, budgets, 2) == 1


async def test_what_was_changed_stays_spent() -> None:
    day = Day()
    budgets = guard(day, hourly(1))
    assert await day.judged(budgets) is None
    await day.end(budgets, outcome=Outcome.UNPROVEN, changed=True)
    assert await let_through(day, budgets, 1) == 0
    # Told again by whoever: it is not this worker's to give back any more.
    await day.end(budgets, outcome=Outcome.DENIED)
    assert await let_through(day, budgets, 1) == 0


async def test_what_another_worker_counted_is_not_given_back() -> None:
    day = Day()
    assert await day.judged(guard(day, hourly(1))) is None
    another = guard(day, hourly(1))
    await day.end(another, outcome=Outcome.DENIED)
    assert await let_through(day, another, 1) == 0


async def test_a_number_whose_period_is_over_is_left_alone() -> None:
    day = Day()
    budgets = guard(day, hourly(1))
    assert await day.judged(budgets) is None
    day.later(hours=1)
    await day.end(budgets, outcome=Outcome.DENIED)
    assert day.journal.calls == ["tally 1"]


async def test_a_run_that_was_put_off_is_counted_once_by_the_worker_that_takes_it_up() -> None:
    day = Day()
    budgets = guard(day, hourly(2))
    assert await day.judged(budgets, "put off") is None
    assert await day.judged(budgets, "put off") is None
    assert await let_through(day, budgets, 2) == 1
    # Another worker cannot know, and counts it again.
    assert word(await day.judged(guard(day, hourly(2)), "put off")) is Decision.WAIT


async def test_what_an_earlier_attempt_counted_stays_when_a_later_one_has_to_wait() -> None:
    day = Day()
    first = guard(day, hourly(1, hours=24))
    assert await day.judged(first, "put off") is None
    narrow = hourly(0, name="new")
    both = Budgets(in_force(budgets=(hourly(1, hours=24), narrow)), day.journal)
    both._counted = first._counted
    assert word(await day.judged(both, "put off")) is Decision.WAIT
    assert await let_through(day, guard(day, hourly(1, hours=24)), 1) == 0
    await day.end(both, "put off", Outcome.DENIED)
    assert await let_through(day, guard(day, hourly(1, hours=24)), 1) == 1


async def test_an_account_that_nobody_knows_is_not_changed() -> None:
    day = Day()
    budgets = guard(day, hourly(1, where=Where(ous=("Prod",))))
    verdict = await day.judged(budgets, step=a_step(facts=NOTHING_KNOWN))
    assert verdict is not None
    assert verdict.decision is Decision.UNREACHABLE
    assert "the OUs of account 222233334444 could not be looked up" in verdict.why
    assert "budgets (rules.yaml line 7)" in verdict.why
    assert day.journal.calls == []


async def test_a_journal_that_is_away_lets_nothing_through_and_costs_one_place_at_most() -> None:
    day = Day()
    budgets = guard(day, hourly(2), hourly(2, name="other"))
    day.journal.away = {"tally 1"}
    for _ in range(5):
        with pytest.raises(JournalUnwritable):
            await day.judged(budgets)
    day.journal.away = set()
    assert await let_through(day, budgets, 3) == 2


async def test_the_first_budget_is_counted_once_while_the_second_cannot_be_written() -> None:
    day = Day()
    budgets = guard(day, hourly(2), hourly(2, name="other"))

    class Half(type(day.journal)):  # type: ignore[misc]
        async def tally(self, name: str, add: int, *, until: datetime) -> int:
            if "other" in name:
                raise JournalUnwritable("half of it is away")
            return int(await super().tally(name, add, until=until))

    half = Budgets(in_force(budgets=(hourly(2), hourly(2, name="other"))), Half(day.clock))
    for _ in range(5):
        with pytest.raises(JournalUnwritable):
            await day.judged(half)
    await day.end(half, outcome=Outcome.FAILED, changed=False)
    assert await let_through(day, budgets, 3) == 2


async def test_runs_that_never_end_are_forgotten_and_stay_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_COUNTED", 2)
    day = Day()
    budgets = guard(day, hourly(3))
    for run_id in ("a", "b", "c"):
        assert await day.judged(budgets, run_id) is None
    for run_id in ("a", "b", "c"):
        await day.end(budgets, run_id, Outcome.DENIED)
    assert await let_through(day, budgets, 9) == 2


async def test_runs_that_have_to_wait_take_no_memory() -> None:
    day = Day()
    budgets = guard(day, hourly(0))
    assert await let_through(day, budgets, 9) == 0
    assert budgets._counted == {}


async def test_a_name_that_no_store_would_take_is_counted_all_the_same() -> None:
    day = Day()
    budgets = guard(day, hourly(1, name="\ud800" * 500))
    assert await let_through(day, budgets, 2) == 1


@given(
    st.integers(0, 7_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24]),
)
def test_a_period_begins_with_the_day_and_holds_its_time(now: datetime, hours: int) -> None:
    starts, ends = period(now, hours)
    assert starts <= now < ends
    assert ends - starts == timedelta(hours=hours)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    assert (starts - midnight) % timedelta(hours=hours) == timedelta(0)


async def test_those_who_wait_are_spread_over_the_coming_periods() -> None:
    journal = MemoryJournal(now=lambda: NOW)
    guard = Budgets(in_force(budgets=(Budget(line=1, comment="c", name="b", changes=2),)), journal)
    untils = []
    for number in range(9):
        step = replace(a_step(), run_id=f"r{number}")
        found = await guard.judge_change(a_proposal(step))
        untils.append(found.until if found else None)
    hour = timedelta(hours=1)
    ends = NOW + hour
    assert untils == [None, None, ends, ends, *[ends + hour] * 2, *[ends + 2 * hour] * 2, ends + 3 * hour]
