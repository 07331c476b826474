"""The one thing worker and Lambda handler both do to a message: say when it shall come again."""

from __future__ import annotations

import logging
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger(__name__)

MAX_VISIBILITY_SECONDS = 43_200


async def visible_in(sqs: Any, queue_url: str, receipt: str, seconds: float) -> None:
    """Let the message become visible in so many seconds, twelve hours at most.

    A failure is only logged: the message becomes visible by itself, and the journal keeps a second
    worker from doing things twice.
    """
    try:
        await sqs.change_message_visibility(
            QueueUrl=queue_url,
            ReceiptHandle=receipt,
            VisibilityTimeout=int(min(seconds, MAX_VISIBILITY_SECONDS)),
        )
    except (ClientError, BotoCoreError) as error:
        log.warning("visibility not changed", extra={"error": type(error).__name__})
