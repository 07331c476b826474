"""The queue's end of a worker: messages read ahead of need, kept invisible while they are held.

SQS hands out what came first. Were messages read only as they can be worked on, an account with
thousands of findings would keep all others waiting behind it. So reading goes on until there is work of
enough accounts, and whose turn it is, is decided here.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hub.abreast import abreast
from hub.aws.accounts import spoke_error
from hub.aws.errors import from_botocore, outcome_of
from hub.aws.queues import visible_all_in
from hub.batching import MOST as BATCH
from hub.flow.ingest import unwrap
from hub.flow.kit import Kit
from hub.flow.normalise import account_in
from hub.model import Message, Outcome
from hub.rota import Rota

log = logging.getLogger(__name__)

LONG_POLL_SECONDS = 20
POLL_AGAIN_SECONDS = 5.0
LAST_ANSWER_SECONDS = 1.0  # how long a stopping worker waits for messages on their way to it
READERS = 8  # calls at once, while there is much to do
MOST_HELD = 10_000
MOST_BYTES = 64 * 2**20
SHED = 500
SHED_SECONDS = 120
MOST_DOUBLINGS = 8
# As many messages are in flight as SQS allows; workers that settle some make room.
FULL = frozenset({"OverLimit", "AWS.SimpleQueueService.OverLimit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A message in this worker's hands."""

    message: Message
    message_id: str
    receipt: str
    sent_at: float  # seconds since the epoch
    receives: int
    account: str

    @property
    def size(self) -> int:
        return len(self.message.body)


