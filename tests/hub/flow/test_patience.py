"""Bots that wait for AWS: put off through the queue, gone on with, and given up when patience ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots._aws import Aws
from bots._bot import AnyBot, Before, Bot, Check, NoParams, Risk, Target, TryLater, Undo, entity_or_account
from bots._catalogue import Catalogue
from hub.app import Hub, open_hub
from hub.errors import PutOff
from hub.flow.way_back import NothingToUndo
from hub.journals import Query
from hub.model import Message, Outcome, Run
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws
from tests.hub.messages import message


class State(Before):
    value: int


@dataclass
class Thing:
    """A resource that takes its time. ``waits``: what the coming looks and fixes wait for."""

    value: int = 0
    found_as: str | None = None
    touches: tuple[tuple[str, str], ...] = ()
    looks: list[str] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)
    seen: list[Target] = field(default_factory=list)


def slow(thing: Thing) -> AnyBot:
    bot = Bot(
        name="slow",
        acts_on="AWS::EC2::NetworkAcl",
        target=entity_or_account("id"),
        params=NoParams,
        before=State,
        reads=("ec2:DescribeInstances",),
        writes=("ec2:StopInstances",),
        risk=Risk.ADDITIVE,
        undo=Undo.exact(),
        entity_keys=("colour",),
    )

    @bot.check
    async def check(aws: Aws, target: Target, params: NoParams) -> Check[State]:
        thing.seen.append(target)
        if thing.looks:
            raise TryLater(thing.looks.pop(0), seconds=40)
        return Check(
            compliant=thing.value >= 2,
            before=State(value=thing.value),
            why=f"the value is {thing.value}",
            target_id=thing.found_as,
            touches=thing.touches,
        )

    @bot.fix
    async def fix(aws: Aws, target: Target, params: NoParams, before: State) -> None:
        thing.value = max(thing.value, 1)
        if thing.halves:
            raise TryLater(thing.halves.pop(0), seconds=40)
        thing.value = 2

    @bot.undo_with
    async def undo(aws: Aws, target: Target, before: State) -> None:
        if thing.halves:
            raise TryLater(thing.halves.pop(0), seconds=40)
        thing.value = before.value

    return bot


@dataclass
class Clock:
    now: datetime = datetime(2026, 3, 20, 5, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Play:
    hub: Hub
    thing: Thing
    clock: Clock
    message: Message

    async def settle(self) -> Run:
        report = await self.hub.settle(self.message)
        assert report is not None
        return report.runs[0]

    async def put_off(self) -> PutOff:
        with pytest.raises(PutOff) as caught:
            await self.hub.settle(self.message)
        return caught.value

    async def open_runs(self) -> list[Run]:
        found = [run async for run in self.hub.kit.journal.runs(Query())]
        return [run for run in found if run.outcome is None]


@asynccontextmanager
async def play(
    spoke: Admin, settings: MakeSettings, thing: Thing, *, dry_run: bool = False, **entity: Any
) -> AsyncIterator[Play]:
    clock = Clock()
    sent = message(spoke.account_id, "slow", **entity)
    async with open_hub(settings(spoke.account_id, patience_seconds=600, dry_run=dry_run)) as hub:
        kit = replace(hub.kit, now=clock, catalogue=Catalogue({"slow": lambda: slow(thing)}))
        yield Play(Hub(kit), thing, clock, sent)


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke()


async def test_a_look_that_waits_leaves_the_run_open_and_the_next_delivery_goes_on(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with play(spoke, hub_settings, Thing(looks=["the log lags"])) as one:
        later = await one.put_off()
        assert (str(later), later.seconds) == ("the log lags", 40)
        [waiting] = await one.open_runs()
        assert waiting.before is None
        one.clock.now += timedelta(seconds=45)
        run = await one.settle()
    assert run.outcome is Outcome.FIXED
    assert run.before == {"value": 0}
    assert run.opened_at == waiting.opened_at


async def test_a_fix_that_waits_halfway_keeps_the_state_from_before_its_first_half(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with play(spoke, hub_settings, Thing(halves=["it stops", "it stops"])) as one:
        await one.put_off()
        assert one.thing.value == 1
        await one.put_off()
        run = await one.settle()
        assert run.outcome is Outcome.FIXED, run.message
        assert (run.before, run.after) == ({"value": 0}, {"value": 2})
        [back] = (await one.hub.undo(run.run_id)).runs
    assert back.outcome is Outcome.RESTORED
    assert one.thing.value == 0


async def test_pauses_grow_so_that_deliveries_stay_few(spoke: Admin, hub_settings: MakeSettings) -> None:
    async with play(spoke, hub_settings, Thing(looks=["no"] * 50)) as one:
        pauses = []
        while len(one.thing.looks) > 1:
            try:
                await one.hub.settle(one.message)
                break
            except PutOff as later:
                pauses.append(later.seconds)
                one.clock.now += timedelta(seconds=later.seconds)
    assert pauses == sorted(pauses)
    assert pauses[0] == 40
    assert len(pauses) <= 8, "10 minutes of patience take few deliveries"


@pytest.mark.parametrize("half", ["look", "fix"])
async def test_when_patience_ends_the_run_has_failed_and_says_what_it_waited_for(
    half: str, spoke: Admin, hub_settings: MakeSettings
) -> None:
    waits = ["the log lags"] * 9
    thing = Thing(looks=waits) if half == "look" else Thing(halves=waits)
    async with play(spoke, hub_settings, thing) as one:
        await one.put_off()
        one.clock.now += timedelta(seconds=601)
        if half == "look":
            run = await one.settle()
        else:
            run = await one.settle()
            assert run.changed, "a part of the change was made"
        assert await one.open_runs() == []
    assert run.outcome is Outcome.FAILED
    assert "given up after 600 seconds of waiting: the log lags" in run.message


async def test_a_dry_run_does_not_wait_but_says_what_for(spoke: Admin, hub_settings: MakeSettings) -> None:
    async with play(spoke, hub_settings, Thing(looks=["the log lags"]), dry_run=True) as one:
        run = await one.settle()
        assert run.outcome is Outcome.WAITING
        assert run.message == "the log lags; try again in 40 seconds"
        one.thing.looks = ["the log lags"]
        [seen] = await one.hub.preview(one.message)
        assert seen.outcome is Outcome.WAITING


async def test_an_undo_that_waits_can_be_asked_for_again(spoke: Admin, hub_settings: MakeSettings) -> None:
    async with play(spoke, hub_settings, Thing()) as one:
        run = await one.settle()
        one.thing.halves = ["it starts"]
        [back] = (await one.hub.undo(run.run_id)).runs
        assert back.outcome is Outcome.WAITING
        [back] = (await one.hub.undo(run.run_id)).runs
        assert back.outcome is Outcome.RESTORED


async def test_a_waiting_run_that_saved_nothing_cannot_be_undone(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with play(spoke, hub_settings, Thing(looks=["the log lags"])) as one:
        await one.put_off()
        [waiting] = await one.open_runs()
        with pytest.raises(NothingToUndo, match="kept no prior state"):
            await one.hub.undo(waiting.run_id)


async def test_a_target_found_by_the_look_is_leased_recorded_and_named_to_the_undo(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with play(spoke, hub_settings, Thing(found_as="acl-1"), colour="red", size=7) as one:
        run = await one.settle()
        assert (run.outcome, run.target_id) == (Outcome.FIXED, "acl-1")
        assert [target.id for target in one.thing.seen] == [spoke.account_id, "acl-1", "acl-1"]
        assert run.entity == {"colour": "red"}
        one.thing.seen.clear()
        await one.hub.undo(run.run_id)
        assert {target.id for target in one.thing.seen} == {"acl-1"}
        assert {str(target.entity) for target in one.thing.seen} == {"{'colour': 'red'}"}
        lease = await one.hub.kit.journal.lease(
            f"resource/{spoke.account_id}/AWS::EC2::NetworkAcl/acl-1", owner="test", seconds=5
        )
        assert lease is not None
        assert lease.fence > 1, "the fix and the undo held it before"


@pytest.mark.parametrize("mode", ["for real", "dry run", "plan"])
async def test_what_a_fix_would_touch_besides_is_guarded_too(
    mode: str, spoke: Admin, hub_settings: MakeSettings
) -> None:
    thing = Thing(touches=(("AWS::IAM::Role", "harmless"), ("AWS::IAM::Role", "Dome9CloudBots")))
    async with play(spoke, hub_settings, thing, dry_run=mode == "dry run") as one:
        run = (await one.hub.preview(one.message))[0] if mode == "plan" else await one.settle()
        assert run.outcome is Outcome.REFUSED
        assert "the role the hub enters this account with" in run.message
        assert thing.value == 0


async def test_an_undo_is_guarded_by_what_it_touches(spoke: Admin, hub_settings: MakeSettings) -> None:
    async with play(spoke, hub_settings, Thing()) as one:
        run = await one.settle()
        one.thing.touches = (("AWS::IAM::Role", "Dome9CloudBots"),)
        [back] = (await one.hub.undo(run.run_id)).runs
    assert back.outcome is Outcome.REFUSED
    assert one.thing.value == 2


async def test_a_resource_found_to_be_the_hubs_own_is_refused(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    thing = Thing(found_as="Dome9CloudBots")
    bot = replace(slow(thing), acts_on="AWS::IAM::Role")
    original = slow(thing)
    bot._check, bot._fix, bot._undo = original._check, original._fix, original._undo
    async with play(spoke, hub_settings, thing) as one:
        hub = Hub(replace(one.hub.kit, catalogue=Catalogue({"slow": lambda: bot})))
        report = await hub.settle(one.message)
        assert report is not None
        [run] = report.runs
    assert (run.outcome, thing.value) == (Outcome.REFUSED, 0)
    assert run.target_id == "Dome9CloudBots"
