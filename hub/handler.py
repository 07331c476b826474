"""Lambda entry. From SQS: settles the batch side by side and hands back the ids it could not settle in time.
From SNS straight: settles, or raises so that Lambda delivers again. Called by the clock: looks for what has waited long
enough, as it does at the end of other invocations once a minute."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any, Protocol, TypeVar

from hub import flow, log
from hub.app import Hub, open_hub
from hub.aws.queues import visible_in
from hub.collecting import collect_seldom
from hub.errors import HubError, NotNow
from hub.flow.ingest import Received, from_lambda
from hub.flow.kit import Kit
from hub.settings import Settings
from hub.sweep import Sweeper, by_the_clock

logger = logging.getLogger(__name__)
T = TypeVar("T")

# Kept for breaking off: releasing leases and closing connections.
RESERVE_SECONDS = 5.0


class Context(Protocol):
    """What is used of Lambda's context object."""

    def get_remaining_time_in_millis(self) -> int: ...


class Resident:
    """A hub that stays open between invocations, with the loop it lives in.

    Lambda keeps the process for hours: clients, role sessions and the list of accounts are made for the
    first invocation and serve all others. While Lambda has the process frozen nothing happens in it, so
    nothing may be left to do when an invocation ends: all leases are released and all reports are out.

    Raises:
        JournalUnwritable, SettingsWrong: see `open_hub`.
    """

    def __init__(self) -> None:
        collect_seldom()
        settings = Settings.load()
        log.configure(settings.log_level)
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        try:
            self.hub: Hub = self.run(self._stack.enter_async_context(open_hub(settings)))
        except BaseException:
            self._runner.close()
            raise
        self.sweeper = Sweeper(self.hub.kit)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to its end in the hub's loop."""
        return self._runner.run(work)

    def close(self) -> None:
        """Close the hub and its loop."""
        try:
            self.run(self._stack.aclose())
        finally:
            self._runner.close()


@functools.cache
def resident() -> Resident:
    """The hub of this process."""
    return Resident()


def handler(event: dict[str, Any], context: Context | None) -> dict[str, list[dict[str, str]]]:
    """Settle the records of ``event``; answers in the form of SQS partial batch responses.

    Lambda freezes what is not done when its time is over, and SQS would learn nothing. So what cannot be
    finished is broken off before that and handed back; its runs stay open in the journal and go on with
    the next delivery.
    """
    if by_the_clock(event):
        kept = resident()
        kept.run(kept.sweeper.once(seconds=_seconds_left(context)))
        return {"batchItemFailures": []}
    records = from_lambda(event)
    kept = resident()
    kit = kept.hub.kit
    failed = kept.run(_settle_all(kit, records, _seconds_left(context)))
    kept.run(kept.sweeper.once_a_minute(seconds=_seconds_left(context)))
    kit.metrics.emit(Throttles=kit.accounts.fresh_throttles())
    if any(record_id is None for record_id in failed):
        raise HubError("a message from SNS was not settled; deliver it again")
    return {"batchItemFailures": [{"itemIdentifier": record_id} for record_id in failed if record_id]}


def _seconds_left(context: Context | None) -> float | None:
    return context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS if context else None


async def _settle_all(kit: Kit, records: tuple[Received, ...], seconds: float | None) -> list[str | None]:
    tasks = [asyncio.create_task(_settled(kit, record)) for record in records]
    _, late = await asyncio.wait(tasks, timeout=seconds)
    if late:
        logger.warning("broken off, out of time", extra={"records": len(late)})
        for task in late:
            task.cancel()
        await asyncio.wait(late)
        broken_off = (record for record, task in zip(records, tasks, strict=True) if task in late)
        await asyncio.gather(*(_comes_again(kit, record, 0) for record in broken_off))
    return [
        record.record_id
        for record, task in zip(records, tasks, strict=True)
        if task.cancelled() or not task.result()
    ]


async def _settled(kit: Kit, record: Received) -> bool:
    try:
        done = await flow.settle(kit, record.message)
    except NotNow as later:
        await _comes_again(kit, record, later.seconds)
        return False
    except Exception as error:
        logger.exception("record not settled", extra={"record": record.record_id, "error": str(error)})
        return False
    # From SNS there is no dead-letter queue behind a second try: the report says what was unreadable.
    return done.acknowledge or record.record_id is None


async def _comes_again(kit: Kit, record: Received, seconds: float) -> None:
    # Without a word from us SQS would wait for the whole visibility timeout.
    if record.receipt and kit.settings.queue_url:
        sqs = await kit.identity.kept("sqs")
        await visible_in(sqs, kit.settings.queue_url, record.receipt, seconds)
