"""What a step that waited goes through when it is taken up: dry runs, deaths, passing errors, void yeses."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub import flow
from hub.errors import PutOff, SpokeThrottled
from hub.flow import answering, waiting
from hub.flow.kit import Kit
from hub.flow.resume import body_for, resumed_id
from hub.flow.undo import Wish, undo
from hub.guards.approval import Approval
from hub.journals import Query
from hub.model import Answer, Message, Outcome, Run
from hub.rules.guard_model import Freeze, GuardRules
from hub.sweep import ready, sweep
from tests.hub.flow.world import BAD, EPOCH, GOOD, HALF, LEASE_SECONDS, Dead, Life, Worker, World
from tests.virtual_time import VirtualLoop, run

ADA = "arn:aws:sts::111122223333:assumed-role/Security/ada"
FEAST = GuardRules(
    freezes=(Freeze(line=2, comment="a feast", starts=EPOCH, ends=EPOCH + timedelta(hours=6)),)
)
Story = Callable[[World, Kit], Coroutine[Any, Any, None]]


def told(story: Story) -> None:
    """A story in a world of its own, with one worker that lives."""
    loop = VirtualLoop()

    async def begin() -> None:
        world = World(loop)
        async with Worker(world, Life()) as worker:
            await story(world, worker.kit)
        assert world.wrong == []

    run(loop, begin())


async def only(kit: Kit, message: Message) -> Run:
    done = await flow.settle(kit, message)
    assert done.report is not None, done.why
    [found] = done.report.runs
    return found


async def asked(world: World, kit: Kit, thing: str = "one") -> Run:
    """A run that waits for a person."""
    found = await only(kit, world.message("wipe", thing, 1))
    assert found.outcome is Outcome.WAITING
    return found


async def say(kit: Kit, run_id: str, *, approved: bool = True) -> None:
    waits = await waiting.read(kit.journal, run_id)
    assert waits is not None
    said = Answer(
        approved=approved, by=ADA, because="so it is", at=kit.now(), requested_by=waits.requested_by
    )
    assert await waiting.write(kit.journal, replace(waits, answer=said))


async def go_on(kit: Kit, run_id: str) -> Run:
    return await only(kit, Message(body=body_for(run_id)))


async def why_not(kit: Kit, run_id: str) -> str:
    done = await flow.settle(kit, Message(body=body_for(run_id)))
    assert done.report is None
    return done.why


def test_a_hub_in_dry_run_leaves_what_waits_waiting() -> None:
    async def story(world: World, kit: Kit) -> None:
        waits = await asked(world, kit)
        await say(kit, waits.run_id)
        dry = replace(kit, settings=kit.settings.model_copy(update={"dry_run": True}))
        assert await sweep(dry) == 0
        assert "waits on" in await why_not(dry, waits.run_id)
        assert (await go_on(kit, waits.run_id)).outcome is Outcome.FIXED

    told(story)


class Busy:
    """Accounts that nobody gets into for now."""

    async def enter(self, *_: object, **__: object) -> None:
        raise SpokeThrottled("STS is busy", service="sts", region="us-east-1")


def busy(kit: Kit) -> Kit:
    return replace(kit, accounts=Busy())  # type: ignore[arg-type]


def test_a_passing_error_does_not_spend_a_yes() -> None:
    async def story(world: World, kit: Kit) -> None:
        waits = await asked(world, kit)
        await say(kit, waits.run_id)
        throttled = await go_on(busy(kit), waits.run_id)
        assert (throttled.outcome, throttled.run_id) == (Outcome.THROTTLED, resumed_id(waits.run_id))
        assert "waits still" in await why_not(kit, waits.run_id)
        later = replace(kit, now=lambda: world.now() + timedelta(minutes=15))
        assert [each.run_id async for each in ready(later)] == [waits.run_id]
        done = await go_on(later, waits.run_id)
        assert (done.outcome, done.run_id) == (Outcome.FIXED, resumed_id(waits.run_id, 1))
        assert done.approved_by == ADA

    told(story)


def test_after_some_tries_it_waits_no_more() -> None:
    async def story(world: World, kit: Kit) -> None:
        waits = await asked(world, kit)
        await say(kit, waits.run_id)
        for attempt in range(4):
            later = replace(busy(kit), now=_hours_later(world, attempt))
            assert (await go_on(later, waits.run_id)).outcome is Outcome.THROTTLED
        assert "does not wait any more" in await why_not(kit, waits.run_id)

    told(story)


def _hours_later(world: World, hours: int) -> Callable[[], datetime]:
    return lambda: world.now() + timedelta(hours=hours)


async def half_made(world: World, kit: Kit) -> Run:
    """A harmless fix that waited for the end of a freeze, was taken up, and waits for AWS half made."""
    world.guards = FEAST
    waits = await only(kit, world.message("mend", "one", 1))
    assert waits.outcome is Outcome.WAITING
    world.guards = GuardRules()
    world.stubborn = True
    later = replace(kit, now=lambda: EPOCH + timedelta(hours=7))
    with pytest.raises(PutOff):
        await go_on(later, waits.run_id)
    world.stubborn = False
    assert world.things["one"].value == HALF
    return waits


def test_what_is_half_made_is_finished_by_the_next_delivery() -> None:
    async def story(world: World, kit: Kit) -> None:
        waits = await half_made(world, kit)
        later = replace(kit, now=lambda: EPOCH + timedelta(hours=7))
        assert (await go_on(later, waits.run_id)).outcome is Outcome.FIXED

    told(story)


def test_one_yes_is_enough_for_a_change_in_stages() -> None:
    async def story(world: World, kit: Kit) -> None:
        waits = await asked(world, kit)
        await say(kit, waits.run_id)
        world.stubborn = True
        with pytest.raises(PutOff):
            await go_on(kit, waits.run_id)
        assert world.things["one"].value == HALF
        world.stubborn = False
        done = await go_on(kit, waits.run_id)
        assert (done.outcome, done.approved_by) == (Outcome.FIXED, ADA)

    told(story)


def test_nobody_can_answer_what_is_being_worked_on() -> None:
    async def story(world: World, kit: Kit) -> None:
        waits = await half_made(world, kit)
        with pytest.raises(answering.NotAnswered, match="is being worked on"):
            await answering.question(kit, waits.run_id)

    told(story)


def test_what_is_half_made_and_asked_for_no_more_ends_as_interrupted_and_can_be_undone() -> None:
    async def story(world: World, kit: Kit) -> None:
        waits = await half_made(world, kit)
        await say(kit, waits.run_id, approved=False)
        ended = await go_on(kit, waits.run_id)
        assert (ended.outcome, ended.changed) == (Outcome.INTERRUPTED, True)
        assert "an attempt that was cut off before may have changed it" in ended.message
        await undo(kit, ended.run_id, Wish())
        assert world.things["one"].value == BAD

    told(story)


def test_a_redelivery_of_the_finding_does_not_end_what_goes_on() -> None:
    async def story(world: World, kit: Kit) -> None:
        sent = world.message("mend", "one", 1)
        waits = await half_made(world, kit)
        kit.journal._journal._settled.clear()  # type: ignore[attr-defined]  # as if its worker had died before that
        again = await only(kit, replace(sent, again=True))
        assert again.run_id == waits.run_id
        [left] = [found async for found in kit.journal.runs(Query()) if found.outcome is None]
        assert left.resumes == waits.run_id

    told(story)


def test_a_yes_to_another_resource_is_void() -> None:
    async def story(world: World, kit: Kit) -> None:
        waits = await asked(world, kit)
        await say(kit, waits.run_id)
        elsewhere = replace(await stored(kit, waits.run_id), target_id="another")
        kit.journal._journal._write(elsewhere)  # type: ignore[attr-defined]
        again = await go_on(kit, waits.run_id)
        assert (again.outcome, again.approved_by) == (Outcome.WAITING, "")
        assert world.things["one"].value == BAD

    told(story)


async def stored(kit: Kit, run_id: str) -> Run:
    found = await kit.journal.get(run_id)
    assert found is not None
    return found


def test_a_yes_to_what_an_older_hub_has_shown_is_asked_for_anew() -> None:
    async def story(world: World, kit: Kit) -> None:
        waits = await asked(world, kit)
        await say(kit, waits.run_id)
        older = replace(await stored(kit, waits.run_id), before={"colour": "red"}, after=None)
        kit.journal._journal._write(older)  # type: ignore[attr-defined]
        assert (await go_on(kit, waits.run_id)).outcome is Outcome.WAITING

    told(story)


def test_after_a_death_in_mid_change_the_person_is_asked_anew_about_what_is_there_now() -> None:
    async def story(world: World, kit: Kit) -> None:
        waits = await asked(world, kit)
        await say(kit, waits.run_id)
        for calls in range(60):
            with contextlib.suppress(Dead):
                async with Worker(world, Life(calls)) as mortal:
                    await flow.settle(mortal.kit, Message(body=body_for(waits.run_id)))
            if world.things["one"].value == HALF:
                break
            await asyncio.sleep(LEASE_SECONDS * 2)
        assert world.things["one"].value == HALF
        await asyncio.sleep(LEASE_SECONDS * 2)
        again = await go_on(kit, waits.run_id)
        assert again.outcome is Outcome.WAITING
        await say(kit, again.run_id)
        assert (await go_on(kit, again.run_id)).outcome is Outcome.FIXED
        assert world.things["one"].value == GOOD

    told(story)


def test_a_note_of_an_attempt_that_died_is_written_over() -> None:
    async def story(world: World, kit: Kit) -> None:
        sent = world.message("wipe", "one", 1)
        found = await only(kit, sent)
        note = await waiting.read(kit.journal, found.run_id)
        assert note is not None
        assert note.due_at is None
        del kit.journal._journal._runs[found.run_id]  # type: ignore[attr-defined]
        kit.journal._journal._settled.clear()  # type: ignore[attr-defined]
        assert await waiting.write(
            kit.journal, replace(note, due_at=EPOCH + timedelta(days=1), expires_at=None)
        )
        await only(kit, replace(sent, again=True))
        again = await waiting.read(kit.journal, found.run_id)
        assert again is not None
        assert again.due_at is None
        assert again.expires_at is not None

    told(story)


def test_a_plan_tells_nobody_to_approve_what_does_not_wait() -> None:
    async def story(world: World, kit: Kit) -> None:
        [seen] = await flow.preview(kit, world.message("wipe", "one", 1))
        [word] = [each.why for each in seen.verdicts or () if each.guard == Approval.name]
        assert "wipe is destructive" in word
        assert "hub approve" not in word

    told(story)


def test_those_nobody_has_told_of_come_first() -> None:
    async def story(world: World, kit: Kit) -> None:
        first, second = await asked(world, kit), await asked(world, kit, "two")
        for waits in (first, second):
            await say(kit, waits.run_id)
        told_before = await waiting.read(kit.journal, first.run_id)
        assert told_before is not None
        sent = replace(told_before, sent_at=world.now() - timedelta(hours=1))
        assert await waiting.write(kit.journal, sent)
        assert await sweep(kit) == 2
        assert [report.runs[0].resumes for report in world.reports[-2:]] == [second.run_id, first.run_id]

    told(story)


def test_what_is_in_the_journal_no_more_is_not_looked_for_for_ever() -> None:
    async def story(world: World, kit: Kit) -> None:
        waits = await asked(world, kit)
        await say(kit, waits.run_id)
        del kit.journal._journal._runs[waits.run_id]  # type: ignore[attr-defined]
        assert [each async for each in ready(kit)] == []
        assert await waiting.read(kit.journal, waits.run_id) is not None, "its finding may come again"
        later = replace(kit, now=lambda: world.now() + timedelta(days=1, seconds=1))
        assert [each async for each in ready(later)] == []
        assert await waiting.read(kit.journal, waits.run_id) is None

    told(story)


def test_a_planned_step_that_had_to_wait_is_carried_out_only_on_what_was_planned_for() -> None:
    async def story(world: World, kit: Kit) -> None:
        after = replace(kit, now=lambda: EPOCH + timedelta(hours=7))
        for thing, changed, outcome in (("one", False, Outcome.FIXED), ("two", True, Outcome.REFUSED)):
            world.guards = FEAST
            waits = await only(kit, world.message("mend", thing, 1))
            world.guards = GuardRules()
            note = await waiting.read(kit.journal, waits.run_id)
            assert note is not None
            assert not note.planned
            assert await waiting.write(kit.journal, replace(note, planned=True))
            world.things[thing].shade += changed
            done = await go_on(after, waits.run_id)
            assert done.outcome is outcome
            assert ("plan anew" in done.message) is changed

    told(story)
