"""Leases as the flow uses them: in order within a process, exclusive between processes."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from hub.errors import JournalUnwritable, LeaseLost, NotNow
from hub.journals import Lease
from hub.journals.memory import MemoryJournal
from hub.leases import Held, Leases
from tests.virtual_time import VirtualLoop, run


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


async def test_tasks_of_one_process_get_a_lease_in_the_order_they_asked() -> None:
    async with Leases(MemoryJournal(), seconds=60) as leases:
        order: list[int] = []

        async def work(number: int) -> None:
            async with leases.hold("resource/a", wait=0):
                order.append(number)
                await asyncio.sleep(0)
                order.append(number)

        await asyncio.gather(*(work(number) for number in range(20)))
    assert order == [number for number in range(20) for _ in range(2)]


async def test_another_process_is_told_not_now() -> None:
    journal = MemoryJournal()
    async with Leases(journal, seconds=60) as one, Leases(journal, seconds=60) as other:
        async with one.hold("finding/x", wait=0):
            with pytest.raises(NotNow) as told:
                async with other.hold("finding/x", wait=0):
                    raise AssertionError("two processes held one lease")
            assert told.value.seconds == 30
        async with other.hold("finding/x", wait=0) as held:
            assert held.fence == 2


async def test_another_process_gets_it_as_soon_as_it_is_given_back() -> None:
    journal = MemoryJournal()
    async with Leases(journal, seconds=60) as one, Leases(journal, seconds=60) as other:
        holding, let_go = asyncio.Event(), asyncio.Event()

        async def first() -> None:
            async with one.hold("resource/a", wait=0):
                holding.set()
                await let_go.wait()

        async def second() -> int:
            await holding.wait()
            asyncio.get_running_loop().call_soon(let_go.set)
            async with other.hold("resource/a", wait=30) as held:
                return held.fence

        _, fence = await asyncio.gather(first(), second())
    assert fence == 2


async def test_renewing_keeps_a_lease_beyond_its_first_life() -> None:
    clock = Clock()
    journal = MemoryJournal(now=clock)
    async with (
        Leases(journal, seconds=60) as one,
        Leases(journal, seconds=60) as other,
        one.hold("finding/x", wait=0) as held,
    ):
        for _ in range(5):
            clock.advance(50)
            await one.renew_now()
        held.ensure()
        with pytest.raises(NotNow):
            async with other.hold("finding/x", wait=0):
                pass


async def test_a_lease_that_somebody_took_over_forbids_the_write() -> None:
    clock = Clock()
    journal = MemoryJournal(now=clock)
    async with (
        Leases(journal, seconds=60) as slow,
        Leases(journal, seconds=60) as other,
        slow.hold("finding/x", wait=0) as held,
    ):
        held.ensure()
        clock.advance(61)
        async with other.hold("finding/x", wait=0) as taken:
            await slow.renew_now()
            with pytest.raises(LeaseLost, match="another worker goes on"):
                held.ensure()
            assert taken.fence > held.fence


async def test_a_lease_near_its_end_forbids_the_write() -> None:
    async with Leases(MemoryJournal(), seconds=60) as leases, leases.hold("finding/x", wait=0) as held:
        held.safe_until = asyncio.get_running_loop().time() - 1
        with pytest.raises(LeaseLost):
            held.ensure()


class Unreachable(MemoryJournal):
    async def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        raise JournalUnwritable("the journal is away")


async def test_an_unreachable_journal_does_not_lose_the_lease_at_once() -> None:
    async with Leases(Unreachable(), seconds=60) as leases, leases.hold("finding/x", wait=0) as held:
        await leases.renew_now()
        held.ensure()


async def test_nothing_is_kept_about_names_that_nobody_holds() -> None:
    async with Leases(MemoryJournal(), seconds=60) as leases:
        for number in range(50):
            async with leases.hold(f"resource/{number}", wait=0):
                pass
        assert leases._waiting == {}
        assert leases._held == {}


async def test_a_cancelled_holder_gives_the_lease_back() -> None:
    journal = MemoryJournal()
    async with Leases(journal, seconds=60) as leases:
        holding = asyncio.Event()

        async def hold() -> None:
            async with leases.hold("finding/x", wait=0):
                holding.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(hold())
        await holding.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        async with leases.hold("finding/x", wait=0) as held:
            assert held.fence == 2


class Hanging(MemoryJournal):
    """Never answers about one lease."""

    async def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        if lease.name.endswith("/0"):
            await asyncio.Event().wait()
        return await super().renew(lease, seconds=seconds)


class Defective(MemoryJournal):
    async def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        raise ZeroDivisionError


class Slow(MemoryJournal):
    async def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        await asyncio.sleep(0.2)
        return await super().renew(lease, seconds=seconds)


def held_for(journal: MemoryJournal, *, leases: int, lives: int) -> list[Held]:
    """So many leases after so many lives of theirs; renewed in virtual time."""

    async def hold() -> list[Held]:
        async with Leases(journal, seconds=60) as holder, AsyncExitStack() as stack:
            found = [
                await stack.enter_async_context(holder.hold(f"finding/{number}", wait=0))
                for number in range(leases)
            ]
            await asyncio.sleep(60 * lives)
            return [held for held in found if held.safe_until > asyncio.get_running_loop().time()]

    return run(VirtualLoop(), hold())


def test_a_journal_that_does_not_answer_about_one_lease_costs_no_other() -> None:
    alive = held_for(Hanging(), leases=20, lives=5)
    assert [held.lease.name for held in alive] == [f"finding/{number}" for number in range(1, 20)]


def test_many_leases_outlive_a_slow_journal() -> None:
    assert len(held_for(Slow(), leases=2_000, lives=3)) == 2_000


def test_a_defect_in_one_round_does_not_end_all_renewing(caplog: pytest.LogCaptureFixture) -> None:
    assert held_for(Defective(), leases=1, lives=2) == []
    assert len([each for each in caplog.records if each.message == "lease not renewed"]) > 5
