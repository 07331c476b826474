"""The whole product on one page: bytes in, one honest report out.

ingest -> normalise -> plan -> guard -> execute -> verify -> record -> report
"""

from __future__ import annotations

import logging

from hub.errors import FindingUnreadable
from hub.flow import due
from hub.flow.kit import Kit
from hub.flow.lanes import carry_out_all
from hub.flow.left_over import close_left_over
from hub.flow.normalise import normalise, salvage
from hub.flow.preview import preview as preview
from hub.flow.resume import asked_for, resume
from hub.flow.settlement import Settlement as Settlement
from hub.flow.settlement import reported
from hub.model import Message

log = logging.getLogger(__name__)


async def settle(kit: Kit, message: Message) -> Settlement:
    """Carry one message from bytes to its published report.

    Raises:
        NotNow: another worker has it or its resource, or a bot waits for AWS; deliver it again later.
        LeaseLost: this worker was too slow and another one took over.
        JournalUnwritable, SpokeError: nothing can be promised; deliver it again later.
    """
    if (waiting := asked_for(message)) is not None:
        return await resume(kit, waiting)
    try:
        finding = normalise(message)
    except FindingUnreadable as error:
        return await _unreadable(kit, message, str(error))
    asked = await due.asked(kit, finding)
    if asked.nothing and not message.again:
        log.debug("nothing to run", extra={"finding": finding.key, "why": asked.nothing})
        return Settlement(why=asked.nothing)
    async with kit.leases.hold(f"finding/{finding.occurrence}", wait=0) as held:
        # A first fence means that nobody ever had this finding, so nobody can have settled it.
        if held.fence > 1 and (known := await kit.journal.settled(finding.occurrence)):
            return Settlement(why=f"settled before, see report {known}")
        runs = await carry_out_all(kit, await due.steps(kit, asked), held)
        runs += await close_left_over(kit, finding, runs, held)
        if not runs:
            return Settlement(why=asked.nothing)
        report = await reported(kit, finding, runs, settled_as=finding.occurrence)
    return Settlement(report=report)


async def _unreadable(kit: Kit, message: Message, error: str) -> Settlement:
    """One report about what could not be read; the message itself goes to the dead-letter queue."""
    finding = salvage(message, error)
    async with kit.leases.hold(f"finding/{finding.occurrence}", wait=0) as held:
        if held.fence > 1 and await kit.journal.settled(finding.occurrence):
            return Settlement(acknowledge=False, why=f"reported before as unreadable: {error}")
        log.error("message unreadable", extra={"origin": message.origin, "error": error})
        report = await reported(kit, finding, (), settled_as=finding.occurrence, error=error)
    return Settlement(acknowledge=False, report=report, why=error)
