"""Guards that remember, asked by the flow: what they hold back waits or is refused, and goes on when its time comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from hub import flow
from hub.flow.kit import Kit
from hub.flow.resume import body_for
from hub.flow.undo import Wish, undo
from hub.guards.breaker import Breakers
from hub.guards.budget import Budgets
from hub.guards.flapping import Flapping
from hub.guards.repeat import Repeat
from hub.guards.resource_memory import Recall
from hub.guards.taken_back import TakenBack, lift
from hub.model import Message, Outcome, Run
from hub.rules.guard_model import Budget, GuardRules
from tests.hub.flow.world import ACCOUNT, BAD, GOOD, Life, Worker, World
from tests.hub.guards.test_flapping import nobody
from tests.virtual_time import VirtualLoop, run

HOUR = 3600  # seconds, by a clock that jumps


@asynccontextmanager
async def a_hub(world: World) -> AsyncIterator[Kit]:
    async with Worker(world, Life()) as worker:
        recall = Recall(worker.kit.journal)
        guards = (
            TakenBack(recall),
            Flapping(lambda: world.guards, recall, nobody),
            Repeat(worker.kit.journal),
            Breakers(lambda: world.guards, worker.kit.journal),
            Budgets(lambda: world.guards, worker.kit.journal),
        )
        yield replace(worker.kit, change_guards=guards)


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
        async with a_hub(world) as kit:
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
        async with a_hub(world) as kit:
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
        async with a_hub(world) as kit:
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
