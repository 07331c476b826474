"""Many runs are taken back: which, in what order, and what a failure stops."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hub import flow
from hub.errors import HubError, JournalUnwritable, SpokeUnreachable
from hub.flow.kit import Kit
from hub.flow.undo import Wish, undo
from hub.flow.undo_batch import Chosen, Undone, choose, undo_all
from hub.journals import Query
from hub.model import Outcome, Report, Run
from tests.hub.flow.world import BAD, GOOD, LEASE_SECONDS, Dead, Life, Thing, Worker, World
from tests.virtual_time import VirtualLoop, run

PLAIN = Wish(hold=timedelta(0))
ALL = Query(limit=1000)


@pytest.fixture
def world() -> World:
    return World(VirtualLoop(), things={name: Thing() for name in ("one", "two", "three", "four")})


async def fixed(kit: Kit, world: World, thing: str, number: int, bot: str = "mend") -> Run:
    report = (await flow.settle(kit, world.message(bot, thing, number))).report
    assert report is not None
    [found] = report.runs
    assert found.outcome is Outcome.FIXED
    # Runs of one moment have no order.
    await asyncio.sleep(1)
    return found


async def taken_back(kit: Kit, runs: tuple[Run, ...], wish: Wish = PLAIN) -> list[Undone]:
    done: list[Undone] = []

    async def on_undone(one: Undone) -> None:
        done.append(one)

    await undo_all(kit, runs, wish, on_undone)
    return done


def ids(chosen: Chosen) -> list[str]:
    return [each.run_id for each in chosen.runs]


def test_changes_of_one_resource_are_taken_back_the_newest_first_to_the_state_before_both(
    world: World,
) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = worker.kit
            world.things["one"].shade = 1
            older = await fixed(kit, world, "one", 1)
            newer = await _on_top(world, older, "n" * 20)
            chosen = await choose(kit, ALL)
            assert ids(chosen) == [newer.run_id, older.run_id]
            done = await taken_back(kit, chosen.runs)
            assert [(each.run.run_id, _outcome(each)) for each in done] == [
                (newer.run_id, Outcome.RESTORED),
                (older.run_id, Outcome.RESTORED),
            ]
        assert world.things["one"] == Thing(BAD, 1)

    run(world.loop, work())


def test_a_failure_stops_the_older_ones_of_that_resource_and_nothing_else(world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = worker.kit
            oldest = await fixed(kit, world, "one", 1)
            older = await _on_top(world, oldest, "m" * 20)
            newer = await _on_top(world, older, "n" * 20)
            other = await fixed(kit, world, "two", 2)
            world.things["one"].shade = 99
            done = await taken_back(kit, (await choose(kit, ALL)).runs)
            by_run = {each.run.run_id: each for each in done}
            assert len(done) == len(by_run) == 4
            assert _outcome(by_run[newer.run_id]) is Outcome.REFUSED
            for each in (older, oldest):
                assert by_run[each.run_id].report is None
                assert by_run[each.run_id].why == (
                    f"not tried: run {newer.run_id} changed the same resource later and is not taken back"
                )
            assert _outcome(by_run[other.run_id]) is Outcome.RESTORED
        assert world.things["one"] == Thing(GOOD, 99)
        assert world.things["two"] == Thing(BAD, 0)

    run(world.loop, work())


@pytest.mark.parametrize(
    "error", [HubError("the lease was lost"), SpokeUnreachable("a sink does not answer")]
)
def test_what_cannot_even_be_tried_is_told_and_stops_nothing_else(
    error: HubError, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = worker.kit
            runs = [await fixed(kit, world, thing, number) for number, thing in enumerate(world.things)]
            _failing(monkeypatch, runs[1], error)
            done = await taken_back(kit, tuple(runs))
            assert {each.run.run_id: (_outcome(each), each.why) for each in done} == {
                each.run_id: (None, str(error)) if each is runs[1] else (Outcome.RESTORED, "")
                for each in runs
            }

    run(world.loop, work())


def test_a_run_that_somebody_else_took_back_meanwhile_is_told(world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            one = await fixed(worker.kit, world, "one", 1)
            await taken_back(worker.kit, (one,))
            [done] = await taken_back(worker.kit, (one,))
            assert done.report is None
            assert "was undone before" in done.why

    run(world.loop, work())


def test_when_the_journal_fails_no_other_is_begun_and_those_under_way_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = replace(worker.kit, settings=worker.kit.settings.model_copy(update={"concurrency": 2}))
            runs = [await fixed(kit, world, thing, number) for number, thing in enumerate(world.things)]
            _failing(monkeypatch, runs[0], JournalUnwritable("the table is gone"), slow=runs[1])
            with pytest.raises(JournalUnwritable, match="the table is gone"):
                await taken_back(kit, tuple(runs))
            assert [each.value for each in world.things.values()] == [GOOD, BAD, GOOD, GOOD]
            monkeypatch.undo()
            await taken_back(kit, (await choose(kit, ALL)).runs)
            assert {each.value for each in world.things.values()} == {BAD}

    run(world.loop, work())


@pytest.mark.parametrize("calls", range(0, 90, 3))
def test_a_batch_that_was_cut_off_goes_on_when_the_same_is_asked_for_again(calls: int, world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = replace(worker.kit, settings=worker.kit.settings.model_copy(update={"concurrency": 1}))
            for number, thing in enumerate(world.things):
                await fixed(kit, world, thing, number)
        try:
            async with Worker(world, Life(calls)) as worker:
                dying = replace(worker.kit, settings=kit.settings)
                await taken_back(dying, (await choose(dying, ALL)).runs)
        except Dead:
            pass
        await asyncio.sleep(LEASE_SECONDS * 2)
        async with Worker(world, Life()) as worker:
            done = await taken_back(worker.kit, (await choose(worker.kit, ALL)).runs)
            assert {_outcome(each) for each in done} <= {Outcome.RESTORED}
            assert await choose(worker.kit, ALL) == Chosen((), ())
        assert {each.value for each in world.things.values()} == {BAD}
        assert [each async for each in world.journal.runs(ALL) if each.outcome is None] == []
        undos = [thing for run_id, thing in world.changes if await _is_undo(world, run_id)]
        assert set(undos) == set(world.things)

    run(world.loop, work())


@pytest.mark.parametrize("hands", [1, 3])
def test_resources_are_taken_back_side_by_side_as_many_as_allowed(
    hands: int, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once, most = 0, 0

    async def counted(kit: Kit, run_id: str, wish: Wish) -> Report:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(5)
        try:
            return await undo(kit, run_id, wish)
        finally:
            at_once -= 1

    monkeypatch.setattr("hub.flow.undo_batch.undo", counted)

    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = replace(worker.kit, settings=worker.kit.settings.model_copy(update={"concurrency": hands}))
            for number, thing in enumerate(world.things):
                await fixed(kit, world, thing, number)
            done = await taken_back(kit, (await choose(kit, ALL)).runs)
            assert {_outcome(each) for each in done} == {Outcome.RESTORED}

    run(world.loop, work())
    assert most == hands


async def _on_top(world: World, below: Run, run_id: str) -> Run:
    """Another bot's change of the same resource, after that one."""
    assert below.after is not None
    thing = world.things[below.target_id]
    thing.shade += 10
    changed = replace(
        below,
        run_id=run_id,
        before=below.after,
        after={"value": thing.value, "shade": thing.shade},
        opened_at=below.opened_at + timedelta(seconds=1),
    )
    await world.journal.close(changed)
    return changed


async def _is_undo(world: World, run_id: str) -> bool:
    found = await world.journal.get(run_id)
    return found is not None and found.undo_of is not None


def _outcome(done: Undone) -> Outcome | None:
    return done.report.outcomes[0] if done.report else None


def _failing(
    monkeypatch: pytest.MonkeyPatch, broken: Run, error: Exception, *, slow: Run | None = None
) -> None:
    """The undo of one run fails at once, that of another takes its time."""

    async def failing(kit: Kit, run_id: str, wish: Wish) -> Report:
        if run_id == broken.run_id:
            await asyncio.sleep(1)
            raise error
        if slow is not None and run_id == slow.run_id:
            await asyncio.sleep(30)
        return await undo(kit, run_id, wish)

    monkeypatch.setattr("hub.flow.undo_batch.undo", failing)