class Intake:
    """Reads one queue ahead of need.

    Args:
        each: how many findings of one account may be at work at once.
    """

    def __init__(self, kit: Kit, sqs: Any, *, each: int) -> None:
        self._kit = kit
        self._sqs = sqs
        self._url = kit.settings.queue_url
        # As long as the lease: a dead worker's messages and findings become free at about the same time.
        self._invisible = math.ceil(kit.settings.lease_seconds)
        self._rota: Rota[Delivery] = Rota(each)
        self._held: dict[str, Delivery] = {}
        self._bytes = 0
        # One event for each who waits: an event that two of them clear is one that one of them misses.
        self.changed = asyncio.Event()  # for the worker: something was added, or is done
        self._room = asyncio.Event()  # for `read`: something was taken, is done or was shed

    def __len__(self) -> int:
        """How many messages are held, at work or not."""
        return len(self._held)

    @property
    def waiting(self) -> int:
        """How many of them nobody works on yet."""
        return len(self._rota)

    def oldest(self) -> float:
        """Age in seconds of the oldest message held; 0 when there is none."""
        return time.time() - min((each.sent_at for each in self._held.values()), default=time.time())

    def take(self) -> Delivery | None:
        """The message whose turn it is; it stays held until `done`."""
        found = self._rota.take()
        if found is None:
            return None
        self._room.set()
        return found[1]

    def let_go(self, delivery: Delivery) -> str:
        """Keep it invisible no longer: it is about to be deleted or handed back. To be called once.

        Returns:
            The receipt to do that with.
        """
        # SQS may have given it again meanwhile, and only the latest receipt is sure to count.
        latest = self._held.pop(delivery.message_id)
        self._bytes -= latest.size
        return latest.receipt

    def done(self, delivery: Delivery) -> None:
        """Its account may have another turn."""
        self._rota.done(delivery.account)
        self.changed.set()
        self._room.set()

    async def read(self) -> None:
        """Read for ever.

        Raises:
            SpokeError: the queue cannot be read at all (denied, does not exist).
        """
        while True:
            if not self._wants():
                self._room.clear()
                await self._room.wait()
                continue
            backlog = await self._receive(wait=LONG_POLL_SECONDS)
            while backlog and self._wants():
                backlog = await self._receive_more()

    async def _receive_more(self) -> bool:
        # Not more than can be used soon: what one worker holds the others cannot have.
        wanted = self._kit.settings.concurrency - self._rota.ready
        calls = min(READERS, math.ceil(wanted / BATCH))
        readers = {asyncio.create_task(self._receive(wait=0)) for _ in range(calls)}
        try:
            await asyncio.wait(readers)
        except asyncio.CancelledError:
            # What is on its way was given to this worker: once here it can be handed back at once.
            _, late = await asyncio.wait(readers, timeout=LAST_ANSWER_SECONDS)
            for reader in late:
                reader.cancel()
            raise
        finally:
            found = await asyncio.gather(*readers, return_exceptions=True)
        for each in found:
            if isinstance(each, BaseException):
                raise each
        return any(found)

    def _wants(self) -> bool:
        if self._rota.ready >= self._kit.settings.concurrency:
            return False
        return len(self._held) < MOST_HELD and self._bytes < MOST_BYTES

    async def _receive(self, *, wait: int) -> bool:
        """Whether there was as much as SQS gives at once."""
        try:
            answer = await self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=BATCH,
                WaitTimeSeconds=wait,
                VisibilityTimeout=self._invisible,
                MessageSystemAttributeNames=["ApproximateReceiveCount", "SentTimestamp"],
            )
        except (ClientError, BotoCoreError) as error:
            told = from_botocore(
                error, service="sqs", operation="ReceiveMessage", region=self._kit.settings.region
            )
            trouble = spoke_error(told, f"queue {self._url} could not be read")
            lasting = isinstance(error, ClientError) and told.code not in FULL
            if lasting and outcome_of(told) in (Outcome.DENIED, Outcome.FAILED):
                raise trouble from error
            log.warning("queue not read, trying again", extra={"error": str(trouble)})
            await asyncio.sleep(POLL_AGAIN_SECONDS)
            return False
        found = answer.get("Messages", [])
        for raw in found:
            self._hold(raw)
        return len(found) == BATCH

    def _hold(self, raw: dict[str, Any]) -> None:
        message_id = raw["MessageId"]
        attributes = raw.get("Attributes", {})
        receives = int(attributes.get("ApproximateReceiveCount", 1))
        origin = f"queue message {message_id}"
        message = unwrap(raw["Body"], message_id=message_id, origin=origin, again=receives > 1)
        delivery = Delivery(
            message=message,
            message_id=message_id,
            receipt=raw["ReceiptHandle"],
            sent_at=int(attributes.get("SentTimestamp", time.time() * 1000)) / 1000,
            receives=receives,
            account=account_in(message),
        )
        known = self._held.get(message_id)
        self._held[message_id] = delivery
        if known is not None:
            # SQS gave it twice. The work on the first goes on.
            return
        self._bytes += delivery.size
        self._rota.add(delivery.account, delivery)
        self.changed.set()

    async def beat(self) -> None:
        """Keep everything that is held invisible, for ever; hand back what there is no room for."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self._invisible / 3
        while True:
            await asyncio.sleep(due - loop.time())
            due = loop.time() + self._invisible / 3
            if len(self._held) >= MOST_HELD or self._bytes >= MOST_BYTES:
                await self._shed()
            held = list(self._held)
            # Without haste: thousands at once would keep findings waiting for a while, every time.
            batches = math.ceil(len(held) / BATCH)
            pause = self._invisible / 6 * READERS / batches if batches > READERS else 0.0
            await self._all_visible_in(self._invisible, self._still_held(held), pause=pause)

    def _still_held(self, message_ids: Sequence[str]) -> Iterator[str]:
        """Receipts, each looked up at the last moment: what was let go meanwhile must stay as it is."""
        return (self._held[each].receipt for each in message_ids if each in self._held)

    async def _all_visible_in(self, seconds: float, receipts: Iterator[str], *, pause: float = 0.0) -> None:
        async def change(batch: list[str]) -> None:
            await visible_all_in(self._sqs, self._url, batch, seconds)
            await asyncio.sleep(pause)

        await abreast(iter(lambda: list(islice(receipts, BATCH)), []), change, hands=READERS)

    async def _shed(self) -> None:
        """Give back the latest of the account that has most, so that others can be read past it."""
        shed = self._rota.shed(SHED)
        log.info("too many messages of one account, handed back for later", extra={"messages": len(shed)})
        by_pause: defaultdict[float, list[str]] = defaultdict(list)
        for delivery in shed:
            # Longer each time: every receive brings a message nearer to the dead-letter queue.
            by_pause[longer(SHED_SECONDS, delivery)].append(self.let_go(delivery))
        for seconds, receipts in by_pause.items():
            await self._all_visible_in(seconds, iter(receipts))
        self._room.set()

    async def hand_back(self) -> None:
        """Give everything nobody works on back to the queue at once."""
        receipts = [self.let_go(delivery) for delivery in self._rota.empty()]
        await self._all_visible_in(0, iter(receipts))


def longer(seconds: float, delivery: Delivery, *, plain: int = 0) -> float:
    """A pause that doubles with every receive: a queue gives a message up after so many of them, and
    what keeps it from being settled (a journal that is away, say) may last for hours.

    Args:
        plain: how many pauses are as long as the first.
    """
    return seconds * 2.0 ** min(max(0, delivery.receives - 1 - plain), MOST_DOUBLINGS)
