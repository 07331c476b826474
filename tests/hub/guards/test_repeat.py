"""A finding that comes again while its step waits does not wait twice, and nothing that got lost blocks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.errors import JournalUnwritable
from hub.guards.repeat import Repeat, waits
from hub.journals import Note
from hub.model import Action, Decision, Outcome, Step, Verdict
from tests.hub.guards.changes import Day
from tests.hub.guards.steps import NOW, a_step, word
from tests.hub.journals.stores import a_run

UNTIL = NOW + timedelta(days=7)
PERSON = Verdict(
    decision=Decision.WAIT, guard="approval", why="destructive ones\nneed a person", expires_at=UNTIL
)


async def waiting(
    day: Day,
    run_id: str = "first",
    step: Step | None = None,
    verdict: Verdict = PERSON,
    outcome: Outcome = Outcome.WAITING,
) -> None:
    until = verdict.until or UNTIL
    await day.journal.keep(Note(name=f"waiting/{run_id}", body={}, until=until, shelf="waiting"))
    await day.journal.close(a_run(run_id, outcome=outcome, closed_at=NOW))
    await waits(day.journal, replace(step or a_step(), run_id=run_id), run_id, until, verdict)


def again(**given: Any) -> Step:
    """The same finding, reported anew."""
    step = a_step()
    return replace(step, **({"finding": replace(step.finding, occurrence="later")} | given))


async def test_what_waits_for_a_person_is_not_announced_again() -> None:
    day = Day()
    await waiting(day)
    assert await day.judged(Repeat(day.journal), "again", step=again()) == Verdict(
        decision=Decision.REFUSE,
        guard="repeat",
        why="this finding waits already, as run first (destructive ones need a person); `hub approve first "
        "--because ...` lets it go on, until 2026-12-06 12:00 UTC",
    )


async def test_what_waits_for_a_moment_says_for_which() -> None:
    day = Day()
    await waiting(day, verdict=replace(PERSON, why="the window is shut", until=NOW + timedelta(hours=3)))
    verdict = await day.judged(Repeat(day.journal), "again", step=again())
    assert verdict is not None
    assert verdict.why == (
        "this finding waits already, as run first (the window is shut); it is asked again at 2026-11-29 15:00 UTC"
    )


@pytest.mark.parametrize(
    "other",
    [
        again(finding=replace(a_step().finding, key="another")),
        again(action=Action(bot="s3_enable_versioning", args=("x",))),
        again(action=Action(bot="s3_enable_versioning", suggested_policy="{}")),
        replace(a_step(bot="s3_block_all_public_access"), finding=again().finding),
        again().at("another"),
        a_step(account="333344445555"),
    ],
)
async def test_another_finding_bot_parameter_or_resource_is_no_repeat(other: Step) -> None:
    day = Day()
    await waiting(day)
    assert await day.judged(Repeat(day.journal), "again", step=other) is None


async def test_the_run_that_goes_on_with_it_is_not_refused_nor_the_waiting_one_itself() -> None:
    day = Day()
    await waiting(day)
    assert await day.judged(Repeat(day.journal), "resumed", step=again(resumes="first")) is None
    assert await day.judged(Repeat(day.journal), "first") is None
    assert (
        word(await day.judged(Repeat(day.journal), "third", step=again(resumes="second"))) is Decision.REFUSE
    )


async def test_nothing_waits_after_its_time() -> None:
    day = Day()
    await waiting(day)
    day.clock.time = UNTIL
    assert await day.judged(Repeat(day.journal), "again", step=again()) is None


async def test_what_is_not_on_the_shelf_any_more_blocks_nothing() -> None:
    day = Day()
    await waiting(day)
    note = await day.journal.note("waiting/first")
    assert note is not None
    assert await day.journal.drop(note)
    assert await day.judged(Repeat(day.journal), "again", step=again()) is None


async def test_a_run_that_ended_otherwise_blocks_nothing() -> None:
    day = Day()
    await waiting(day, outcome=Outcome.FIXED)
    assert await day.judged(Repeat(day.journal), "again", step=again()) is None


async def test_a_run_that_was_cut_off_before_it_was_closed_blocks_nothing() -> None:
    day = Day()
    await waits(day.journal, a_step(), "first", UNTIL, PERSON)
    await day.journal.keep(Note(name="waiting/first", body={}, until=UNTIL, shelf="waiting"))
    assert await day.judged(Repeat(day.journal), "again", step=again()) is None


async def test_a_run_that_waits_again_takes_the_place_of_the_one_before() -> None:
    day = Day()
    await waiting(day)
    await waiting(day, "second", again(resumes="first"))
    verdict = await day.judged(Repeat(day.journal), "again", step=again())
    assert verdict is not None
    assert "as run second" in verdict.why


async def test_asking_writes_nothing_and_an_end_asks_nothing() -> None:
    day = Day()
    await day.judged(Repeat(day.journal))
    assert day.journal.calls == ["note"]
    await day.end(Repeat(day.journal))
    assert day.journal.calls == ["note"]


@pytest.mark.parametrize("body", [{}, {"run": "first", "why": "w"}])
async def test_a_damaged_note_and_a_journal_that_is_away_let_nothing_through(body: dict[str, str]) -> None:
    day = Day()
    await waiting(day)
    name = next(name for name in day.journal._notes if name.startswith("repeat/"))
    there = await day.journal.note(name)
    assert there is not None
    assert await day.journal.keep(replace(there, body=body))
    with pytest.raises(JournalUnwritable, match="is damaged"):
        await day.judged(Repeat(day.journal), "again", step=again())
    day.journal.away = {"note"}
    with pytest.raises(JournalUnwritable):
        await day.judged(Repeat(day.journal), "again", step=again())
