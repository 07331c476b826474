"""What one bot has to fix again and again is left to people, who are told who changes it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from bots._aws import Aws
from bots._bot import Target
from hub.errors import JournalUnwritable
from hub.guards import flapping as module
from hub.guards.flapping import Actor, Flapping
from hub.guards.resource_memory import Hold, Memory, Recall, recalled, remember
from hub.guards.taken_back import hold
from hub.model import Decision, Outcome
from hub.rules.guard_model import Flap, Where
from tests.hub.guards.changes import Day
from tests.hub.guards.steps import NOTHING_KNOWN, NOW, a_step, in_force, word

BOT = "s3_enable_versioning"
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Somebody:
    who: str
    what: str = "PutBucketVersioning"
    at: datetime = NOW


async def nobody(account: Aws, target: Target) -> Sequence[Actor]:
    return ()


def flap(times: int | None = 2, **given: Any) -> Flap:
    facts: dict[str, Any] = {"line": 9, "comment": "c", "times": times, "period": 6 * HOUR}
    return Flap(**(facts | given))


def guard(day: Day, *entries: Flap, actors: Any = nobody) -> Flapping:
    return Flapping(in_force(flaps=entries), Recall(day.journal), actors)


async def fixes(day: Day, flapping: Flapping, times: int, **given: Any) -> None:
    for _ in range(times):
        await day.end(flapping, **given)
        day.later(hours=1)


async def test_what_is_fixed_too_often_is_refused_and_escalated() -> None:
    day = Day()
    asked: list[Target] = []

    async def two(account: Aws, target: Target) -> Sequence[Actor]:
        asked.append(target)
        role = "arn:aws:sts::222233334444:assumed-role/Deploy/pipeline"
        return (Somebody(role, at=NOW + HOUR * 1.5), Somebody("ada", "DeleteBucket"))

    flapping = guard(day, flap(2), actors=two)
    await fixes(day, flapping, 1)
    assert await day.judged(flapping) is None
    assert asked == []
    await fixes(day, flapping, 1)
    verdict = await day.judged(flapping)
    assert verdict is not None
    assert verdict.decision is Decision.REFUSE
    assert verdict.guard == "flapping"
    assert verdict.why == (
        "needs a person: s3_enable_versioning has fixed data 2 times since 2026-11-29 12:00 UTC, the last time at "
        "2026-11-29 13:00 UTC, and something changes it back; last changed by "
        "arn:aws:sts::222233334444:assumed-role/Deploy/pipeline (PutBucketVersioning at 2026-11-29 13:30 UTC), ada "
        "(DeleteBucket at 2026-11-29 12:00 UTC); it is not fixed again before 2026-11-29 18:00 UTC by flapping "
        "(rules.yaml line 9): have whoever changes it stop, or allow more there"
    )
    assert [target.id for target in asked] == ["data"]
    day.clock.time = NOW + 6 * HOUR
    assert await day.judged(flapping) is None


async def test_without_cloudtrail_it_is_refused_all_the_same() -> None:
    day = Day()
    flapping = guard(day, flap(1))
    await fixes(day, flapping, 1)
    verdict = await day.judged(flapping)
    assert verdict is not None
    assert "last changed by somebody CloudTrail does not tell of" in verdict.why


async def test_strangers_words_are_kept_short() -> None:
    day = Day()

    async def many(account: Aws, target: Target) -> Sequence[Actor]:
        return [Somebody("a\nb" + "x" * 5000) for _ in range(9)]

    flapping = guard(day, flap(1), actors=many)
    await fixes(day, flapping, 1)
    verdict = await day.judged(flapping)
    assert verdict is not None
    assert len(verdict.why) < 1500
    assert verdict.why.count("PutBucketVersioning") == 3
    assert verdict.why.isprintable()


async def test_without_an_entry_five_fixes_in_a_day_are_too_many() -> None:
    day = Day()
    flapping = guard(day)
    await fixes(day, flapping, 4)
    assert await day.judged(flapping) is None
    await fixes(day, flapping, 1)
    verdict = await day.judged(flapping)
    assert verdict is not None
    assert "flapping (by default)" in verdict.why


async def test_the_first_entry_that_fits_decides_and_may_allow_any_number() -> None:
    day = Day()
    entries = (flap(1, where=Where(regions=("us-*",))), flap(None, where=Where(bots=("s3_*",))), flap(1))
    flapping = guard(day, *entries)
    await fixes(day, flapping, 7)
    assert await day.judged(flapping) is None
    assert day.journal.calls == []


@pytest.mark.parametrize(
    ("outcome", "changed"), [(Outcome.FIXED, False), (Outcome.UNPROVEN, True), (Outcome.RESTORED, True)]
)
async def test_only_proven_changes_count(outcome: Outcome, changed: bool) -> None:
    day = Day()
    flapping = guard(day, flap(1))
    await day.end(flapping, outcome=outcome, changed=changed)
    assert await day.judged(flapping) is None
    assert day.journal.writes() == []


async def test_bots_and_resources_are_counted_apart() -> None:
    day = Day()
    flapping = guard(day, flap(1))
    await fixes(day, flapping, 1)
    assert await day.judged(flapping, step=a_step(bot="s3_block_all_public_access")) is None
    assert await day.judged(flapping, step=a_step().at("other")) is None
    await fixes(day, flapping, 1, step=a_step(bot="s3_block_all_public_access"))
    for bot in (BOT, "s3_block_all_public_access"):
        assert word(await day.judged(flapping, step=a_step(bot=bot))) is Decision.REFUSE


async def test_the_region_counts_where_the_look_found_the_resource() -> None:
    day = Day()
    flapping = guard(day, flap(1, where=Where(regions=("us-*",))))
    await fixes(day, flapping, 1, region="us-east-1")
    assert word(await day.judged(flapping, region="us-east-1")) is Decision.REFUSE
    assert await day.judged(flapping) is None


async def test_a_fix_told_twice_counts_once() -> None:
    day = Day()
    flapping = guard(day, flap(2))
    await day.end(flapping)
    await day.end(flapping)
    assert await day.judged(flapping) is None


async def test_a_plan_is_told_the_same_and_writes_nothing() -> None:
    day = Day()
    flapping = guard(day, flap(1))
    await fixes(day, flapping, 1)
    writes = day.journal.writes()
    assert word(await day.judged(flapping, only_asked=True)) is Decision.REFUSE
    assert day.journal.writes() == writes


async def test_no_more_is_kept_than_can_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    day = Day()
    flapping = guard(day, flap(3))
    until = NOW + HOUR
    await hold(day.journal, lane=a_step().lane, bot="other", until=until, by="ada", because="so", at=NOW)
    await fixes(day, flapping, 1)
    assert (await recalled(day.journal, a_step().lane)).memory.holds == {
        "other": Hold(by="ada", because="so", at=NOW, until=until)
    }
    await fixes(day, flapping, 4)
    kept = (await recalled(day.journal, a_step().lane)).memory
    assert kept == Memory(fixed={BOT: (NOW + 2 * HOUR, NOW + 3 * HOUR, NOW + 4 * HOUR)})
    day.later(hours=4)
    await fixes(day, flapping, 1)
    kept = (await recalled(day.journal, a_step().lane)).memory
    assert kept.fixed == {BOT: (NOW + 4 * HOUR, NOW + 9 * HOUR)}
    monkeypatch.setattr(module, "MOST_KEPT", 1)
    verdict = await day.judged(guard(day, flap(100)))
    assert word(verdict) is Decision.REFUSE


async def test_what_was_kept_for_a_looser_entry_is_judged_by_the_stricter_one() -> None:
    day = Day()
    await fixes(day, guard(day, flap(5)), 3)
    verdict = await day.judged(guard(day, flap(2)))
    assert verdict is not None
    assert "3 times since" in verdict.why
    # The second of the last two has to be out of the period.
    assert "not fixed again before 2026-11-29 19:00 UTC" in verdict.why


@pytest.mark.parametrize(
    ("somewhere", "everywhere", "decision"),
    [
        (5, 5, None),
        (2, 5, Decision.UNREACHABLE),
        (5, 2, Decision.UNREACHABLE),
        (None, 2, Decision.UNREACHABLE),
        (2, 2, Decision.REFUSE),
        (None, None, None),
    ],
)
async def test_what_entries_differ_about_is_refused_until_it_is_known_which_one_counts(
    somewhere: int | None, everywhere: int | None, decision: Decision | None
) -> None:
    day = Day()
    await fixes(day, guard(day, flap(5)), 3)
    flapping = guard(day, flap(somewhere, where=Where(ous=("Prod",))), flap(everywhere, line=10))
    verdict = await day.judged(flapping, step=a_step(facts=NOTHING_KNOWN))
    assert word(verdict) is decision


async def test_a_journal_that_is_away_lets_nothing_through() -> None:
    day = Day()
    flapping = guard(day)
    day.journal.away = {"note"}
    with pytest.raises(JournalUnwritable):
        await day.judged(flapping)
    with pytest.raises(JournalUnwritable):
        await day.end(flapping)


async def test_what_people_hold_outlives_fixes() -> None:
    day = Day()
    flapping = guard(day, flap(1))
    until = NOW + 100 * HOUR
    await remember(
        day.journal,
        a_step().lane,
        lambda _: Memory(holds={BOT: Hold(by="a", because="b", at=NOW, until=until)}),
        until=until,
    )
    await fixes(day, flapping, 1)
    day.later(hours=90)
    assert BOT in (await recalled(day.journal, a_step().lane)).memory.holds
