"""Runs that an earlier delivery of a finding left open, and that nobody asks for now."""

from __future__ import annotations

from collections.abc import Sequence

from hub.flow import record
from hub.flow.kit import Kit
from hub.journals import Query
from hub.leases import Held
from hub.model import Finding, Run

MOST = 200


async def close_left_over(kit: Kit, finding: Finding, runs: Sequence[Run], held: Held) -> tuple[Run, ...]:
    """Close what waits for AWS or was cut off, and whose rule has been taken away since.

    Args:
        runs: those that were carried out now.

    Raises:
        JournalUnwritable, LeaseLost: it was not written.
    """
    # Nobody had this finding before, or it has nothing it could be found by.
    if held.fence == 1 or not finding.key:
        return ()
    done = {run.run_id for run in runs}
    closed = []
    async for run in kit.journal.runs(Query(finding_key=finding.key, limit=MOST)):
        # What goes on with a run that waited, or takes one back, is finished by whoever began it.
        apart = run.resumes is not None or run.undo_of is not None
        if (
            run.outcome is None
            and run.occurrence == finding.occurrence
            and run.run_id not in done
            and not apart
        ):
            words = "not gone on with: no rule asks for it any more"
            closed.append(await record.interrupt(kit, run, words, fence=held.fence))
    return tuple(closed)
