"""Makes runs and writes them to the journal."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bots._bot import AnyBot, Before, Check
from hub.flow.kit import Kit
from hub.model import Outcome, Run, Step
from hub.noting import noting, with_notes

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


def with_look(bot: AnyBot, run: Run, session: str, check: Check[Before]) -> Run:
    """The run with what was seen now. What an earlier attempt saved stays, and tells what it changed."""
    looked = replace(
        run,
        session=session,
        region=check.region or run.region,
        target_id=check.target_id or run.target_id,
        before=snapshot(check.before),
        notes=check.notes,
    )
    if run.before is None:
        return looked
    changed = bot.before.model_validate(run.before) != check.before
    return replace(looked, before=run.before, changed=changed)


def taken_up(run: Run, earlier: Run) -> Run:
    """The run as a later attempt takes it up. Where a state was saved, a change may have begun: until somebody has
    looked, it is assumed to have been made."""
    return replace(
        run,
        opened_at=earlier.opened_at,
        before=earlier.before,
        session=earlier.session,
        changed=earlier.before is not None,
    )


def again(kit: Kit, was: Run, run_id: str, *, fence: int) -> Run:
    """A run of the same step as one that has ended, not yet written anywhere."""
    return replace(
        was, run_id=run_id, fence=fence, opened_at=kit.now(), closed_at=None, outcome=None, session="",
        before=None, after=None, notes=(), verdicts=None, calls=None, finding=None, planned=None, approved_by="",
    )  # fmt: skip


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


def unseen(run: Run, text: str) -> str:
    """What is said about a run that ends without a look."""
    return f"{text}; an attempt that was cut off before may have changed it" if run.changed else text


async def leave(kit: Kit, run: Run, words: str) -> Run:
    """End a run without a look: as refused, or as interrupted where an earlier attempt may have changed something.

    Raises:
        LeaseLost, JournalUnwritable: it was not written.
    """
    earlier = await kit.journal.get(run.run_id)
    if earlier is not None and earlier.outcome is not None:
        return earlier
    with noting(run.run_id, earlier):
        if earlier is not None and earlier.before is not None:
            return await interrupt(kit, earlier, words, fence=run.fence)
        return await close(kit, run, Outcome.REFUSED, words)


async def interrupt(kit: Kit, left: Run, words: str, *, fence: int) -> Run:
    """End a run that an earlier attempt left open.

    Raises:
        LeaseLost, JournalUnwritable: it was not written.
    """
    left = replace(left, fence=fence, changed=left.before is not None)
    return await close(kit, left, Outcome.INTERRUPTED, unseen(left, words))


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
