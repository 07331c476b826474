"""What was taken back stays so for a while, an undo can be looked at first, and one that was cut off goes on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from bots._aws import AwsError
from hub import flow
from hub.flow.kit import Kit
from hub.flow.undo import Wish, preview_undo, undo
from hub.flow.way_back import NothingToUndo
from hub.guards.mode import Mode
from hub.guards.taken_back import lift
from hub.journals import Query
from hub.model import Outcome, Report, Run
from tests.hub.flow.world import (
    ACCOUNT,
    BAD,
    GOOD,
    HALF,
    LEASE_SECONDS,
    WORKER,
    Dead,
    Life,
    Thing,
    Worker,
    World,
)
from tests.virtual_time import VirtualLoop, run

PLAIN = Wish()
LANE = f"{ACCOUNT}/AWS::S3::Bucket/one"


@pytest.fixture
def world() -> World:
    return World(VirtualLoop())


def only(report: Report | None) -> Run:
    assert report is not None
    [found] = report.runs
    return found


async def settled(kit: Kit, world: World, number: int) -> Run:
    """A finding about ``one`` that comes for the so many-th time."""
    return only((await flow.settle(kit, world.message("mend", "one", number))).report)


async def taken_back(kit: Kit, world: World, wish: Wish) -> Run:
    """Fixed and undone."""
    fixed = await settled(kit, world, 1)
    back = only(await undo(kit, fixed.run_id, wish))
    assert back.outcome is Outcome.RESTORED
    assert world.things["one"].value == BAD
    return back


async def everything(world: World) -> list[Run]:
    return [each async for each in world.journal.runs(Query(limit=1000))]


def test_what_was_taken_back_is_not_done_again_for_seven_days_and_then_it_is(world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            # Told by the hub's clock alone, whatever the machine's says.
            at = world.now()
            await taken_back(worker.kit, world, Wish(because="it broke the shop"))
            until = at + timedelta(days=7)
            refused = await settled(worker.kit, world, 2)
            assert refused.outcome is Outcome.REFUSED
            assert refused.message == (
                f"{WORKER} took back what mend did here, at {at:%Y-%m-%d %H:%M} UTC because "
                f'"it broke the shop", so it is not done again before {until:%Y-%m-%d %H:%M} UTC; to have it '
                f"done sooner: `hub lift {LANE} mend`"
            )
        # Without a worker: it would renew its leases all the time.
        await asyncio.sleep((until - world.now()).total_seconds() - 1)
        async with Worker(world, Life()) as worker:
            assert (await settled(worker.kit, world, 3)).outcome is Outcome.REFUSED
            assert world.things["one"].value == BAD
            await asyncio.sleep(1)
            assert (await settled(worker.kit, world, 4)).outcome is Outcome.FIXED

    run(world.loop, work())


def test_what_was_taken_back_without_a_hold_is_fixed_again_by_the_next_finding(world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            await taken_back(worker.kit, world, Wish(hold=timedelta(0)))
            assert await lift(world.journal, lane=LANE, bot="mend") is None
            assert (await settled(worker.kit, world, 2)).outcome is Outcome.FIXED

    run(world.loop, work())


def test_what_was_lifted_is_fixed_again(world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            await taken_back(worker.kit, world, PLAIN)
            held = await lift(world.journal, lane=LANE, bot="mend")
            assert held is not None
            assert held.at == world.now()
            assert (await settled(worker.kit, world, 2)).outcome is Outcome.FIXED

    run(world.loop, work())


def test_an_undo_that_does_not_restore_holds_nothing(world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            fixed = await settled(worker.kit, world, 1)
            world.things["one"].shade = 7
            refused = only(await undo(worker.kit, fixed.run_id, PLAIN))
            assert refused.outcome is Outcome.REFUSED
            assert "would lose that (shade: 0 becomes 7)" in refused.message
            assert await lift(world.journal, lane=LANE, bot="mend") is None

    run(world.loop, work())


def test_a_preview_tells_what_would_come_of_it_and_leaves_everything_as_it_is(world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit, thing = worker.kit, world.things["one"]
            fixed = await settled(kit, world, 1)
            known, notes = await everything(world), dict(world.journal._notes)
            changes, reports = list(world.changes), list(world.reports)

            async def told(*, force: bool = False) -> tuple[Outcome | None, str]:
                found = await preview_undo(kit, fixed.run_id, Wish(force=force))
                return found.outcome, found.message

            assert await told() == (Outcome.WOULD_FIX, "would be put back: value: 2 becomes 0")
            thing.shade = 7
            outcome, words = await told()
            assert outcome is Outcome.REFUSED
            assert "undo would lose that (shade: 0 becomes 7)" in words
            assert "--force" in words
            assert await told(force=True) == (
                Outcome.WOULD_FIX,
                "would be put back: value: 2 becomes 0; shade: 7 becomes 0; "
                "lost is what somebody changed since the fix: shade: 0 becomes 7",
            )
            thing.value, thing.shade = BAD, 0
            assert await told() == (Outcome.RESTORED, "was as before already: the value is 0")
            assert await everything(world) == known
            assert world.journal._notes == notes
            assert (world.changes, world.reports) == (changes, reports)

    run(world.loop, work())


def test_a_dry_run_of_a_forced_undo_tells_what_would_be_lost_too(world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            fixed = await settled(worker.kit, world, 1)
            world.things["one"].shade = 7
            dry = (Mode(lambda: world.guards, dry_run=True),)
            told = await preview_undo(replace(worker.kit, undo_guards=dry), fixed.run_id, Wish(force=True))
            assert told.outcome is Outcome.WOULD_FIX
            assert "lost is what somebody changed since the fix: shade: 0 becomes 7" in told.message

    run(world.loop, work())


@pytest.mark.parametrize("calls", range(40))
def test_an_undo_cut_off_anywhere_goes_on_when_asked_again_and_leaves_nothing_open(
    calls: int, world: World
) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            fixed = await settled(worker.kit, world, 1)
        try:
            async with Worker(world, Life(calls)) as worker:
                await undo(worker.kit, fixed.run_id, Wish(because="first"))
        except Dead:
            pass
        cut_off = [each for each in await everything(world) if each.outcome is None]
        await asyncio.sleep(LEASE_SECONDS * 2)
        async with Worker(world, Life()) as worker:
            try:
                back = only(await undo(worker.kit, fixed.run_id, PLAIN))
            except NothingToUndo as already:
                assert "undone before" in str(already)  # noqa: PT017 - either is right, by where it was cut off
                assert cut_off == []
            else:
                assert back.outcome is Outcome.RESTORED
                assert [each.run_id for each in cut_off] in ([], [back.run_id])
                assert back.changed or cut_off == []
                assert not cut_off or back.before == {"value": GOOD, "shade": 0}
            assert (await settled(worker.kit, world, 2)).outcome is Outcome.REFUSED
        kept = await everything(world)
        assert [each.run_id for each in kept if each.outcome is None] == []
        [was] = [each for each in kept if each.run_id == fixed.run_id]
        assert was.undone_by in {each.run_id for each in kept if each.undo_of == fixed.run_id}
        assert [each.changed for each in kept if each.undo_of == fixed.run_id].count(True) == 1
        assert world.things["one"] == Thing(BAD, 0)
        assert world.wrong == []

    run(world.loop, work())


def test_half_an_undo_that_was_cut_off_is_finished_without_force_and_what_was_there_is_told(
    world: World,
) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            fixed = await settled(worker.kit, world, 1)
        back_id = await _cut_off_in_its_change(world, fixed)
        world.things["one"].value = HALF
        async with Worker(world, Life()) as worker:
            back = only(await undo(worker.kit, fixed.run_id, PLAIN))
        assert (back.run_id, back.outcome, back.changed) == (back_id, Outcome.RESTORED, True)
        assert back.before == {"value": GOOD, "shade": 0}
        assert (
            "an undo that was cut off had begun, and this was taken for its work: value: 2 becomes 1"
            in back.message
        )
        assert world.things["one"].value == BAD

    run(world.loop, work())


def test_an_undo_that_was_cut_off_before_it_changed_anything_does_not_overwrite_what_others_change(
    world: World,
) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            fixed = await settled(worker.kit, world, 1)
            world.things["one"].shade = 7
        await _cut_off_in_its_change(world, fixed, Wish(force=True), value=GOOD, shade=7)
        async with Worker(world, Life()) as worker:
            back = only(await undo(worker.kit, fixed.run_id, PLAIN))
        assert (back.outcome, back.changed) == (Outcome.REFUSED, False)
        assert world.things["one"] == Thing(GOOD, 7)

    run(world.loop, work())


async def _cut_off_in_its_change(
    world: World, fixed: Run, wish: Wish = PLAIN, *, value: int | None = None, shade: int = 0
) -> str:
    """A worker dies with its undo begun. Returns the run's id; the thing is left as told."""
    changes = len(world.changes)
    for calls in range(60):
        with pytest.raises(Dead):
            async with Worker(world, Life(calls)) as worker:
                await undo(worker.kit, fixed.run_id, wish)
        await asyncio.sleep(LEASE_SECONDS * 2)
        if len(world.changes) > changes:
            break
    if value is not None:
        world.things["one"].value, world.things["one"].shade = value, shade
    [left] = [each for each in await everything(world) if each.outcome is None]
    return left.run_id


