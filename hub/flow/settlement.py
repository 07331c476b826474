"""What became of a message, and how it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hub.flow.kit import Kit
from hub.flow.report import report_id
from hub.model import Finding, Report, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of a message.

    ``acknowledge`` is False for what must end in the dead-letter queue. ``report`` is None when
    nothing was due or the report went out before; ``why`` says which.
    """

    acknowledge: bool = True
    report: Report | None = None
    why: str = ""


async def reported(
    kit: Kit, finding: Finding, runs: Sequence[Run], *, settled_as: str, error: str | None = None
) -> Report:
    """Publish what came of it, and note that its report is out.

    Args:
        settled_as: what was settled: the occurrence of a finding, or the id of what goes on with it.

    Raises:
        SpokeError: a sink refused it; the message must be kept.
        JournalUnwritable: it was not noted; what is published twice has one id.
    """
    report = Report(report_id=report_id(settled_as), finding=finding, runs=tuple(runs), error=error)
    await publish(kit, report)
    await kit.journal.settle(settled_as, report_id=report.report_id)
    return report


async def publish(kit: Kit, report: Report) -> None:
    """To every sink.

    Raises:
        SpokeError: a sink refused it; the message must be kept.
    """
    for sink in kit.sinks:
        await sink.publish(report)
