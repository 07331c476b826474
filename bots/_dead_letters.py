"""Dead-letter queues: find a usable one, make one, take an unused one away again."""

from __future__ import annotations

import json

from bots._bot import CannotFix, TryLater
from bots._queues import Queue, dead_letters_of, document, queue_named

_FOURTEEN_DAYS = "1209600"  # in seconds, the most there is
_MADE = {"made-by": "sqs_configure_dlq"}
_DELETED_RECENTLY = ("AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently")
_COUNTS = tuple(f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed"))


async def sources(queue: Queue) -> set[str]:
    """Names of the queues whose dead letters go to this one. AWS shows a change after up to a minute."""
    found = queue.home.pages(
        "sqs", "ListDeadLetterSourceQueues", items="queueUrls", QueueUrl=queue.url, MaxResults=1000
    )
    return {str(url).rsplit("/", 1)[-1] async for url in found}


async def usable(queue: Queue) -> Queue | None:
    """The queue that has the name of the dead-letter queue; None if it is still to be made.

    Raises:
        CannotFix: there is one, and it cannot take the queue's dead letters.
    """
    dead = await queue_named(queue.home, dead_letters_of(queue.name))
    if dead is None:
        return None
    found = await dead.attributes()
    if document(found, "RedrivePolicy").get("deadLetterTargetArn") == queue.arn:
        raise CannotFix(
            f"{dead.name} sends its own dead letters to {queue.name}: they would go round in circles"
        )
    allowed = document(found, "RedriveAllowPolicy")
    permission = allowed.get("redrivePermission", "allowAll")
    if permission == "denyAll" or (
        permission == "byQueue" and queue.arn not in allowed.get("sourceQueueArns", ())
    ):
        raise CannotFix(
            f"{dead.name} exists, but its redrive allow policy takes no messages from {queue.name}"
        )
    return dead


async def make(queue: Queue) -> Queue:
    """
    Raises:
        TryLater: one of the same name was deleted less than a minute ago.
    """
    found, name = await queue.attributes(), dead_letters_of(queue.name)
    allow = {"redrivePermission": "byQueue", "sourceQueueArns": [queue.arn]}
    wanted = {
        # A message keeps its age when it moves, so it must live longer here than where it came from.
        "MessageRetentionPeriod": _FOURTEEN_DAYS,
        "RedriveAllowPolicy": json.dumps(allow),
    }
    if name.endswith(".fifo"):
        wanted["FifoQueue"] = "true"
    if key := found.get("KmsMasterKeyId"):
        wanted |= {
            "KmsMasterKeyId": key,
            "KmsDataKeyReusePeriodSeconds": found["KmsDataKeyReusePeriodSeconds"],
        }
    else:
        wanted["SqsManagedSseEnabled"] = "true"
    made = await queue.home.find(
        "sqs", "CreateQueue", absent=_DELETED_RECENTLY, QueueName=name, Attributes=wanted, tags=_MADE
    )
    if made is None:
        raise TryLater(f"{name} was deleted a moment ago, and AWS makes no new one for a minute", seconds=60)
    return Queue(queue.home, name, made["QueueUrl"])


async def unused(queue: Queue) -> Queue | None:
    """The queue's dead-letter queue if `make` made it, no other queue uses it and nothing is in it."""
    dead = await queue_named(queue.home, dead_letters_of(queue.name))
    if dead is None:
        return None
    answer = await queue.home.call("sqs", "ListQueueTags", QueueUrl=dead.url)
    if not _MADE.items() <= answer.get("Tags", {}).items() or await sources(dead) - {queue.name}:
        return None
    found = await dead.attributes()
    return None if any(int(found[count]) for count in _COUNTS) else dead


async def delete(dead: Queue) -> None:
    await dead.home.call("sqs", "DeleteQueue", QueueUrl=dead.url)
