"""Takes up again what has waited long enough, or was answered and nobody was told.

Answers and moments stand in the journal only. So somebody has to look there: each worker once a minute, and the
Lambda function when it is called. Whoever comes first does it for all of them.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import datetime, timedelta

from hub.errors import HubError, SpokeError
from hub.flow import waiting
from hub.flow.going_on import tell, to_be_told
from hub.flow.kit import Kit
from hub.flow.resume import resume
from hub.flow.waiting import Waiting
from hub.model import Outcome

log = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
# A little less: those who share the work do not look at the same moment.
LEASE_SECONDS = 55.0
MOST = 2_000  # of one pass
FORGOTTEN = timedelta(days=1)
LEAST_SECONDS = 5.0  # with less time than that left a pass is not begun


def by_the_clock(event: object) -> bool:
    """Whether a rule of EventBridge called the function because it was time, and for nothing else.

    Source: EventBridge User Guide, "Creating a rule that runs on a schedule".
    """
    return (
        isinstance(event, Mapping)
        and "Records" not in event
        and event.get("detail-type") == "Scheduled Event"
    )


class Sweeper:
    """Sweeps for one process, with as many others as there are."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._last: datetime | None = None

    async def for_ever(self) -> None:
        """Every minute; nothing but being cancelled ends it."""
        while True:
            await self.once()
            await asyncio.sleep(EVERY_SECONDS)

    async def once_a_minute(self, *, seconds: float | None) -> None:
        """If the last time is a minute ago.

        Args:
            seconds: after so many it is broken off; with very few it is not begun. None: there is no end.
        """
        if self._last is None or (self._kit.now() - self._last).total_seconds() >= EVERY_SECONDS:
            await self.once(seconds=seconds)

    async def once(self, *, seconds: float | None = None) -> None:
        """Now, unless somebody else did within this minute. Errors are only logged: the next pass tries again."""
        if seconds is not None and seconds < LEAST_SECONDS:
            return
        self._last = self._kit.now()
        try:
            async with asyncio.timeout(seconds):
                if await self._is_mine():
                    await sweep(self._kit)
        except TimeoutError:
            log.warning("sweep broken off, out of time")
        except HubError as error:
            log.warning("sweep not finished", extra={"error": str(error)})
        except Exception:
            log.exception("sweep not finished")

    async def _is_mine(self) -> bool:
        # Never given back: it ends by itself when it is time for the next.
        mark = secrets.token_hex(8)
        return await self._kit.journal.lease("sweep", owner=mark, seconds=LEASE_SECONDS) is not None


async def sweep(kit: Kit) -> int:
    """Take up, or have the queue told to take up, what can go on.

    Returns:
        How many were.

    Raises:
        SpokeError: the queue takes nothing now.
        JournalUnwritable: the journal could not be read.
    """
    if kit.settings.dry_run:
        return 0
    done = 0
    told_before: list[Waiting] = []
    async with aclosing(ready(kit)) as found:
        async for waits in found:
            if waits.sent_at is not None:
                # First those nobody has told of, or the same few would be told again for ever.
                told_before += [waits] if len(told_before) < MOST else []
                continue
            done += await _take_up(kit, waits)
            if done >= MOST:
                break
    for waits in told_before[: MOST - done]:
        done += await _take_up(kit, waits)
    if done:
        log.info("taken up what waited", extra={"runs": done})
    return done


async def ready(kit: Kit) -> AsyncGenerator[Waiting, None]:
    """What can go on, and the queue does not know yet.

    Raises:
        JournalUnwritable: the journal could not be read.
    """
    async for waits in waiting.everybody(kit.journal):
        if not to_be_told(waits, kit.now()):
            continue
        run = await kit.journal.get(waits.run_id)
        if run is None and waits.since < kit.now() - FORGOTTEN:
            # Its finding has not come again, and without its record nobody can go on with it.
            log.error("what waited is not in the journal any more", extra={"run": waits.run_id})
            await waiting.no_more(kit.journal, waits)
            continue
        if run is None or run.outcome is None:
            # A worker was cut off before the run was closed; its finding comes again and brings it to its end.
            continue
        if run.outcome is not Outcome.WAITING:
            # That end was another: it will never wait again.
            await waiting.no_more(kit.journal, waits)
            continue
        yield waits


async def _take_up(kit: Kit, waits: Waiting) -> bool:
    try:
        if kit.settings.queue_url:
            return await tell(kit, waits)
        return (await resume(kit, waits.run_id)).report is not None
    except SpokeError:
        # No queue, no topic: the others would fare no better.
        raise
    except HubError as error:
        log.warning("could not go on with a run", extra={"run": waits.run_id, "error": str(error)})
        return False
