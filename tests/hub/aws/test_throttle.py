"""Pacing: a burst after a rest, then the rate, fewer after AWS throttles, and step by step more again.

The judge is a token bucket as AWS keeps it, on the same clock: what it refuses, AWS would have.
"""

from __future__ import annotations

import asyncio
import random

import asyncio_throttle.throttler
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.aws import throttle
from hub.aws.limits import Bucket, Limit, bucket_of
from hub.aws.throttle import SAME_TROUBLE_SECONDS, STEPS, Lane, Pacer
from tests.emulator import buckets
from tests.emulator.buckets import TokenBuckets
from tests.virtual_time import VirtualLoop, run

ACCOUNT = "222233334444"


class Clock:
    """Time that passes only when the throttler sleeps, so that rates are exact and tests take none.

    Stands in for the modules ``time`` and ``asyncio`` where the pacer and its throttler use them.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps = 0

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps += 1
        self.now += seconds
        await asyncio.sleep(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return _put_in(Clock(), monkeypatch)


def _put_in(fake: Clock, monkeypatch: pytest.MonkeyPatch) -> Clock:
    monkeypatch.setattr(asyncio_throttle.throttler, "time", fake)
    monkeypatch.setattr(asyncio_throttle.throttler, "asyncio", fake)
    monkeypatch.setattr(throttle, "time", fake)
    return fake


async def admit(pacer: Pacer, operation: str, *, account: str = ACCOUNT, service: str = "iam") -> Lane:
    async with pacer.admitted(account, "us-east-1", service, operation) as lane:
        return lane


async def admitted_at(pacer: Pacer, clock: Clock, operation: str, count: int, *, service: str) -> list[float]:
    """Seconds after the start at which each of ``count`` calls that all wait at once is let through."""
    start, moments = clock.now, list[float]()

    async def one() -> None:
        await admit(pacer, operation, service=service)
        moments.append(clock.now - start)

    await asyncio.gather(*(one() for _ in range(count)))
    return moments


def refused_by(limit: buckets.Limit, moments: list[float]) -> int:
    """How many of calls made at these moments AWS would have throttled."""
    aws = TokenBuckets({("x", "read"): limit})
    return sum(not aws.take(ACCOUNT, "us-east-1", "x", "GetX", now=moment) for moment in moments)


async def test_a_burst_goes_at_once_and_the_rest_at_the_rate_aws_refills(clock: Clock) -> None:
    moments = await admitted_at(Pacer(1000), clock, "AuthorizeSecurityGroupIngress", 90, service="ec2")
    assert sum(moment == 0 for moment in moments) == 50
    assert refused_by(buckets.EC2_CHANGE, moments) == 0
    optimum = buckets.EC2_CHANGE.seconds_for(90)
    assert moments[-1] <= optimum * 1.10, "and no slower than AWS allows"


@settings(deadline=None, max_examples=40)
@given(
    burst=st.floats(1, 60),
    rate=st.floats(1.5, 30),
    rests=st.lists(st.floats(0, 20), max_size=3),
    calls=st.integers(1, 40),
)
async def test_whatever_aws_allows_is_never_exceeded(
    burst: float, rate: float, rests: list[float], calls: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        clock = _put_in(Clock(), patch)
        lane, moments = Lane(Limit(burst, rate)), list[float]()
        for rest in [0.0, *rests]:
            clock.now += rest
            for _ in range(calls):
                await lane.admit()
                moments.append(clock.now)
        # A bucket holds a whole call however small its burst.
        assert refused_by(buckets.Limit(max(1.0, burst, int(rate)), rate), moments) == 0


async def test_a_rest_fills_the_bucket_again(clock: Clock) -> None:
    pacer = Pacer(1000)
    await admitted_at(pacer, clock, "AuthorizeSecurityGroupIngress", 60, service="ec2")
    clock.now += 60
    moments = await admitted_at(pacer, clock, "AuthorizeSecurityGroupIngress", 50, service="ec2")
    assert moments[-1] == 0


async def test_where_aws_names_no_figure_the_hubs_own_rate_holds(clock: Clock) -> None:
    reads = await admitted_at(Pacer(20), clock, "ListUsers", 160, service="iam")
    assert refused_by(buckets.Limit(20, 20), reads) == 0
    assert 7.0 <= reads[-1] < 7.5
    changes = await admitted_at(Pacer(20), clock, "TagUser", 40, service="iam")
    assert refused_by(buckets.Limit(5, 5), changes) == 0
    assert 7.0 <= changes[-1] < 7.5


async def test_what_the_hub_was_told_to_keep_to_is_above_no_figure_of_aws(clock: Clock) -> None:
    moments = await admitted_at(Pacer(1), clock, "DescribeVpcs", 10, service="ec2")
    assert refused_by(buckets.Limit(5, 1), moments) == 0
    assert bucket_of("cloudtrail", "LookupEvents", calls_per_second=1000).limit == Limit(2, 2)
    assert bucket_of("cloudtrail", "LookupEvents", calls_per_second=1).limit == Limit(2, 1)


@pytest.mark.parametrize(
    "other",
    [
        ("333344445555", "us-east-1", "iam", "ListUsers"),
        (ACCOUNT, "eu-west-1", "iam", "ListUsers"),
        (ACCOUNT, "us-east-1", "sqs", "ListUsers"),
        (ACCOUNT, "us-east-1", "iam", "TagUser"),
    ],
    ids=["account", "region", "service", "kind of call"],
)
async def test_a_busy_lane_holds_up_no_other(clock: Clock, other: tuple[str, str, str, str]) -> None:
    pacer = Pacer(4)
    for _ in range(20):
        await admit(pacer, "ListUsers")
    start = clock.now
    async with pacer.admitted(*other):
        assert clock.now == start
    await admit(pacer, "ListUsers")
    assert clock.now > start


async def test_apis_of_ec2_are_metered_each_for_itself(clock: Clock) -> None:
    pacer = Pacer(1000)
    await admitted_at(pacer, clock, "RevokeSecurityGroupIngress", 50, service="ec2")
    others = await admitted_at(pacer, clock, "RevokeSecurityGroupEgress", 50, service="ec2")
    assert others[-1] == 0


async def test_throttling_takes_the_burst_and_halves_the_rate_down_to_a_step(clock: Clock) -> None:
    lane = await admit(Pacer(16), "ListUsers")
    rates = []
    for _ in range(6):
        lane.slow_down()
        clock.now += SAME_TROUBLE_SECONDS
        rates.append(lane.rate)
    assert rates == [8, 4, 2, 2, 2, 2]
    assert lane.spare == 0


async def test_calls_that_are_bounced_together_slow_the_lane_once(clock: Clock) -> None:
    lane = await admit(Pacer(16), "ListUsers")
    for _ in range(10):
        lane.slow_down()
    assert lane.rate == 8


async def test_the_rate_comes_back_step_by_step_and_no_further(clock: Clock) -> None:
    pacer = Pacer(16)
    lane = await admit(pacer, "ListUsers")
    lane.slow_down()
    rates = []
    for passed in (1.9, 0.2, 2.0, 2.0, 2.0, 60.0):
        clock.now += passed
        assert await admit(pacer, "ListUsers") is lane
        rates.append(lane.rate)
    step = 16 / STEPS
    assert rates == [8, 8 + step, 8 + 2 * step, 8 + 3 * step, 16, 16]


async def test_a_throttled_lane_slows_no_other(clock: Clock) -> None:
    pacer = Pacer(20)
    (await admit(pacer, "ListUsers")).slow_down()
    assert (await admit(pacer, "ListUsers", account="333344445555")).rate == 20
    assert (await admit(pacer, "TagUser")).rate == 5


def test_workers_that_do_not_know_of_each_other_come_to_share_a_bucket(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop = VirtualLoop()
    monkeypatch.setattr(asyncio_throttle.throttler, "time", loop)
    monkeypatch.setattr(throttle, "time", loop)
    limit, luck = Limit(10, 8), random.Random(7)
    aws = TokenBuckets({("x", "read"): buckets.Limit(limit.burst, limit.per_second)})
    lanes = [Lane(limit) for _ in range(4)]
    done, refused = [0] * len(lanes), [0] * len(lanes)

    async def work(number: int) -> None:
        while loop.time() < 1300:
            await lanes[number].admit()
            await asyncio.sleep(luck.uniform(0.02, 0.08))  # on its way
            if aws.take(ACCOUNT, "us-east-1", "x", "GetX", now=loop.time()):
                done[number] += 1
            else:
                refused[number] += 1
                lanes[number].slow_down()

    async def all_of_them() -> None:
        await asyncio.gather(*(work(number) for number in range(len(lanes))))

    run(loop, all_of_them())
    assert sum(done) >= 0.9 * 300 * limit.per_second, "the budget is used"
    assert min(done) >= 0.15 * sum(done), "by all of them"
    assert sum(refused) <= 0.25 * sum(done), "and AWS says no far less often than yes"


async def test_of_a_thousand_waiters_one_looks_once_a_second_and_the_first_come_goes_first(
    clock: Clock,
) -> None:
    lane, order = Lane(Limit(500, 500)), list[int]()

    async def one(number: int) -> None:
        await lane.admit()
        order.append(number)

    await asyncio.gather(*(one(number) for number in range(1000)))
    assert order == sorted(order)
    assert clock.sleeps <= 2, "for the second after which there are more"


async def test_a_waiter_who_leaves_does_not_hold_up_the_others(clock: Clock) -> None:
    lane = Lane(Limit(1, 1))
    await lane.admit()
    leaving, staying = (asyncio.create_task(lane.admit()) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    await staying
    assert leaving.cancelled()
    assert 1.0 < clock.now - 1000.0 < 1.1, "the place of the one who left was not paid for"


async def test_lanes_nobody_uses_are_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "MAX_LANES", 2)
    pacer = Pacer(20)
    first, second = [await admit(pacer, "ListUsers", account=account) for account in ("1", "2")]
    assert await admit(pacer, "ListUsers", account="1") is first
    await admit(pacer, "ListUsers", account="3")
    assert await admit(pacer, "ListUsers", account="1") is first
    assert await admit(pacer, "ListUsers", account="2") is not second


@pytest.mark.parametrize("operation", ["GetUser", "ListUsers", "DescribeVpcs", "HeadBucket", "BatchGetImage"])
def test_looking_is_not_metered_as_changing(operation: str) -> None:
    assert bucket_of("s3", operation, calls_per_second=20).limit.per_second == 20
    assert bucket_of("s3", f"Put{operation}", calls_per_second=20).limit.per_second == 5


def test_by_default_the_documented_figures_hold_whole() -> None:
    for operation, figure in (
        ("DescribeVpcs", Limit(100, 20)),
        ("RevokeSecurityGroupIngress", Limit(50, 5)),
        ("CreateTags", Limit(100, 10)),
        ("StartInstances", Limit(5, 2)),
        ("StopInstances", Limit(50, 5)),
        ("DescribeSecurityGroups", Limit(50, 10)),
    ):
        assert bucket_of("ec2", operation, calls_per_second=20) == Bucket(operation, figure)
    assert bucket_of("ec2", "CreateTags", calls_per_second=2).limit == Limit(10, 1)


def test_lambda_meters_most_calls_together_reading_or_changing() -> None:
    reading, changing = (
        bucket_of("lambda", operation, calls_per_second=20)
        for operation in ("GetFunctionConfiguration", "UpdateFunctionConfiguration")
    )
    assert reading == changing == Bucket("all", Limit(15, 15))
    assert bucket_of("lambda", "GetPolicy", calls_per_second=40).name == "GetPolicy"
    assert bucket_of("lambda", "GetFunction", calls_per_second=200).limit == Limit(100, 100)
