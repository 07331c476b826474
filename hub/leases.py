"""Leases of the journal, held and kept alive while work is going on.

One background task renews everything this process holds. Whoever is about to write to AWS calls
`Held.ensure`, which refuses when the lease is lost or so close to its end that another worker could
have it before the write arrives.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from hub.abreast import abreast
from hub.errors import HubError, LeaseLost, NotNow
from hub.journals import Journal, Lease

log = logging.getLogger(__name__)

SAFETY = 0.25  # share of the lease's life that must be left for a write to start
FIRST_POLL_SECONDS = 0.1
LAST_POLL_SECONDS = 2.0
RENEWALS_AT_ONCE = 64


@dataclass(slots=True)
class Held:
    """A lease in this process's hands. ``fence`` goes into every journal write made under it."""

    lease: Lease
    seconds: float
    lost: bool = False
    safe_until: float = field(default=0.0)  # event loop time

    @property
    def fence(self) -> int:
        return self.lease.fence

    def ensure(self) -> None:
        """Raises:
        LeaseLost: somebody else may own ``name`` by now; write nothing.
        """
        if self.lost or asyncio.get_running_loop().time() > self.safe_until:
            raise LeaseLost(f"the lease on {self.lease.name} ran out; another worker goes on with it")


class Leases:
    """Takes leases for this process; use as an async context manager around its whole life."""

    def __init__(self, journal: Journal, *, seconds: float) -> None:
        self._journal = journal
        self._seconds = seconds
        self._held: dict[int, Held] = {}
        self._waiting: dict[str, tuple[asyncio.Lock, int]] = {}
        self._renewer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Leases:
        self._renewer = asyncio.create_task(self._renew_all())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._renewer is not None:
            self._renewer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._renewer

    @asynccontextmanager
    async def hold(self, name: str, *, wait: float) -> AsyncIterator[Held]:
        """Hold ``name``; tasks of this process queue up in order, other processes are polled.

        Args:
            name: what to hold.
            wait: seconds to wait for other processes.

        Raises:
            NotNow: somebody else still held it when ``wait`` was over.
        """
        async with self._in_order(name):
            held = await self._take(name, wait)
            self._held[id(held)] = held
            try:
                yield held
            finally:
                del self._held[id(held)]
                if not held.lost:
                    # Releasing is a courtesy; an expiry does the same a little later.
                    with contextlib.suppress(HubError):
                        await asyncio.shield(self._journal.release(held.lease))
                log.debug("lease left", extra={"lease": name})

    @asynccontextmanager
    async def _in_order(self, name: str) -> AsyncIterator[None]:
        lock, users = self._waiting.get(name, (asyncio.Lock(), 0))
        self._waiting[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._waiting[name]
            if users == 1:
                del self._waiting[name]
            else:
                self._waiting[name] = (lock, users - 1)

    async def _take(self, name: str, wait: float) -> Held:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait
        pause = FIRST_POLL_SECONDS
        owner = secrets.token_hex(8)
        while True:
            asked_at = loop.time()
            lease = await self._journal.lease(name, owner=owner, seconds=self._seconds)
            if lease is not None:
                log.debug("lease taken", extra={"lease": name})
                return Held(lease, self._seconds, safe_until=self._safe_until(asked_at))
            if loop.time() + pause > deadline:
                raise NotNow(f"another worker holds {name}", seconds=min(self._seconds, 30.0))
            await asyncio.sleep(pause)
            pause = min(pause * 2, LAST_POLL_SECONDS)

    def _safe_until(self, asked_at: float) -> float:
        return asked_at + self._seconds * (1 - SAFETY)

    async def _renew_all(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            await self.renew_now()
            await asyncio.sleep(max(0.0, began + self._seconds / 4 - loop.time()))

    async def renew_now(self) -> None:
        """Renew everything held; what somebody else took meanwhile becomes lost.

        A journal that is slow to answer about one lease keeps no other waiting: many are renewed at
        once, the one nearest to its end first, and each in a time of its own.
        """
        urgent = sorted(self._held.values(), key=lambda held: held.safe_until)
        still_held = (held for held in urgent if id(held) in self._held)
        await abreast(still_held, self._renew, hands=RENEWALS_AT_ONCE)

    async def _renew(self, held: Held) -> None:
        asked_at = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._seconds / 4):
                renewed = await self._journal.renew(held.lease, seconds=self._seconds)
        except Exception as error:  # noqa: BLE001 - whatever it is, the others want to be renewed
            # Not lost yet: `safe_until` decides, and the next round tries again.
            log.warning("lease not renewed", extra={"lease": held.lease.name, "error": repr(error)})
            return
        if renewed is None:
            held.lost = True
        else:
            held.lease = renewed
            held.safe_until = self._safe_until(asked_at)
