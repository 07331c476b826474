"""Tells the queue that a run which waited can go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bots._aws import AwsError
from hub.aws.accounts import spoke_error
from hub.aws.queues import send
from hub.flow import waiting
from hub.flow.kit import Kit
from hub.flow.resume import body_for
from hub.flow.waiting import Waiting

# A message may be lost behind a dead-letter queue, and its worker may take as long as a visibility timeout.
AGAIN_AFTER = timedelta(minutes=15)


def to_be_told(waits: Waiting, now: datetime) -> bool:
    """Whether it can go on and the queue does not know, or was told so long ago that it seems to be forgotten."""
    return waits.ready(now) and (waits.sent_at is None or waits.sent_at <= now - AGAIN_AFTER)


async def tell(kit: Kit, waits: Waiting) -> bool:
    """Send the message to go on with it, unless somebody else does so or has done more at this moment.

    Returns:
        Whether it was sent.

    Raises:
        SpokeError: the queue did not take it.
        JournalUnwritable: it could not be noted, so it was not sent.
    """
    # The note comes first: two who sweep at the same time send once.
    noted = await waiting.write(kit.journal, replace(waits, sent_at=kit.now()))
    if noted is None:
        return False
    url = kit.settings.queue_url
    try:
        await send(await kit.identity.kept("sqs"), url, body_for(waits.run_id), region=kit.settings.region)
    except AwsError as error:
        await waiting.write(kit.journal, replace(noted, sent_at=waits.sent_at))
        raise spoke_error(error, f"queue {url} could not be told to go on with run {waits.run_id}") from error
    return True
