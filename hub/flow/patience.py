"""Bots that wait for AWS: the run stays open until a later delivery, or ends when patience is over."""

from __future__ import annotations

import logging

from bots._bot import TryLater
from hub.errors import HubError, PutOff
from hub.flow import record
from hub.flow.kit import Kit
from hub.model import Outcome, Run

log = logging.getLogger(__name__)


async def put_off(kit: Kit, run: Run, later: TryLater) -> Run:
    """Leave the run open for a later delivery of the same message, or end it when patience is over.

    Raises:
        PutOff: there is patience left.
    """
    over = ended(kit, run, later)
    if over is not None:
        return await record.close(kit, run, Outcome.FAILED, str(over))
    await record.opened(kit, run)
    waited = (kit.now() - run.opened_at).total_seconds()
    log.info("put off", extra={"run": run.run_id, "bot": run.bot, "awaited": str(later)})
    # Longer each time: every delivery counts towards the dead-letter queue.
    raise PutOff(str(later), seconds=max(later.seconds, waited / 2))


def ended(kit: Kit, run: Run, later: TryLater) -> HubError | None:
    """What is to be said when patience is over; None while there is some left."""
    if (kit.now() - run.opened_at).total_seconds() < kit.settings.patience_seconds:
        return None
    return HubError(f"given up after {kit.settings.patience_seconds:.0f} seconds of waiting: {later}")
