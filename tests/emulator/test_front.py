"""The emulator does what it is told: or every figure and every fault test built on it would be about nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

from hub.aws.clients import Clients, Keys, signing_as
from tests.emulator.buckets import Limit, TokenBuckets
from tests.emulator.faults import Fault, Luck
from tests.emulator.front import Front
from tests.emulator.serving import served
from tests.emulator.weather import Weather
from tests.fake_aws.server import FakeAws, allow, policy


@dataclass(frozen=True, slots=True)
class Emulated:
    front: Front
    aws: FakeAws
    clients: Clients

    async def call(self, service: str, operation: str, keys: Keys, **params: Any) -> Any:
        client = await self.clients.get(service, "us-east-1")
        with signing_as(keys):
            return await getattr(client, operation)(**params)

    def somebody(self) -> Keys:
        """Keys of a role with all rights in a fresh account."""
        admin = self.aws.fresh_account()
        found = self.aws.role_credentials(admin.account_id, "actor", [policy(allow("*"))])
        return Keys(admin.account_id, *found.values())


@pytest.fixture
async def emulated(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Emulated]:
    from aiobotocore.config import AioConfig

    once = AioConfig(retries={"mode": "standard", "total_max_attempts": 1})
    monkeypatch.setattr("hub.aws.clients.client_config", lambda: once)
    front = Front(aws.gate)
    async with served(front) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        clients = Clients()
        yield Emulated(front, aws, clients)
        await clients.close()


async def test_it_answers_as_the_fake_aws_and_remembers_who_asked_what(emulated: Emulated) -> None:
    emulated.front.change(Weather(record=True))
    keys = emulated.somebody()
    await emulated.call("s3", "create_bucket", keys, Bucket=f"a-{keys.account_id}")
    found = await emulated.call("s3", "list_buckets", keys)
    assert [bucket["Name"] for bucket in found["Buckets"]] == [f"a-{keys.account_id}"]
    told = emulated.front.told()
    assert told["calls"] == {"s3:CreateBucket": 1, "s3:ListBuckets": 1}
    assert told["accounts"] == {keys.account_id: 2}
    assert told["recorded"][0]["params"] == {"Bucket": f"a-{keys.account_id}"}


async def test_administrators_feel_no_weather(emulated: Emulated) -> None:
    emulated.front.change(Weather(rates={Fault.ERROR: 1.0}))
    admin = emulated.aws.fresh_account()
    keys = Keys(admin.account_id, f"ADMINKEY{admin.account_id}", "administrator", None)
    await emulated.call("s3", "list_buckets", keys)
    assert emulated.front.told()["calls"] == {}


@pytest.mark.parametrize("service", ["ec2", "iam", "s3"])
async def test_an_empty_bucket_throttles_in_the_services_words(emulated: Emulated, service: str) -> None:
    emulated.front.change(Weather(limits={(service, "read"): Limit(2, 1e-9)}))
    operation = {"ec2": "describe_vpcs", "iam": "list_users", "s3": "list_buckets"}[service]
    one, other = emulated.somebody(), emulated.somebody()
    for _ in range(2):
        await emulated.call(service, operation, one)
    with pytest.raises(ClientError, match=r"RequestLimitExceeded|Throttling|SlowDown"):
        await emulated.call(service, operation, one)
    await emulated.call(service, operation, other)
    assert sum(emulated.front.told()["throttled"].values()) == 1


@pytest.mark.parametrize(
    ("fault", "is_done"),
    [(Fault.ERROR, False), (Fault.LOST, True), (Fault.THROTTLE, False), (Fault.EXPIRED, False)],
)
async def test_a_fault_is_an_error_and_says_whether_it_was_done(
    emulated: Emulated, fault: Fault, *, is_done: bool
) -> None:
    keys = emulated.somebody()
    emulated.front.change(Weather(rates={fault: 1.0}, spared=frozenset({"s3:ListBuckets"})))
    with pytest.raises(ClientError):
        await emulated.call("s3", "create_bucket", keys, Bucket=f"a-{keys.account_id}")
    found = await emulated.call("s3", "list_buckets", keys)
    assert bool(found["Buckets"]) == is_done
    assert emulated.front.told()["faults"] == {fault: 1}


async def test_a_reset_connection_gives_no_answer(emulated: Emulated) -> None:
    keys = emulated.somebody()
    emulated.front.change(Weather(rates={Fault.RESET: 1.0}))
    with pytest.raises((HTTPClientError, EndpointConnectionError)):
        await emulated.call("s3", "list_buckets", keys)


async def test_a_read_may_show_what_was_there_before(
    emulated: Emulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr("tests.emulator.front.time", type("Clock", (), {"monotonic": lambda: now}))
    keys = emulated.somebody()
    emulated.front.change(Weather(stale=2.0))

    async def users() -> int:
        return len((await emulated.call("iam", "list_users", keys))["Users"])

    assert await users() == 0
    await emulated.call("iam", "create_user", keys, UserName="erin")
    assert await users() == 0
    now += 1.9
    assert await users() == 0
    now += 0.2
    assert await users() == 1


def test_the_weather_survives_the_way_to_another_process() -> None:
    weather = Weather(
        latency=0.05,
        limits={("ec2", "read"): Limit(100, 20)},
        rates={Fault.RESET: 0.1},
        seed=3,
        spared=frozenset({"sqs:ReceiveMessage"}),
        stale=1.0,
        enforce=True,
        record=True,
    )
    assert Weather.from_json(weather.to_json()) == weather


def test_a_bucket_gives_its_burst_then_what_it_is_refilled() -> None:
    buckets = TokenBuckets({("ec2", "change"): Limit(3, 2)})

    def let_through(count: int, now: float) -> int:
        return sum(buckets.take("1", "us-east-1", "ec2", "CreateTags", now=now) for _ in range(count))

    assert let_through(5, 0.0) == 3
    assert let_through(5, 1.0) == 2
    assert let_through(5, 100.0) == 3
    assert buckets.take("2", "us-east-1", "ec2", "CreateTags", now=100.0)
    assert buckets.take("1", "us-east-1", "ec2", "DeleteTags", now=100.0)
    assert Limit(3, 2).seconds_for(7) == 2


def test_iam_has_one_bucket_for_all_regions_and_ec2_one_for_each() -> None:
    buckets = TokenBuckets({("ec2", "change"): Limit(1, 1), ("iam", "change"): Limit(1, 1)})

    def let_through(service: str, operation: str) -> list[bool]:
        regions = ("us-east-1", "eu-west-1")
        return [buckets.take("1", region, service, operation, now=0.0) for region in regions]

    assert let_through("iam", "PutRolePolicy") == [True, False]
    assert let_through("ec2", "CreateTags") == [True, True]


async def test_whoever_waits_for_messages_keeps_nobody_else_waiting(emulated: Emulated) -> None:
    keys = emulated.somebody()
    url = (await emulated.call("sqs", "create_queue", keys, QueueName="q"))["QueueUrl"]
    waiting = [
        asyncio.create_task(emulated.call("sqs", "receive_message", keys, QueueUrl=url, WaitTimeSeconds=20))
        for _ in range(6)
    ]
    await asyncio.wait(waiting, timeout=0.2)
    for number in range(6):
        # Would stand until the twenty seconds are over if the waiting stood in its way.
        sending = emulated.call("sqs", "send_message", keys, QueueUrl=url, MessageBody=str(number))
        await asyncio.wait_for(sending, timeout=15)
    found = await asyncio.wait_for(asyncio.gather(*waiting), timeout=15)
    assert sum(len(answer["Messages"]) for answer in found) == 6


def test_the_same_seed_draws_the_same_faults_about_as_often_as_told() -> None:
    def drawn(seed: int) -> list[Fault | None]:
        luck = Luck({Fault.ERROR: 0.1, Fault.RESET: 0.1}, seed)
        return [luck.draw("s3:ListBuckets") for _ in range(1000)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 60 <= drawn(1).count(Fault.ERROR) <= 140
    assert 60 <= drawn(1).count(Fault.RESET) <= 140
