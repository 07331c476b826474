"""An undo that was cut off, or failed half-way, goes on when it is asked for again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from bots._aws import AwsError
from hub.flow.undo import Wish, preview_undo, undo
from hub.flow.way_back import NothingToUndo
from hub.model import Outcome, Run
from tests.hub.flow.test_undo_holds import PLAIN, everything, only, settled
from tests.hub.flow.world import BAD, GOOD, HALF, LEASE_SECONDS, Dead, Life, Thing, Worker, World
from tests.virtual_time import VirtualLoop, run


@pytest.fixture
def world() -> World:
    return World(VirtualLoop())


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


def test_an_undo_whose_end_nobody_could_read_is_finished_by_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreadable(*_: object, **__: object) -> None:
        world.things["one"].value = HALF
        raise AwsError(
            service="s3", operation="GetBucketVersioning", region="us-east-1", code="Oops", message="no"
        )

    async def work() -> None:
        async with Worker(world, Life()) as worker:
            fixed = await settled(worker.kit, world, 1)
            with monkeypatch.context() as patched:
                patched.setattr("hub.flow.verify.until", unreadable)
                unproven = only(await undo(worker.kit, fixed.run_id, PLAIN))
            assert (unproven.outcome, unproven.changed, unproven.after) == (Outcome.UNPROVEN, True, None)
            back = only(await undo(worker.kit, fixed.run_id, PLAIN))
            assert back.outcome is Outcome.RESTORED
            assert "this was taken for its work: value: 2 becomes 1" in back.message
        assert world.things["one"].value == BAD

    run(world.loop, work())
