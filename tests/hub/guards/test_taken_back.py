"""What a person took back stays so, until that person's time is over or somebody lifts it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.errors import JournalUnwritable
from hub.guards.resource_memory import Hold, Recall, recalled
from hub.guards.taken_back import TakenBack, hold, lift
from hub.model import Answer, Decision
from tests.hub.guards.changes import Day
from tests.hub.guards.steps import NOW, a_step, word

ADA = "arn:aws:sts::111122223333:assumed-role/Security/ada"
BOT = "s3_enable_versioning"
LANE = a_step().lane
UNTIL = NOW + timedelta(days=7)


def guard(day: Day) -> TakenBack:
    return TakenBack(Recall(day.journal))


async def held(day: Day, *, until: datetime = UNTIL, because: str = "the backup\nneeds it off") -> None:
    await hold(day.journal, lane=LANE, bot=BOT, until=until, by=ADA, because=because, at=day.clock())


async def test_it_is_refused_with_who_when_why_until_when_and_how_to_lift_it() -> None:
    day = Day()
    await held(day)
    day.later(hours=5)
    verdict = await day.judged(guard(day))
    assert verdict is not None
    assert verdict.decision is Decision.REFUSE
    assert verdict.guard == "taken back"
    assert verdict.why == (
        f"{ADA} took back what s3_enable_versioning did here, at 2026-11-29 12:00 UTC because "
        '"the backup needs it off", so it is not done again before 2026-12-06 12:00 UTC; to have it done sooner: '
        "`hub lift 222233334444/AWS::S3::Bucket/data s3_enable_versioning`"
    )


async def test_when_the_time_is_over_it_is_fixed_again() -> None:
    day = Day()
    await held(day)
    await hold(
        day.journal, lane=LANE, bot="other", until=UNTIL + timedelta(days=1), by=ADA, because="b", at=NOW
    )
    day.clock.time = UNTIL - timedelta(seconds=1)
    assert word(await day.judged(guard(day))) is Decision.REFUSE
    # The note is still there, for the other bot.
    day.clock.time = UNTIL
    assert await day.judged(guard(day)) is None


async def test_only_that_bot_is_kept_off_only_that_resource() -> None:
    day = Day()
    await held(day)
    assert await day.judged(guard(day), step=a_step().at("other")) is None
    assert await day.judged(guard(day), step=a_step(bot="s3_block_all_public_access")) is None


async def test_lifting_ends_it_and_tells_what_was_held() -> None:
    day = Day()
    await held(day, because="so")
    expected = Hold(by=ADA, because="so", at=NOW, until=UNTIL)
    assert await lift(day.journal, lane=LANE, bot="other") is None
    assert await lift(day.journal, lane=LANE, bot=BOT) == expected
    assert await day.judged(guard(day)) is None
    assert await lift(day.journal, lane=LANE, bot=BOT) is None


async def test_the_last_word_counts() -> None:
    day = Day()
    await held(day)
    await held(day, until=NOW + timedelta(hours=1), because="sooner")
    day.later(hours=1)
    assert await day.judged(guard(day)) is None


async def test_an_approval_does_not_lift_it() -> None:
    day = Day()
    await held(day)
    answer = Answer(approved=True, by="arn:aws:sts::111122223333:assumed-role/Ops/bob", because="ok", at=NOW)
    approved = replace(a_step(), answer=answer, resumes="r0")
    assert word(await day.judged(guard(day), step=approved)) is Decision.REFUSE


async def test_it_is_said_now_where_no_time_is_given() -> None:
    day = Day()
    before = datetime.now(UTC)
    await hold(day.journal, lane=LANE, bot=BOT, until=before + timedelta(days=9), by=ADA, because="b")
    assert before <= (await recalled(day.journal, LANE)).memory.holds[BOT].at <= datetime.now(UTC)


async def test_the_end_of_a_change_costs_nothing() -> None:
    day = Day()
    await day.end(guard(day))
    assert day.journal.calls == []


async def test_a_journal_that_is_away_lets_nothing_through() -> None:
    day = Day()
    day.journal.away = {"note"}
    with pytest.raises(JournalUnwritable):
        await day.judged(guard(day))
