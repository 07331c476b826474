"""Pacing: as many calls as the lane's rate, fewer after AWS throttles, and slowly more again."""

from __future__ import annotations

import asyncio

import asyncio_throttle.throttler
import pytest

from hub.aws import throttle
from hub.aws.throttle import RECOVER_SECONDS, Lane, Pacer

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
    fake = Clock()
    monkeypatch.setattr(asyncio_throttle.throttler, "time", fake)
    monkeypatch.setattr(asyncio_throttle.throttler, "asyncio", fake)
    monkeypatch.setattr(throttle, "time", fake)
    return fake


async def admit(pacer: Pacer, operation: str, *, account: str = ACCOUNT, service: str = "iam") -> Lane:
    async with pacer.admitted(account, "us-east-1", service, operation) as lane:
        return lane


async def admitted_at(pacer: Pacer, clock: Clock, operation: str, count: int) -> list[float]:
    """Seconds after the start at which each of ``count`` calls that all wait at once is let through."""
    start, moments = clock.now, list[float]()

    async def one() -> None:
        await admit(pacer, operation)
        moments.append(clock.now - start)

    await asyncio.gather(*(one() for _ in range(count)))
    return moments


def most_within_a_second(moments: list[float]) -> int:
    return max(sum(first <= moment < first + 1.0 for moment in moments) for first in moments)


async def test_reads_keep_to_the_rate_however_many_wait(clock: Clock) -> None:
    moments = await admitted_at(Pacer(20), clock, "ListUsers", 65)
    assert most_within_a_second(moments) == 20
    assert 3.0 <= moments[-1] < 3.2, "and no slower than the rate allows"


async def test_changes_get_a_quarter_of_the_rate(clock: Clock) -> None:
    moments = await admitted_at(Pacer(20), clock, "TagUser", 15)
    assert most_within_a_second(moments) == 5


async def test_the_lowest_rate_still_lets_changes_through(clock: Clock) -> None:
    moments = await admitted_at(Pacer(1), clock, "TagUser", 3)
    assert most_within_a_second(moments) == 1


@pytest.mark.parametrize(
    "other",
    [
        ("333344445555", "us-east-1", "iam", "ListUsers"),
        (ACCOUNT, "eu-west-1", "iam", "ListUsers"),
        (ACCOUNT, "us-east-1", "ec2", "ListUsers"),
        (ACCOUNT, "us-east-1", "iam", "TagUser"),
    ],
    ids=["account", "region", "service", "kind of call"],
)
async def test_a_busy_lane_holds_up_no_other(clock: Clock, other: tuple[str, str, str, str]) -> None:
    pacer = Pacer(4)
    for _ in range(4):
        await admit(pacer, "ListUsers")
    start = clock.now
    async with pacer.admitted(*other):
        assert clock.now == start
    await admit(pacer, "ListUsers")
    assert clock.now > start


async def test_throttling_halves_the_rate_down_to_one(clock: Clock) -> None:
    pacer = Pacer(20)
    lane = await admit(pacer, "ListUsers")
    rates = []
    for _ in range(6):
        lane.slow_down()
        rates.append(lane.throttler.rate_limit)
    assert rates == [10, 5, 2, 1, 1, 1]
    clock.now += 2
    moments = await admitted_at(pacer, clock, "ListUsers", 3)
    assert most_within_a_second(moments) == 1


async def test_the_rate_comes_back_slowly_and_no_further(clock: Clock) -> None:
    pacer = Pacer(4)
    lane = await admit(pacer, "ListUsers")
    lane.slow_down()
    rates = []
    for passed in (RECOVER_SECONDS - 0.1, 0.1, 0.1, RECOVER_SECONDS, RECOVER_SECONDS, RECOVER_SECONDS):
        clock.now += passed
        assert await admit(pacer, "ListUsers") is lane
        rates.append(lane.throttler.rate_limit)
    assert rates == [2, 3, 3, 4, 4, 4]


async def test_a_throttled_lane_slows_no_other(clock: Clock) -> None:
    pacer = Pacer(20)
    (await admit(pacer, "ListUsers")).slow_down()
    assert (await admit(pacer, "ListUsers", account="333344445555")).throttler.rate_limit == 20
    assert (await admit(pacer, "TagUser")).throttler.rate_limit == 5


async def test_of_a_thousand_waiters_one_polls_and_the_first_come_goes_first(clock: Clock) -> None:
    pacer, order = Pacer(500), list[int]()

    async def one(number: int) -> None:
        await admit(pacer, "ListUsers")
        order.append(number)

    await asyncio.gather(*(one(number) for number in range(1000)))
    assert order == sorted(order)
    assert clock.sleeps < 150, "one second of waiting at a hundredth of a second a look"


async def test_a_waiter_who_leaves_does_not_hold_up_the_others(clock: Clock) -> None:
    pacer = Pacer(1)
    await admit(pacer, "ListUsers")
    leaving, staying = (asyncio.create_task(admit(pacer, "ListUsers")) for _ in range(2))
    for _ in range(3):
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


@pytest.mark.parametrize("operation", ["GetUser", "ListUsers", "DescribeVpcs", "HeadBucket", "LookupEvents"])
async def test_looking_is_not_metered_as_changing(clock: Clock, operation: str) -> None:
    assert (await admit(Pacer(20), operation)).throttler.rate_limit == 20
