"""What was taken back stays so for a while, and an undo can be looked at first."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hub import flow
from hub.flow.kit import Kit
from hub.flow.undo import Wish, preview_undo, undo
from hub.guards.mode import Mode
from hub.guards.taken_back import lift
from hub.journals import Query
from hub.model import Outcome, Report, Run
from tests.hub.flow.world import (
    ACCOUNT,
    BAD,
    WORKER,
    Life,
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
