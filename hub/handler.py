"""Lambda entry. From SQS: settles the batch side by side and hands back the ids it could not settle.
From SNS straight: settles, or raises so that Lambda delivers again."""

from __future__ import annotations

import asyncio
import functools
import logging
from typing import Any

from hub import flow, log
from hub.app import open_hub
from hub.aws.queues import visible_in
from hub.errors import HubError, NotNow
from hub.flow.ingest import Received, from_lambda
from hub.flow.kit import Kit
from hub.settings import Settings

logger = logging.getLogger(__name__)


@functools.cache
def _settings() -> Settings:
    settings = Settings.load()
    log.configure(settings.log_level)
    return settings


def handler(event: dict[str, Any], _context: object) -> dict[str, list[dict[str, str]]]:
    """Settle the records of ``event``; answers in the form of SQS partial batch responses."""
    failed = asyncio.run(_settle_all(from_lambda(event)))
    if any(record_id is None for record_id in failed):
        raise HubError("a message from SNS was not settled; deliver it again")
    return {"batchItemFailures": [{"itemIdentifier": record_id} for record_id in failed if record_id]}


async def _settle_all(records: tuple[Received, ...]) -> list[str | None]:
    async with open_hub(_settings()) as hub:
        settled = await asyncio.gather(*(_settled(hub.kit, record) for record in records))
    return [record.record_id for record, done in zip(records, settled, strict=True) if not done]


async def _settled(kit: Kit, record: Received) -> bool:
    try:
        done = await flow.settle(kit, record.message)
    except NotNow as later:
        # Without a word from us SQS would wait for the whole visibility timeout.
        if record.receipt and kit.settings.queue_url:
            sqs = await kit.identity.kept("sqs")
            await visible_in(sqs, kit.settings.queue_url, record.receipt, later.seconds)
        return False
    except Exception as error:
        logger.exception("record not settled", extra={"record": record.record_id, "error": str(error)})
        return False
    # From SNS there is no dead-letter queue behind a second try: the report says what was unreadable.
    return done.acknowledge or record.record_id is None
