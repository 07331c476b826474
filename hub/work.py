"""The worker: takes messages off the queue, settles them side by side, hands back what it cannot finish.

A message is deleted after its report is out, never before. While it is worked on its visibility is
extended, so no other worker gets it; when this worker dies the extension ends and another takes over.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hub import flow
from hub.aws.accounts import spoke_error
from hub.aws.errors import from_botocore
from hub.aws.queues import visible_in
from hub.errors import HubError, NotNow, SettingsWrong
from hub.flow.ingest import unwrap
from hub.flow.kit import Kit
from hub.model import Outcome, Report

log = logging.getLogger(__name__)

BATCH = 10  # the most SQS gives at once
LONG_POLL_SECONDS = 20
RETRY_SECONDS = 15
POLL_AGAIN_SECONDS = 5.0
PROGRESS_SECONDS = 60.0


@dataclass(slots=True)
class Tally:
    """What this worker did so far."""

    settled: int = 0
    nothing_due: int = 0
    handed_back: int = 0
    unreadable: int = 0
    failed: int = 0

    def count(self, report: Report) -> None:
        self.settled += 1
        self.failed += sum(not (run.outcome or Outcome.INTERRUPTED).well for run in report.runs)


class Worker:
    """Consumes one queue until told to stop.

    Args:
        kit: the hub.
        on_report: called with every published report (progress bars).
    """

    def __init__(self, kit: Kit, *, on_report: Callable[[Report], None] | None = None) -> None:
        if not kit.settings.queue_url:
            raise SettingsWrong("HUB_QUEUE_URL is not set: the worker has no queue to consume")
        self.tally = Tally()
        self._kit = kit
        self._on_report = on_report
        # As long as the lease: a dead worker's messages and findings become free at about the same time.
        self._invisible = math.ceil(kit.settings.lease_seconds)
        self._stopping = asyncio.Event()
        self._slots = asyncio.Semaphore(kit.settings.concurrency)
        self._tasks: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Take no more messages; `run` returns when the ones at hand are settled."""
        self._stopping.set()

    async def run(self) -> Tally:
        """Consume until `stop`, then drain.

        Raises:
            SpokeError: the queue cannot be read at all (denied, does not exist).
        """
        sqs = await self._kit.identity.kept("sqs")
        progress = asyncio.create_task(self._log_progress())
        try:
            while not self._stopping.is_set():
                await self._take_some(sqs)
        finally:
            progress.cancel()
            if self._tasks:
                log.info("draining", extra={"messages": len(self._tasks)})
                await asyncio.gather(*self._tasks, return_exceptions=True)
        return self.tally

    async def _take_some(self, sqs: Any) -> None:
        room = await self._room()
        if room == 0:
            return
        try:
            received = await self._unless_stopped(
                sqs.receive_message(
                    QueueUrl=self._kit.settings.queue_url,
                    MaxNumberOfMessages=room,
                    WaitTimeSeconds=LONG_POLL_SECONDS,
                    VisibilityTimeout=self._invisible,
                    MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
                )
            )
        except (ClientError, BotoCoreError) as error:
            told = from_botocore(
                error, service="sqs", operation="ReceiveMessage", region=self._kit.settings.region
            )
            trouble = spoke_error(told, f"queue {self._kit.settings.queue_url} could not be read")
            if isinstance(error, ClientError) and 400 <= told.status < 500 and told.status != 429:
                self._give_back(room)
                raise trouble from error
            log.warning("queue not read, trying again", extra={"error": str(trouble)})
            await self._unless_stopped(asyncio.sleep(POLL_AGAIN_SECONDS))
            received = None
        messages = received.get("Messages", []) if received else []
        self._give_back(room - len(messages))
        for raw in messages:
            task = asyncio.create_task(self._handle(sqs, raw))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    async def _room(self) -> int:
        """Take one slot, waiting for it, and up to nine more that are free."""
        await self._unless_stopped(self._slots.acquire())
        if self._stopping.is_set():
            return 0
        room = 1
        while room < BATCH and not self._slots.locked():
            await self._slots.acquire()
            room += 1
        return room

    def _give_back(self, slots: int) -> None:
        for _ in range(slots):
            self._slots.release()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._slots.release()
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a message could not be handled", exc_info=error)

    async def _unless_stopped(self, waiting: Any) -> Any:
        """The result, or None as soon as the worker is told to stop."""
        task = asyncio.ensure_future(waiting)
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            return None
        finally:
            stopping.cancel()

    async def _handle(self, sqs: Any, raw: dict[str, Any]) -> None:
        message = unwrap(raw["Body"], message_id=raw["MessageId"], origin=f"queue message {raw['MessageId']}")
        async with self._kept_invisible(sqs, raw) as receipt:
            try:
                done = await flow.settle(self._kit, message)
            except NotNow as later:
                self.tally.handed_back += 1
                await self._visible_in(sqs, receipt, later.seconds)
                return
            except HubError as error:
                self.tally.handed_back += 1
                log.error(
                    "message not settled, handed back",
                    extra={"message_id": raw["MessageId"], "error": str(error)},
                )
                await self._visible_in(sqs, receipt, RETRY_SECONDS)
                return
            if done.report is not None and self._on_report is not None:
                self._on_report(done.report)
            if not done.acknowledge:
                self.tally.unreadable += 1
                # Straight back: each receive brings it nearer to the dead-letter queue.
                await self._visible_in(sqs, receipt, 0)
                return
            await sqs.delete_message(QueueUrl=self._kit.settings.queue_url, ReceiptHandle=receipt)
            if done.report is None:
                self.tally.nothing_due += 1
            else:
                self.tally.count(done.report)

    @asynccontextmanager
    async def _kept_invisible(self, sqs: Any, raw: dict[str, Any]) -> AsyncIterator[str]:
        receipt: str = raw["ReceiptHandle"]
        heart = asyncio.create_task(self._beat(sqs, receipt))
        try:
            yield receipt
        finally:
            heart.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await heart

    async def _beat(self, sqs: Any, receipt: str) -> None:
        while True:
            await asyncio.sleep(self._invisible / 3)
            await self._visible_in(sqs, receipt, self._invisible)

    async def _visible_in(self, sqs: Any, receipt: str, seconds: float) -> None:
        await visible_in(sqs, self._kit.settings.queue_url, receipt, seconds)

    async def _log_progress(self) -> None:
        began = time.monotonic()
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            tally = self.tally
            log.info(
                "progress",
                extra={
                    "settled": tally.settled,
                    "nothing_due": tally.nothing_due,
                    "in_hand": len(self._tasks),
                    "handed_back": tally.handed_back,
                    "unreadable": tally.unreadable,
                    "per_second": round(tally.settled / (time.monotonic() - began), 2),
                },
            )
