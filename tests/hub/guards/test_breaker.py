"""After failures in a row nothing is changed for a while, and then exactly one try decides."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.errors import JournalUnwritable
from hub.guards.breaker import KEPT, TRY, Breakers
from hub.journals import Note
from hub.model import Decision, Outcome, Verdict
from hub.rules.guard_model import Breaker, Where
from tests.hub.guards.changes import Day
from tests.hub.guards.steps import NOTHING_KNOWN, NOW, a_step, in_force, word

PAUSE = timedelta(hours=2)
FAILED = tuple(outcome for outcome in Outcome if not outcome.well)
PASSED = (Outcome.FIXED, Outcome.COMPLIANT, Outcome.RESTORED)
NEITHER = tuple(outcome for outcome in Outcome if outcome.well and outcome not in PASSED)


def an_entry(failures: int = 3, **given: Any) -> Breaker:
    facts: dict[str, Any] = {
        "line": 4,
        "comment": "c",
        "name": "careful",
        "failures": failures,
        "pause": PAUSE,
    }
    return Breaker(**(facts | given))


def guard(day: Day, *entries: Breaker) -> Breakers:
    return Breakers(in_force(breakers=entries or (an_entry(),)), day.journal)


async def opened(day: Day, breakers: Breakers, failures: int = 3) -> None:
    for n in range(failures):
        await day.end(breakers, f"bad{n}", Outcome.DENIED, message=f"s3:PutBucketVersioning\nno. {n}")


async def test_after_failures_in_a_row_nothing_is_changed_and_people_read_why() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers, 2)
    assert await day.judged(breakers) is None
    day.later(minutes=5)
    await day.end(breakers, "bad2", Outcome.DENIED, message="s3:PutBucketVersioning\nis not allowed")
    day.later(minutes=5)
    assert await day.judged(breakers) == Verdict(
        decision=Decision.WAIT,
        guard="breaker",
        why="breaker careful of breakers (rules.yaml line 4) is open for account 222233334444, bot "
        "s3_enable_versioning after 3 failures in a row, the last at 2026-11-29 12:05 UTC (run bad2 denied: "
        "s3:PutBucketVersioning is not allowed); nothing is changed until 2026-11-29 14:05 UTC, then one try decides "
        "whether changes go on; the step goes on by itself, but only if the cause is mended by then",
        until=NOW + timedelta(minutes=5) + PAUSE,
    )


@pytest.mark.parametrize("outcome", FAILED)
async def test_what_leaves_something_to_worry_about_is_a_failure(outcome: Outcome) -> None:
    day = Day()
    breakers = guard(day, an_entry(1))
    await day.end(breakers, outcome=outcome)
    assert word(await day.judged(breakers)) is Decision.WAIT


def test_the_failures_are_those_that_are_meant() -> None:
    meant = "failed denied unproven interrupted throttled unreachable invalid"
    assert {str(outcome) for outcome in FAILED} == set(meant.split())
    assert {str(outcome) for outcome in NEITHER} == {"would-fix", "waiting", "refused", "gone"}


@pytest.mark.parametrize("outcome", PASSED)
async def test_a_success_ends_the_row(outcome: Outcome) -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers, 2)
    await day.end(breakers, "good", outcome)
    await opened(day, breakers, 2)
    assert await day.judged(breakers) is None


@pytest.mark.parametrize("outcome", NEITHER)
async def test_what_tells_nothing_neither_counts_nor_ends_the_row(outcome: Outcome) -> None:
    day = Day()
    breakers = guard(day)
    await day.end(breakers, "first", outcome)
    await opened(day, breakers, 2)
    await day.end(breakers, "odd", outcome)
    assert await day.judged(breakers) is None
    await opened(day, breakers, 1)
    assert word(await day.judged(breakers)) is Decision.WAIT


async def test_nothing_is_written_while_all_goes_well() -> None:
    day = Day()
    breakers = guard(day)
    for _ in range(3):
        assert await day.judged(breakers) is None
        await day.end(breakers)
    assert day.journal.writes() == []


async def test_an_open_breaker_is_written_to_no_more() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers, 3)
    day.journal.calls.clear()
    await day.end(breakers, "late", Outcome.DENIED)
    await day.end(breakers, "late too", Outcome.FIXED)
    assert day.journal.writes() == []
    assert word(await day.judged(breakers)) is Decision.WAIT


async def test_when_the_pause_is_over_one_step_tries_and_the_others_wait() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers)
    day.clock.time = NOW + PAUSE
    assert await day.judged(breakers, "try") is None
    other = await day.judged(guard(day), "other")
    assert other is not None
    assert other.decision is Decision.WAIT
    assert other.until == NOW + PAUSE + TRY
    assert "run try tries now whether changes work again" in other.why
    # The one that tries may be asked again.
    assert await day.judged(breakers, "try") is None


async def test_a_try_that_works_closes_the_breaker() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers)
    day.clock.time = NOW + PAUSE
    await day.judged(breakers, "try")
    await day.end(breakers, "try")
    assert await day.judged(breakers, "other") is None
    await opened(day, breakers, 2)
    assert await day.judged(breakers, "other") is None


async def test_a_try_that_fails_opens_it_anew_at_once() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers)
    day.clock.time = NOW + PAUSE
    await day.judged(breakers, "try")
    day.later(minutes=1)
    await day.end(breakers, "try", Outcome.UNPROVEN)
    verdict = await day.judged(breakers, "other")
    assert verdict is not None
    assert verdict.until == NOW + PAUSE + timedelta(minutes=1) + PAUSE
    assert "after 4 failures in a row" in verdict.why


async def test_a_try_that_fails_opens_it_anew_although_the_rules_allow_more_failures_by_now() -> None:
    day = Day()
    await opened(day, guard(day))
    looser = guard(day, an_entry(10))
    day.clock.time = NOW + PAUSE
    await day.judged(looser, "try")
    await day.end(looser, "try", Outcome.FAILED)
    assert word(await day.judged(looser, "other")) is Decision.WAIT


async def test_a_try_that_tells_nothing_leaves_it_to_the_next() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers)
    day.clock.time = NOW + PAUSE
    await day.judged(breakers, "try")
    await day.end(breakers, "try", Outcome.GONE)
    assert await day.judged(breakers, "next") is None
    assert word(await day.judged(breakers, "other")) is Decision.WAIT


async def test_a_try_whose_worker_died_is_anothers_after_a_while() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers)
    day.clock.time = NOW + PAUSE
    await day.judged(breakers, "dead")
    day.later(seconds=TRY.total_seconds())
    assert await day.judged(breakers, "next") is None
    # What the first one says now decides nothing any more.
    await day.end(breakers, "dead")
    assert word(await day.judged(breakers, "other")) is Decision.WAIT


async def test_a_plan_takes_no_try() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers)
    assert word(await day.judged(breakers, only_asked=True)) is Decision.WAIT
    day.clock.time = NOW + PAUSE
    day.journal.calls.clear()
    assert await day.judged(breakers, only_asked=True) is None
    assert day.journal.writes() == []


async def test_a_try_is_not_taken_while_another_breaker_holds_the_step_back() -> None:
    day = Day()
    slow = an_entry(1, name="slow", pause=PAUSE * 2)
    both = guard(day, an_entry(1), slow)
    await day.end(both, outcome=Outcome.FAILED)
    day.clock.time = NOW + PAUSE
    verdict = await day.judged(both, "try")
    assert verdict is not None
    assert verdict.until == NOW + PAUSE * 2
    assert await day.judged(guard(day, an_entry(1)), "other") is None


@pytest.mark.parametrize(
    ("each", "others", "decision"),
    [
        (("account", "bot"), {"account": "333344445555"}, None),
        (("account", "bot"), {"bot": "s3_block_all_public_access"}, None),
        (("account", "bot"), {"region": "us-east-1"}, Decision.WAIT),
        (("region",), {"region": "us-east-1"}, None),
        ((), {"account": "333344445555", "region": "us-east-1"}, Decision.WAIT),
    ],
)
async def test_failures_are_counted_apart_for_each(each: Any, others: Any, decision: Decision | None) -> None:
    day = Day()
    breakers = guard(day, an_entry(1, each=each))
    await day.end(breakers, outcome=Outcome.FAILED)
    assert word(await day.judged(breakers, step=a_step(**others))) is decision


async def test_a_breaker_of_everything_says_so() -> None:
    day = Day()
    breakers = guard(day, an_entry(1, each=()))
    await day.end(breakers, outcome=Outcome.FAILED)
    verdict = await day.judged(breakers)
    assert verdict is not None
    assert "is open for all changes after 1 failures" in verdict.why


async def test_a_breaker_for_others_says_and_counts_nothing() -> None:
    day = Day()
    breakers = guard(day, an_entry(1, where=Where(regions=("us-*",))))
    await day.end(breakers, outcome=Outcome.FAILED)
    assert await day.judged(breakers) is None
    assert day.journal.calls == []


async def test_an_account_that_nobody_knows_is_not_changed() -> None:
    day = Day()
    verdict = await day.judged(
        guard(day, an_entry(where=Where(ous=("Prod",)))), step=a_step(facts=NOTHING_KNOWN)
    )
    assert verdict is not None
    assert verdict.decision is Decision.UNREACHABLE
    assert "breakers (rules.yaml line 4)" in verdict.why


async def test_failures_of_long_ago_are_forgotten() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers, 2)
    day.later(seconds=KEPT.total_seconds())
    await opened(day, breakers, 1)
    assert await day.judged(breakers) is None


async def test_a_journal_that_is_away_or_damaged_lets_nothing_through() -> None:
    day = Day()
    breakers = guard(day)
    await opened(day, breakers)
    for away in ("note", "keep"):
        day.clock.time = NOW + PAUSE
        day.journal.away = {away}
        with pytest.raises(JournalUnwritable):
            await day.judged(breakers)
    day.journal.away = set()
    name = "breaker/careful/account 222233334444/bot s3_enable_versioning"
    there = await day.journal.note(name)
    assert there is not None
    for body in ({}, {**there.body, "last_at": "once"}, {**there.body, "open_until": 5}):
        there = await day.journal.keep(Note(name=name, body=body, until=there.until, version=there.version))
        assert there is not None
        with pytest.raises(JournalUnwritable, match="is damaged"):
            await day.judged(breakers)