@dataclass
class Brittle(Thing):
    """Breaks half-way when its value is put back."""

    breaks: bool = False

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "value" and getattr(self, "breaks", False):
            super().__setattr__(name, HALF)
            raise AwsError(
                service="s3", operation="PutBucketVersioning", region="us-east-1", code="Oops", message="no"
            )
        super().__setattr__(name, value)


def test_an_undo_that_failed_half_way_is_not_taken_for_somebodys_change_by_the_next(world: World) -> None:
    thing = world.things["one"] = Brittle()

    async def work() -> None:
        async with Worker(world, Life()) as worker:
            fixed = await settled(worker.kit, world, 1)
            thing.breaks = True
            failed = only(await undo(worker.kit, fixed.run_id, PLAIN))
            assert failed.outcome is not Outcome.RESTORED
            assert failed.changed
            assert failed.after == {"value": HALF, "shade": 0}
            thing.breaks = False
            told = await preview_undo(worker.kit, fixed.run_id, PLAIN)
            assert told.message == "would be put back: value: 1 becomes 0"
            thing.shade = 7
            assert only(await undo(worker.kit, fixed.run_id, PLAIN)).outcome is Outcome.REFUSED
            thing.shade = 0
            assert only(await undo(worker.kit, fixed.run_id, PLAIN)).outcome is Outcome.RESTORED
        assert thing.value == BAD

    run(world.loop, work())
