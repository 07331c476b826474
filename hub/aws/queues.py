"""The one thing worker and Lambda handler both do to messages: say when they shall come again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger(__name__)

MAX_VISIBILITY_SECONDS = 43_200


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
