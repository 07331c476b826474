"""Pacing of calls: one `asyncio_throttle.Throttler` for each bucket AWS keeps.

AWS meters most APIs per account and region. After a rest it lets a burst through, then so many calls a
second. The hub keeps to both, so that calls are paced by the hub rather than bounced by AWS. When AWS
throttles all the same (others call, too), the rate is halved and won back step by step, which is also
how several workers come to share an account's budget without knowing of each other.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from asyncio_throttle import Throttler

from hub.aws.limits import Limit, bucket_of

RECOVER_SECONDS = 2.0
STEPS = 8  # from nothing to the full rate
SAME_TROUBLE_SECONDS = 0.5
# AWS's clock and ours differ by what a call takes to arrive; a window that is a little longer forgives it.
WINDOW_SECONDS = 1.02
POLL_SECONDS = 0.01
INSTANT = 0.001
MAX_LANES = 20_000


@dataclass(slots=True)
class Throttles:
    """How many answers throttled a call, and how many of them `fresh` has told."""

    count: int = 0
    told: int = 0

    def fresh(self) -> int:
        """How many since this was asked last."""
        new, self.told = self.count - self.told, self.count
        return new


@dataclass(slots=True)
class Lane:
    """One bucket of AWS, as this process sees it.

    The throttler gives what AWS refills; ``spare`` is what a rest has left on top of it. ``queue``
    makes waiters come one by one: the first one looks again when a call is due, the others need not.
    """

    limit: Limit
    throttler: Throttler = field(init=False)
    queue: asyncio.Lock = field(default_factory=asyncio.Lock)
    spare: float = field(init=False)
    rate: float = field(init=False)
    used_at: float = field(init=False)
    throttles: Throttles = field(default_factory=Throttles)
    slowed_at: float = field(init=False, default=float("-inf"))
    recovered_at: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.used_at = time.monotonic()
        self.throttler = Throttler(rate_limit=1)
        self._set(self.limit.per_second)
        self.spare = self._most_spare

    @property
    def _most_spare(self) -> float:
        return max(0.0, self.limit.burst - float(self.throttler.rate_limit))

    def _set(self, rate: float) -> None:
        """Whole calls in a window: one a second or more of them in one second, less than one in a longer one."""
        self.rate = rate
        self.throttler.rate_limit = max(1, int(rate))
        self.throttler.period = WINDOW_SECONDS * self.throttler.rate_limit / rate
        self.throttler.retry_interval = POLL_SECONDS

    def slow_down(self) -> None:
        """AWS has throttled a call of this lane."""
        now = time.monotonic()
        self.throttles.count += 1
        self.spare = 0.0
        # What was on its way together is bounced together, and is one piece of news.
        if now - self.slowed_at >= SAME_TROUBLE_SECONDS:
            self._set(max(self.limit.per_second / STEPS, self.rate / 2))
            self.slowed_at = self.recovered_at = now

    async def admit(self) -> None:
        """Waits until the bucket has a call to give."""
        async with self.queue:
            now = time.monotonic()
            self._recover(now)
            rested = now - self.used_at - self.throttler.period
            if rested > 0:
                self.spare = min(self._most_spare, self.spare + rested * self.rate)
            # What is refilled goes first: unused it is lost, and a burst takes its time to be spent.
            due_in = self._refilled_in()
            if self.spare >= 1 and due_in > 0:
                self.spare -= 1
            else:
                # By itself a Throttler looks a hundred times a second, which thousands of lanes would feel.
                self.throttler.retry_interval = max(POLL_SECONDS, due_in)
                await self.throttler.acquire()
            self.used_at = time.monotonic()

    def _refilled_in(self) -> float:
        """Seconds until the refill has a call to give; 0 for now."""
        self.throttler.flush()
        calls = self.throttler._task_logs
        over = len(calls) - self.throttler.rate_limit
        if over < 0:
            return 0.0
        # It counts as gone only after its period, not at its end.
        return float(calls[over] + self.throttler.period - time.monotonic()) + INSTANT

    def _recover(self, now: float) -> None:
        if self.rate < self.limit.per_second:
            steps = int((now - self.recovered_at) / RECOVER_SECONDS)
            if steps:
                step = self.limit.per_second / STEPS
                self._set(min(self.limit.per_second, self.rate + steps * step))
                self.recovered_at += steps * RECOVER_SECONDS


class Pacer:
    """Admits calls at what AWS documents, and at ``calls_per_second`` where it documents nothing."""

    def __init__(self, calls_per_second: int) -> None:
        self._calls_per_second = calls_per_second
        self.throttles = Throttles()
        self._lanes: OrderedDict[tuple[str, str, str, str], Lane] = OrderedDict()

    def _lane(self, account_id: str, region: str, service: str, operation: str) -> Lane:
        bucket = bucket_of(service, operation, calls_per_second=self._calls_per_second)
        key = (account_id, region, service, bucket.name)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(bucket.limit, throttles=self.throttles)
            if len(self._lanes) > MAX_LANES:
                # The longest unused goes: its budget has refilled since.
                self._lanes.popitem(last=False)
        self._lanes.move_to_end(key)
        return lane

    @asynccontextmanager
    async def admitted(
        self, account_id: str, region: str, service: str, operation: str
    ) -> AsyncIterator[Lane]:
        """Waits until the call fits into its lane's rate."""
        lane = self._lane(account_id, region, service, operation)
        await lane.admit()
        yield lane
