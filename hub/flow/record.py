"""Makes runs and writes them to the journal."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bots._bot import Before, Check
from hub.flow.kit import Kit
from hub.model import Outcome, Run, Step
from hub.noting import with_notes

log = logging.getLogger(__name__)


def begun(kit: Kit, step: Step, *, fence: int) -> Run:
    """A run of this step, not yet written anywhere."""
    finding, bot, target = step.finding, step.bot, step.target
    return Run(
        run_id=step.run_id,
        occurrence=finding.occurrence,
        finding_key=finding.key,
        account_id=finding.account_id,
        account_name=finding.account_name,
        region=target.region if target else finding.region,
        rule=finding.rule,
        severity=finding.severity,
        entity_id=finding.entity_id,
        entity_name=finding.entity_name,
        bot=bot.name if bot else step.action.bot,
        args=step.action.args,
        target_type=target.type if target else "",
        target_id=target.id if target else "",
        partition=target.partition if target else "",
        # Only an undo looks at it again.
        entity=target.entity if target and bot and bot.undo.degree != "none" else {},
        event_time=target.event_time if target else None,
        suggested_policy=step.action.suggested_policy,
        undo=bot.undo.degree if bot else "none",
        fence=fence,
        decided_by=step.decided_by,
        resumes=step.resumes,
        approved_by=step.answer.by if step.answer and step.answer.approved else "",
        opened_at=kit.now(),
    )


def snapshot(before: Before) -> Mapping[str, Any]:
    """A bot's snapshot as the JSON the journal keeps."""
    return before.model_dump(mode="json")


def with_look(run: Run, session: str, check: Check[Before]) -> Run:
    """The run with what the first check saw."""
    return replace(
        run,
        session=session,
        region=check.region or run.region,
        target_id=check.target_id or run.target_id,
        before=snapshot(check.before),
        notes=check.notes,
    )


def ended(kit: Kit, run: Run, outcome: Outcome, message: str) -> Run:
    """The run with its outcome, not written anywhere yet."""
    return replace(with_notes(run), outcome=outcome, message=message, closed_at=kit.now())


async def opened(kit: Kit, run: Run) -> Run:
    """Write the run down, with all that was noted about it so far.

    Returns:
        What the journal holds now, which may be what an earlier attempt wrote.

    Raises:
        LeaseLost, JournalUnwritable: it was not written.
    """
    return await kit.journal.open(with_notes(run))


async def close(kit: Kit, run: Run, outcome: Outcome, message: str) -> Run:
    """Write the outcome.

    Raises:
        LeaseLost, JournalUnwritable: it was not written.
    """
    closed = ended(kit, run, outcome, message)
    await kit.journal.close(closed)
    log.info(
        "run closed",
        extra={
            "run": closed.run_id,
            "finding": closed.finding_key,
            "account": closed.account_id,
            "bot": closed.bot,
            "outcome": closed.outcome,
            "decided_by": closed.decided_by,
            "changed": closed.changed,
            "seconds": closed.seconds,
        },
    )
    return closed
