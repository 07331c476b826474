"""Dead-letter queues: the one a queue names, a usable one, one that is made and, unused, taken away again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bots._aws import AwsError
from bots._bot import CannotFix, TryLater, on
from bots._queues import QUEUE, Queue, dead_letters_of, document, queue_named

_MADE_QUEUES = ("arn:{partition}:sqs:*:{account}:dlq-for-*",)
READS = (
    *on(QUEUE, "sqs:GetQueueUrl", "sqs:GetQueueAttributes", "sqs:ListDeadLetterSourceQueues"),
    *on(_MADE_QUEUES, "sqs:ListQueueTags"),
)
WRITES = (
    *on(_MADE_QUEUES, "sqs:CreateQueue", "sqs:TagQueue", "sqs:DeleteQueue"),
    *on(QUEUE, "sqs:SetQueueAttributes"),
)
_FOURTEEN_DAYS = "1209600"  # in seconds, the most there is
_MADE = {"made-by": "sqs_configure_dlq"}
_DELETED_RECENTLY = ("AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently")
_COUNTS = tuple(f"ApproximateNumberOfMessages{which}" for which in ("", "NotVisible", "Delayed"))


@dataclass(frozen=True, slots=True)
class Named:
    """What a queue names as its dead-letter queue, which need not exist."""

    arn: str
    max_receive_count: int
    exists: bool
    is_itself: bool


async def named_by(queue: Queue) -> Named | None:
    """The dead-letter queue the queue names, None if it names none."""
    redrive = document(await queue.attributes(), "RedrivePolicy")
    if not redrive:
        return None
    arn = str(redrive["deadLetterTargetArn"])
    exists = await queue_named(queue.home, arn.rsplit(":", 1)[-1]) is not None
    return Named(arn, int(redrive["maxReceiveCount"]), exists, is_itself=arn == queue.arn)


def policy(arn: str | None, max_receive_count: int | None) -> str:
    """The redrive policy, as SQS takes it, of a queue whose dead letters go to that ARN."""
    return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": max_receive_count})


async def verdict(queue: Queue, named: Named | None) -> tuple[bool, str]:
    """Whether the queue needs no dead-letter queue any more, and why.

    Raises:
        CannotFix: it needs one, and the one it would get cannot be used.
    """
    if named and named.exists and not named.is_itself:
        return True, f"queue {queue.name} names {named.arn} as its dead-letter queue, which exists"
    if others := await _sources(queue) - {queue.name}:
        return True, f"queue {queue.name} is the dead-letter queue of {', '.join(sorted(others))}"
    await _usable(queue)
    if named is None:
        return False, f"queue {queue.name} has no dead-letter queue"
    state = "is the queue itself" if named.is_itself else "does not exist"
    return False, f"queue {queue.name} names {named.arn} as its dead-letter queue, which {state}"


async def _sources(queue: Queue) -> set[str]:
    """Names of the queues whose dead letters go to this one. AWS shows a change after up to a minute."""
    found = queue.home.pages(
        "sqs", "ListDeadLetterSourceQueues", items="queueUrls", QueueUrl=queue.url, MaxResults=1000
    )
    return {str(url).rsplit("/", 1)[-1] async for url in found}


async def _usable(queue: Queue) -> Queue | None:
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


@contextlib.asynccontextmanager
async def ready(queue: Queue) -> AsyncIterator[Queue]:
    """The queue's dead-letter queue inside the block. One that was just made goes again when the block fails.

    Raises:
        CannotFix: there is one that cannot be used.
        TryLater: one of the same name was deleted less than a minute ago.
    """
    there = await _usable(queue)
    dead = there or await _make(queue)
    try:
        yield dead
    except AwsError:
        if there is None:
            with contextlib.suppress(AwsError):
                await _delete(dead)
        raise


async def _make(queue: Queue) -> Queue:
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


async def disconnect(queue: Queue, policy: str) -> None:
    """Undo `ready`: the queue has this redrive policy again, and a dead-letter queue nobody uses goes."""
    now = (await queue.attributes()).get("RedrivePolicy", "")
    dead = await _unused(queue)
    await queue.set(RedrivePolicy=policy)
    if dead is not None:
        try:
            await _delete(dead)
        except AwsError:
            with contextlib.suppress(AwsError):
                await queue.set(RedrivePolicy=now)
            raise


async def _unused(queue: Queue) -> Queue | None:
    """The queue's dead-letter queue if `ready` made it, no other queue uses it and nothing is in it."""
    dead = await queue_named(queue.home, dead_letters_of(queue.name))
    if dead is None:
        return None
    answer = await queue.home.call("sqs", "ListQueueTags", QueueUrl=dead.url)
    if not _MADE.items() <= answer.get("Tags", {}).items() or await _sources(dead) - {queue.name}:
        return None
    found = await dead.attributes()
    return None if any(int(found[count]) for count in _COUNTS) else dead


async def _delete(dead: Queue) -> None:
    await dead.home.call("sqs", "DeleteQueue", QueueUrl=dead.url)
