"""What the hub does to a queue besides reading it: messages are sent, deleted, or said when to come again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from bots._aws import AwsError
from hub.aws.errors import from_botocore, told_apart
from hub.batching import Batcher

log = logging.getLogger(__name__)

MAX_VISIBILITY_SECONDS = 43_200


async def send(sqs: Any, queue_url: str, body: str, *, region: str) -> None:
    """Send a message.

    Raises:
        AwsError: it may or may not be in the queue.
    """
    try:
        await sqs.send_message(QueueUrl=queue_url, MessageBody=body)
    except (ClientError, BotoCoreError) as error:
        raise from_botocore(error, service="sqs", operation="SendMessage", region=region) from error


async def visible_in(sqs: Any, queue_url: str, receipt: str, seconds: float) -> None:
    """Let the message become visible in so many seconds, twelve hours at most.

    A failure is only logged: the message becomes visible by itself, and the journal keeps a second
    worker from doing things twice.
    """
    await visible_all_in(sqs, queue_url, [receipt], seconds)


async def visible_all_in(sqs: Any, queue_url: str, receipts: Sequence[str], seconds: float) -> None:
    """As `visible_in`, for up to ten messages."""
    timeout = int(min(seconds, MAX_VISIBILITY_SECONDS))
    entries = [
        {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": timeout}
        for number, receipt in enumerate(receipts)
    ]
    try:
        answer = await sqs.change_message_visibility_batch(QueueUrl=queue_url, Entries=entries)
    except (ClientError, BotoCoreError) as error:
        log.warning("visibility not changed", extra={"error": type(error).__name__})
        return
    for failed in answer.get("Failed", ()):
        log.warning("visibility not changed", extra={"error": failed["Code"]})


def deleter(sqs: Any, queue_url: str, *, region: str) -> Batcher[str, None]:
    """Deletes messages of a queue by their receipts; those that wait go out together.

    Its `do` raises AwsError: the message is not deleted and comes again.
    """
    of = {"service": "sqs", "operation": "DeleteMessage", "region": region}

    async def send(receipts: Sequence[str]) -> Sequence[AwsError | None]:
        entries = [{"Id": str(number), "ReceiptHandle": receipt} for number, receipt in enumerate(receipts)]
        try:
            answer = await sqs.delete_message_batch(QueueUrl=queue_url, Entries=entries)
        except (ClientError, BotoCoreError) as error:
            raise from_botocore(error, **of) from error
        return told_apart(answer, len(receipts), **of)

    return Batcher(send)
