"""The worker: settles the queue's messages side by side, hands back what it cannot finish.

A message is deleted after its report is out, never before. While it is held its visibility is extended,
so no other worker gets it; when this worker dies the extension ends and another takes over. Beside that it looks
once a minute for what has waited long enough (`hub.sweep`).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bots._aws import AwsError
from hub import flow
from hub.aws.queues import deleter, visible_in
from hub.batching import Batcher
from hub.errors import HubError, LeaseLost, NotNow, PutOff, SettingsWrong
from hub.flow.kit import Kit
from hub.intake import Delivery, Intake, longer
from hub.model import Outcome, Report
from hub.sweep import Sweeper

log = logging.getLogger(__name__)

RETRY_SECONDS = 15
PLAIN_PAUSES = 3
PROGRESS_SECONDS = 60.0
SHARE = 4  # an account gets a quarter of the hands at most


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
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Take no more messages; `run` returns when the ones at hand are settled."""
        self._stopping.set()

    async def run(self) -> Tally:
        """Consume until `stop`, then drain.

        What is at work when the grace period ends is broken off: its runs stay open in the journal, its
        messages come again, and another worker goes on where AWS stands.

        Raises:
            SpokeError: the queue cannot be read at all (denied, does not exist).
        """
        sqs = await self._kit.identity.kept("sqs")
        each = max(1, self._kit.settings.concurrency // SHARE)
        intake = Intake(self._kit, sqs, each=each)
        # Each message at work waits for its own deletion, so draining leaves none behind.
        deletes = deleter(sqs, self._kit.settings.queue_url, region=self._kit.settings.region)
        beating = asyncio.create_task(intake.beat())
        progress = asyncio.create_task(self._log_progress(intake))
        sweeping = asyncio.create_task(Sweeper(self._kit).for_ever())
        try:
            await self._consume(sqs, deletes, intake, beating)
        finally:
            # Side by side: thousands of messages take a while to be given back, and the grace period is short.
            await asyncio.gather(intake.hand_back(), self._drain())
            for task in (beating, progress, sweeping):
                task.cancel()
            await asyncio.gather(beating, progress, sweeping, return_exceptions=True)
            self._emit(intake)
        return self.tally

    async def _consume(
        self, sqs: Any, deletes: Batcher[str, None], intake: Intake, beating: asyncio.Task[None]
    ) -> None:
        reading = asyncio.create_task(intake.read())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            while not (stopping.done() or reading.done() or beating.done()):
                self._start_some(sqs, deletes, intake)
                intake.changed.clear()
                changed = asyncio.create_task(intake.changed.wait())
                everything = {reading, stopping, beating, changed}
                await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
            # Neither ends but by an error. Without heartbeats others would take what is at work here.
            for ended in (reading, beating):
                if ended.done():
                    ended.result()
        finally:
            for task in (reading, stopping):
                task.cancel()
            await asyncio.gather(reading, stopping, return_exceptions=True)

    def _start_some(self, sqs: Any, deletes: Batcher[str, None], intake: Intake) -> None:
        while len(self._tasks) < self._kit.settings.concurrency:
            delivery = intake.take()
            if delivery is None:
                return
            task = asyncio.create_task(self._handle(sqs, deletes, intake, delivery))
            self._tasks.add(task)
            task.add_done_callback(partial(self._done, intake, delivery))

    def _done(self, intake: Intake, delivery: Delivery, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        intake.done(delivery)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a message could not be handled", exc_info=error)

    async def _drain(self) -> None:
        if not self._tasks:
            return
        log.info("draining", extra={"messages": len(self._tasks)})
        _, late = await asyncio.wait(self._tasks, timeout=self._kit.settings.grace_seconds)
        if late:
            log.warning("broken off, for another worker to finish", extra={"messages": len(late)})
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def _handle(
        self, sqs: Any, deletes: Batcher[str, None], intake: Intake, delivery: Delivery
    ) -> None:
        url = self._kit.settings.queue_url
        try:
            done = await flow.settle(self._kit, delivery.message)
        except BaseException as error:
            self.tally.handed_back += 1
            receipt = intake.let_go(delivery)
            with contextlib.suppress(asyncio.CancelledError):
                await visible_in(sqs, url, receipt, self._again_in(error, delivery))
            if isinstance(error, HubError):
                return
            raise
        receipt = intake.let_go(delivery)
        if done.report is not None and self._on_report is not None:
            self._on_report(done.report)
        if not done.acknowledge:
            self.tally.unreadable += 1
            # Straight back: each receive brings it nearer to the dead-letter queue.
            await visible_in(sqs, url, receipt, 0)
            return
        try:
            await deletes.do(receipt)
        except AwsError as error:
            # It is settled, and the journal says so to whoever gets it again.
            log.warning(
                "message not deleted, it comes again",
                extra={"message_id": delivery.message_id, "error": str(error)},
            )
            return
        if done.report is None:
            self.tally.nothing_due += 1
        else:
            self.tally.count(done.report)

    def _again_in(self, error: BaseException, delivery: Delivery) -> float:
        """Seconds after which a message that was not settled shall come again."""
        if isinstance(error, PutOff):
            return error.seconds
        if isinstance(error, NotNow):
            # A dead worker's lease ends soon; a live one's work may take long.
            return longer(error.seconds, delivery, plain=PLAIN_PAUSES)
        if isinstance(error, asyncio.CancelledError):
            return 0
        log.error(
            "message not settled, handed back", extra={"message_id": delivery.message_id, "error": str(error)}
        )
        if isinstance(error, LeaseLost):
            return longer(min(RETRY_SECONDS, self._kit.settings.lease_seconds), delivery, plain=PLAIN_PAUSES)
        return longer(RETRY_SECONDS, delivery)

    def _emit(self, intake: Intake) -> None:
        self._kit.metrics.emit(
            Throttles=self._kit.accounts.fresh_throttles(), Waiting=intake.waiting, QueueAge=intake.oldest()
        )

    async def _log_progress(self, intake: Intake) -> None:
        settled, at = 0, time.monotonic()
        while True:
            await asyncio.sleep(PROGRESS_SECONDS)
            tally, now, throttled = self.tally, time.monotonic(), self._kit.accounts.throttles
            log.info(
                "progress",
                extra={
                    "settled": tally.settled,
                    "nothing_due": tally.nothing_due,
                    "at_work": len(self._tasks),
                    "waiting": intake.waiting,
                    "handed_back": tally.handed_back,
                    "unreadable": tally.unreadable,
                    "failed": tally.failed,
                    "throttled": throttled,
                    "per_second": round((tally.settled - settled) / (now - at), 2),
                    "oldest_seconds": round(intake.oldest()),
                },
            )
            self._emit(intake)
            settled, at = tally.settled, now
