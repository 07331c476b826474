"""Guards that remember, asked by the flow: what they hold back waits or is refused, and goes on when its time comes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hub import flow
from hub.errors import PutOff
from hub.flow import waiting
from hub.flow.kit import Kit
from hub.flow.resume import body_for
from hub.flow.undo import Wish, undo
from hub.guards.taken_back import lift
from hub.model import Answer, Message, Outcome, Run
from hub.rules.guard_model import Breaker, Budget, GuardRules
from tests.hub.flow.world import ACCOUNT, BAD, GOOD, Life, Worker, World
from tests.virtual_time import VirtualLoop, run

HOUR = 3600  # seconds, by a clock that jumps


async def settled(kit: Kit, message: Message) -> Run:
    report = (await flow.settle(kit, message)).report
    assert report is not None
    [run] = report.runs
    return run


def test_what_is_past_the_budget_waits_and_is_fixed_in_the_next_hour() -> None:
    world = World(VirtualLoop())
    budget = Budget(line=3, comment="c", name="hourly", changes=1)
    world.guards = GuardRules(file="rules.yaml", budgets=(budget,))

    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = worker.kit
            assert (await settled(kit, world.message("mend", "one", 1))).outcome is Outcome.FIXED
            waits = await settled(kit, world.message("mend", "two", 2))
            assert waits.outcome is Outcome.WAITING
            assert "budget hourly of budgets (rules.yaml line 3)" in waits.message
            assert world.things["two"].value == BAD
            await asyncio.sleep(HOUR)
            assert (await settled(kit, Message(body=body_for(waits.run_id)))).outcome is Outcome.FIXED
            assert world.things["two"].value == GOOD

    run(world.loop, work())


def test_what_somebody_keeps_changing_back_is_refused_in_the_end() -> None:
    world = World(VirtualLoop())

    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = worker.kit
            for number in range(5):
                assert (await settled(kit, world.message("mend", "one", number))).outcome is Outcome.FIXED
                world.things["one"].value = BAD
                await asyncio.sleep(HOUR)
            refused = await settled(kit, world.message("mend", "one", 6))
            assert refused.outcome is Outcome.REFUSED
            assert refused.message.startswith("needs a person: mend has fixed one 5 times since")
            assert (await settled(kit, world.message("mend", "two", 7))).outcome is Outcome.FIXED

    run(world.loop, work())


def test_what_was_taken_back_stays_so_until_it_is_lifted() -> None:
    world = World(VirtualLoop())

    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = worker.kit
            fixed = await settled(kit, world.message("mend", "one", 1))
            await undo(kit, fixed.run_id, Wish(because="it broke the shop"))
            assert world.things["one"].value == BAD
            refused = await settled(kit, world.message("mend", "one", 2))
            assert refused.outcome is Outcome.REFUSED
            assert '"it broke the shop"' in refused.message
            assert f"`hub lift {ACCOUNT}/AWS::S3::Bucket/one mend`" in refused.message
            assert await lift(world.journal, lane=f"{ACCOUNT}/AWS::S3::Bucket/one", bot="mend")
            assert (await settled(kit, world.message("mend", "one", 3))).outcome is Outcome.FIXED

    run(world.loop, work())


def test_a_finding_that_comes_again_while_it_waits_for_a_person_waits_once() -> None:
    world = World(VirtualLoop())

    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = worker.kit
            waits = await settled(kit, world.message("wipe", "one", 1))
            assert waits.outcome is Outcome.WAITING
            again = await settled(kit, world.message("wipe", "one", 2))
            assert again.outcome is Outcome.REFUSED
            assert f"waits already, as run {waits.run_id}" in again.message
            assert [each.run_id async for each in waiting.everybody(world.journal)] == [waits.run_id]
            there = await waiting.read(world.journal, waits.run_id)
            assert there is not None
            yes = Answer(approved=True, by="arn:aws:iam::111122223333:user/ada", because="so", at=world.now())
            assert await waiting.write(world.journal, replace(there, answer=yes))
            assert (await settled(kit, Message(body=body_for(waits.run_id)))).outcome is Outcome.FIXED
            world.things["one"].value = BAD
            # It waits no more, so the next one does.
            assert (await settled(kit, world.message("wipe", "one", 3))).outcome is Outcome.WAITING

    run(world.loop, work())


def test_after_a_failure_the_next_change_waits_and_its_success_closes_the_breaker() -> None:
    world = World(VirtualLoop(), stubborn=True)
    breaker = Breaker(line=5, comment="c", name="careful", failures=1, pause=timedelta(hours=1))
    world.guards = GuardRules(file="rules.yaml", breakers=(breaker,))

    async def work() -> None:
        async with Worker(world, Life()) as worker:
            kit = worker.kit
            slow = world.message("mend", "one", 1)
            with pytest.raises(PutOff):
                await settled(kit, slow)
            await asyncio.sleep(kit.settings.patience_seconds)
            assert (await settled(kit, slow)).outcome is Outcome.FAILED
            waits = await settled(kit, world.message("mend", "two", 2))
            assert waits.outcome is Outcome.WAITING
            assert "breaker careful of breakers (rules.yaml line 5) is open" in waits.message
            assert "given up after 600 seconds" in waits.message
            world.stubborn = False
            await asyncio.sleep(HOUR)
            assert (await settled(kit, Message(body=body_for(waits.run_id)))).outcome is Outcome.FIXED
            assert (await settled(kit, world.message("mend", "one", 3))).outcome is Outcome.FIXED

    run(world.loop, work())
