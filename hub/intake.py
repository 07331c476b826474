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
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hub.aws.accounts import spoke_error
from hub.aws.errors import from_botocore
from hub.aws.queues import visible_all_in
from hub.flow.ingest import unwrap
from hub.flow.kit import Kit
from hub.flow.normalise import account_in
from hub.model import Message
from hub.rota import Rota

log = logging.getLogger(__name__)

BATCH = 10  # the most SQS gives or takes at once
LONG_POLL_SECONDS = 20
POLL_AGAIN_SECONDS = 5.0
READERS = 8  # at once, while there is a backlog
MOST_HELD = 10_000
MOST_BYTES = 64 * 2**20
SHED = 500
SHED_SECONDS = 60


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

    def receipt(self, delivery: Delivery) -> str:
        """The receipt that deletes it or makes it visible."""
        return self._held.get(delivery.message_id, delivery).receipt

    def let_go(self, delivery: Delivery) -> None:
        """Keep it invisible no longer: it is deleted or handed back."""
        if self._held.pop(delivery.message_id, None) is not None:
            self._bytes -= delivery.size

    def done(self, delivery: Delivery) -> None:
        """Its account may have another turn."""
        self.let_go(delivery)
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
                async with asyncio.TaskGroup() as group:
                    readers = [group.create_task(self._receive(wait=0)) for _ in range(READERS)]
                backlog = any(reader.result() for reader in readers)

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
            if isinstance(error, ClientError) and 400 <= told.status < 500 and told.status != 429:
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
        message = unwrap(raw["Body"], message_id=message_id, origin=f"queue message {message_id}")
        attributes = raw.get("Attributes", {})
        delivery = Delivery(
            message=message,
            message_id=message_id,
            receipt=raw["ReceiptHandle"],
            sent_at=int(attributes.get("SentTimestamp", time.time() * 1000)) / 1000,
            receives=int(attributes.get("ApproximateReceiveCount", 1)),
            account=account_in(message),
        )
        known = self._held.get(message_id)
        self._held[message_id] = delivery
        if known is not None:
            # SQS gave it twice. Only the later receipt is sure to count, and the work on the first goes on.
            return
        self._bytes += delivery.size
        self._rota.add(delivery.account, delivery)
        self.changed.set()

    async def beat(self) -> None:
        """Keep everything that is held invisible, for ever; hand back what there is no room for."""
        while True:
            await asyncio.sleep(self._invisible / 3)
            if len(self._held) >= MOST_HELD or self._bytes >= MOST_BYTES:
                await self._shed()
            for some in _batches(list(self._held.values())):
                await visible_all_in(self._sqs, self._url, [each.receipt for each in some], self._invisible)

    async def _shed(self) -> None:
        """Give back the latest of the account that has most, so that others can be read past it."""
        shed = self._rota.shed(SHED)
        log.info("too many messages of one account, handed back for later", extra={"messages": len(shed)})
        for delivery in shed:
            self.let_go(delivery)
        by_receives = sorted(shed, key=lambda each: each.receives)
        for some in _batches(by_receives):
            # Longer each time: every receive brings a message nearer to the dead-letter queue.
            seconds = SHED_SECONDS * 2 ** min(some[-1].receives, 9)
            await visible_all_in(self._sqs, self._url, [each.receipt for each in some], seconds)
        self._room.set()

    async def hand_back(self) -> None:
        """Give everything nobody works on back to the queue at once."""
        left = self._rota.empty()
        for delivery in left:
            self.let_go(delivery)
        for some in _batches(left):
            await visible_all_in(self._sqs, self._url, [each.receipt for each in some], 0)


def _batches(deliveries: Iterable[Delivery]) -> Iterable[list[Delivery]]:
    left = iter(deliveries)
    while some := list(islice(left, BATCH)):
        yield some
