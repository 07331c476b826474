"""Which runs a batch takes back."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from hub import flow
from hub.flow.undo_batch import Chosen, choose
from hub.journals import Query
from hub.model import Outcome
from tests.hub.flow.test_undo_batch import ALL, fixed, ids, taken_back
from tests.hub.flow.world import ACCOUNT, BAD, LEASE_SECONDS, Dead, Life, Thing, Worker, World
from tests.virtual_time import VirtualLoop, run


@pytest.fixture
def world() -> World:
    return World(VirtualLoop(), things={name: Thing() for name in ("one", "two", "three")})


def test_what_changed_something_and_is_not_taken_back_is_found_newest_first(world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = worker.kit
            first = await fixed(kit, world, "one", 1)
            second = await fixed(kit, world, "two", 2)
            # Compliant: nothing was changed.
            await flow.settle(kit, world.message("mend", "two", 3))
            third = await fixed(kit, world, "three", 4)
            assert await choose(kit, ALL) == Chosen((third, second, first), ())
            await taken_back(kit, (second,))
            assert await choose(kit, ALL) == Chosen((third, first), ())

    run(world.loop, work())


def test_runs_are_chosen_by_finding_account_bot_and_age(world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = worker.kit
            first = await fixed(kit, world, "one", 1)
            second = await fixed(kit, world, "two", 2)
            elsewhere = replace(second, run_id="e" * 20, account_id="333344445555")
            other_bot = replace(second, run_id="b" * 20, bot="wipe")
            for each in (elsewhere, other_bot):
                await world.journal.close(each)

            async def chosen(**query: Any) -> set[str]:
                return set(ids(await choose(kit, Query(**query))))

            assert await chosen(finding_key="key-one") == {first.run_id}
            assert await chosen(account_id="333344445555") == {elsewhere.run_id}
            assert await chosen(bot="wipe") == {other_bot.run_id}
            assert await chosen(bot="mend", account_id=ACCOUNT) == {first.run_id, second.run_id}
            assert await chosen(since=second.opened_at, bot="mend", account_id=ACCOUNT) == {second.run_id}
            assert await chosen(since=world.now()) == set()

    run(world.loop, work())


def test_what_changed_and_cannot_be_taken_back_is_left_with_the_reason(world: World) -> None:
    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = worker.kit
            good = await fixed(kit, world, "one", 1)
            gone = replace(good, run_id="a" * 20, bot="no_such_bot")
            blind = replace(good, run_id="b" * 20, before=None)
            for each in (gone, blind):
                await world.journal.close(each)
            chosen = await choose(kit, ALL)
            assert chosen.runs == (good,)
            left = {each.run_id: why for each, why in chosen.left}
            assert set(left) == {gone.run_id, blind.run_id}
            assert "no_such_bot" in left[gone.run_id]
            assert left[blind.run_id] == f"run {blind.run_id} kept no prior state"

    run(world.loop, work())


def test_a_fix_that_was_cut_off_in_its_change_is_chosen_too(world: World) -> None:
    async def work() -> None:
        for calls in range(60):
            if world.changes:
                break
            with pytest.raises(Dead):
                async with Worker(world, Life(calls)) as worker:
                    await flow.settle(worker.kit, world.message("mend", "one", 1))
            await asyncio.sleep(LEASE_SECONDS * 2)
        async with Worker(world, Life()) as worker:
            [left] = (await choose(worker.kit, ALL)).runs
            assert left.outcome is None
            [done] = await taken_back(worker.kit, (left,))
            assert done.report is not None
            assert done.report.outcomes == (Outcome.RESTORED,)
            assert await choose(worker.kit, ALL) == Chosen((), ())
        assert world.things["one"].value == BAD

    run(world.loop, work())
