"""Pacing of calls: one `asyncio_throttle.Throttler` per account, region, service and class of call.

AWS meters most APIs per account and region, reading and changing calls apart. The hub stays under a
rate it was given, halves it when AWS throttles all the same and wins it back slowly, so that calls
are paced by the hub rather than bounced by AWS.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from asyncio_throttle import Throttler

RECOVER_SECONDS = 5.0
# APIs that AWS meters far below the rest of their service: calls a second per account and region.
METERED = {("cloudtrail", "LookupEvents"): 2}
MAX_LANES = 20_000


@dataclass(slots=True)
class Lane:
    """One metered bucket of AWS. ``queue`` makes waiters come one by one: a Throttler polls, and one
    waiter that polls is enough."""

    full_rate: int
    throttler: Throttler
    queue: asyncio.Lock = field(default_factory=asyncio.Lock)
    slowed_at: float = 0.0

    def slow_down(self) -> None:
        self.throttler.rate_limit = max(1, self.throttler.rate_limit // 2)
        self.slowed_at = time.monotonic()

    def recover(self) -> None:
        if self.throttler.rate_limit < self.full_rate:
            now = time.monotonic()
            if now - self.slowed_at >= RECOVER_SECONDS:
                self.throttler.rate_limit = min(self.full_rate, self.throttler.rate_limit + 1)
                self.slowed_at = now


class Pacer:
    """Admits calls at ``calls_per_second`` per lane; changing calls at a quarter of it."""

    def __init__(self, calls_per_second: int) -> None:
        self._rates = {"read": calls_per_second, "change": max(1, calls_per_second // 4)}
        self._lanes: OrderedDict[tuple[str, str, str, str], Lane] = OrderedDict()

    def _lane(self, account_id: str, region: str, service: str, operation: str) -> Lane:
        metered = METERED.get((service, operation))
        reads = operation.startswith(("Get", "List", "Describe", "Head", "Lookup"))
        kind = operation if metered else "read" if reads else "change"
        key = (account_id, region, service, kind)
        lane = self._lanes.get(key)
        if lane is None:
            # Never above what the hub is told to keep to altogether.
            rate = min(metered, self._rates["read"]) if metered else self._rates[kind]
            lane = self._lanes[key] = Lane(rate, Throttler(rate_limit=rate))
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
        async with lane.queue:
            lane.recover()
            await lane.throttler.acquire()
        yield lane
