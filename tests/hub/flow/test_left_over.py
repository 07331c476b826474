"""A rule is taken away while what it asked for waits for AWS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub import flow
from hub.errors import PutOff
from hub.flow.kit import Kit
from hub.journals import Query
from hub.model import Message, Outcome, Run
from hub.rules.decide import Decider
from hub.rules.model import Effect, Match, Rule, RuleBot, RuleSet
from tests.hub.flow.world import HALF, Life, Worker, World
from tests.virtual_time import VirtualLoop, run

ADDS = Rule(
    name="mended",
    line=3,
    comment="a test",
    effect=Effect.RUN,
    match=Match(),
    bots=(RuleBot(name="mend", words=()),),
)
NO_BOT = '"remediationActions": []'


def without_bots(message: Message) -> Message:
    """The same finding, naming no bot itself."""
    return replace(message, body=message.body.replace('"remediationActions": ["mend"]', NO_BOT))


async def cut_short(world: World, kit: Kit, sent: Message) -> None:
    """The fix has begun and waits for AWS."""
    world.stubborn = True
    with pytest.raises(PutOff):
        await flow.settle(kit, sent)
    world.stubborn = False


async def runs(world: World) -> list[Run]:
    return [found async for found in world.journal.runs(Query())]


def test_a_run_whose_rule_is_taken_away_while_it_waits_is_closed_and_reported() -> None:
    loop = VirtualLoop()

    async def story() -> None:
        world = World(loop)
        sent = without_bots(world.message("mend", "one", 1))
        assert NO_BOT in sent.body
        async with Worker(world, Life()) as worker:
            ruled = replace(
                worker.kit, rules=Decider(RuleSet(file="rules.yaml", rules=(ADDS,)), world.catalogue)
            )
            await cut_short(world, ruled, sent)
            done = await flow.settle(worker.kit, replace(sent, again=True))
            again = await flow.settle(worker.kit, replace(sent, again=True))
        assert done.report is not None
        [closed] = done.report.runs
        assert (closed.outcome, closed.changed) == (Outcome.INTERRUPTED, True)
        assert closed.message == (
            "not gone on with: no rule asks for it any more; an attempt that was cut off before may have changed it"
        )
        assert await runs(world) == [closed]
        assert world.things["one"].value == HALF
        assert (again.report, again.why) == (None, f"settled before, see report {done.report.report_id}")

    run(loop, story())


def test_a_finding_that_never_asked_for_anything_is_not_looked_up() -> None:
    loop = VirtualLoop()

    async def story() -> None:
        world = World(loop)
        sent = without_bots(world.message("mend", "one", 1))
        async with Worker(world, Life(0)) as worker:
            assert (await flow.settle(worker.kit, sent)).report is None
        async with Worker(world, Life()) as worker:
            done = await flow.settle(worker.kit, replace(sent, again=True))
        assert (done.report, done.why) == (None, "the finding names no bot, and no rule runs one")
        assert world.reports == []

    run(loop, story())


def test_what_another_delivery_is_about_stays_open() -> None:
    loop = VirtualLoop()

    async def story() -> None:
        world = World(loop)
        first, second = (without_bots(world.message("mend", "one", number)) for number in (1, 2))
        async with Worker(world, Life()) as worker:
            ruled = replace(
                worker.kit, rules=Decider(RuleSet(file="rules.yaml", rules=(ADDS,)), world.catalogue)
            )
            await cut_short(world, ruled, first)
            for _ in range(2):
                await flow.settle(worker.kit, replace(second, again=True))
        [left] = await runs(world)
        assert left.outcome is None

    run(loop, story())
