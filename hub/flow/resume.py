"""Goes on with a step that waited: rules and guards decide anew, the resource is looked at again.

The word to go on comes through the queue, from anybody who can write there. So it says nothing but which run is
meant; whether that may go on stands in the journal.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from datetime import timedelta

from hub.errors import NotNow
from hub.flow import due, record, waiting
from hub.flow.kept import finding_of
from hub.flow.kit import Kit
from hub.flow.lanes import carry_out_all, publish
from hub.flow.report import report_id
from hub.flow.settlement import Settlement
from hub.flow.waiting import Waiting
from hub.guards.saying import moment
from hub.leases import Held
from hub.model import Message, Outcome, Report, Run
from hub.noting import noting

KEY = "remediation-hub:resume"
SOON = timedelta(seconds=60)
RETRY_AFTER = timedelta(minutes=15)
MOST_RETRIES = 3
_RUN_ID = re.compile("[0-9a-f]{20}")


def body_for(run_id: str) -> str:
    """The message that asks to go on with a run."""
    return json.dumps({KEY: run_id})


def asked_for(message: Message) -> str | None:
    """The run that a message asks to go on with; None if it is about something else."""
    # Nearly all messages are findings: they are not to be parsed twice.
    if len(message.body) > 200 or KEY not in message.body:
        return None
    try:
        told = json.loads(message.body)
    except ValueError:
        return None
    run_id = told.get(KEY) if isinstance(told, dict) and len(told) == 1 else None
    return run_id if isinstance(run_id, str) and _RUN_ID.fullmatch(run_id) else None


def resumed_id(run_id: str, attempt: int = 0) -> str:
    """The id of the run that goes on with this one: the same whoever works it out.

    Args:
        attempt: see `Waiting.attempt`.
    """
    text = f"resumed:{run_id}" if not attempt else f"resumed:{run_id}:{attempt}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:20]


async def resume(kit: Kit, run_id: str) -> Settlement:
    """Go on with a run that waits, if it may.

    Raises:
        as `hub.flow.settle`.
    """
    was = await kit.journal.get(run_id)
    if was is None or was.outcome is not Outcome.WAITING or was.finding is None:
        return Settlement(why=f"run {run_id[:40]!r} does not wait")
    if kit.settings.dry_run:
        return Settlement(why=f"the hub is in dry run, so run {run_id} waits on")
    async with kit.leases.hold(f"finding/{resumed_id(run_id)}", wait=0) as held:
        waits = await waiting.read(kit.journal, run_id)
        if waits is None:
            return Settlement(why=f"run {run_id} does not wait any more")
        next_id = resumed_id(run_id, waits.attempt)
        if held.fence > 1 and (known := await kit.journal.settled(next_id)):
            await waiting.no_more(kit.journal, waits)
            return Settlement(why=f"settled before, see report {known}")
        if not waits.ready(kit.now()):
            soon = waits.due_at is not None and waits.due_at - kit.now() <= SOON
            if soon and waits.answer is None and waits.again_at is None:
                # The clock of whoever sent this is ahead.
                raise NotNow(f"run {run_id} waits still: {waits.why}", seconds=SOON.total_seconds())
            return Settlement(why=f"run {run_id} waits still: {waits.why}")
        run = await _taken_up(kit, was, waits, held)
        report = Report(report_id=report_id(next_id), finding=finding_of(was.finding), runs=(run,))
        await publish(kit, report)
        await kit.journal.settle(next_id, report_id=report.report_id)
        await _settled(kit, waits, run)
    return Settlement(report=report)


async def _settled(kit: Kit, waits: Waiting, run: Run) -> None:
    """It waits no more; or once more, where AWS could not be reached and a yes is not to be spent on that."""
    assert run.outcome is not None
    if run.outcome.retry and not run.changed and waits.attempt < MOST_RETRIES:
        again = replace(waits, attempt=waits.attempt + 1, again_at=kit.now() + RETRY_AFTER, sent_at=None)
        if await waiting.write(kit.journal, again) is not None:
            return
    await waiting.no_more(kit.journal, waits)


async def _taken_up(kit: Kit, was: Run, waits: Waiting, held: Held) -> Run:
    answer = waits.answer or waits.given
    if waits.answer is not None and not waits.answer.approved:
        return await _end(kit, was, waits, held, f"rejected by {waits.answer.by}: {waits.answer.because}")
    if waits.answer is None and waits.expires_at is not None and waits.expires_at <= kit.now():
        return await _end(
            kit,
            was,
            waits,
            held,
            f"nobody said yes until {moment(waits.expires_at)}, so nothing was changed",
        )
    assert was.finding is not None
    asked = await due.asked(kit, finding_of(was.finding))
    step = due.of_bot(await due.steps(kit, asked), was.bot, was.args)
    if step is None:
        return await _end(
            kit, was, waits, held, "while it waited its rule was taken away: no rule asks for it any more"
        )
    step = replace(
        step,
        run_id=resumed_id(was.run_id, waits.attempt),
        resumes=was.run_id,
        answer=answer,
    )
    if answer is not None or waits.planned:
        # Who says yes, or has a plan carried out, has seen the state of that moment; a change of hours asks nobody.
        step = replace(step, expected=was.after or was.before, expected_at=(was.target_id, was.region))
    (run,) = await carry_out_all(kit, (step,), held)
    return run


async def _end(kit: Kit, was: Run, waits: Waiting, held: Held, words: str) -> Run:
    """End it without a look."""
    run = Run(
        run_id=resumed_id(was.run_id, waits.attempt),
        occurrence=was.occurrence,
        finding_key=was.finding_key,
        account_id=was.account_id,
        account_name=was.account_name,
        region=was.region,
        rule=was.rule,
        severity=was.severity,
        entity_id=was.entity_id,
        entity_name=was.entity_name,
        bot=was.bot,
        args=was.args,
        target_type=was.target_type,
        target_id=was.target_id,
        partition=was.partition,
        undo=was.undo,
        decided_by=was.decided_by,
        resumes=was.run_id,
        fence=held.fence,
        opened_at=kit.now(),
    )
    earlier = await kit.journal.get(run.run_id)
    if earlier is not None and earlier.outcome is not None:
        return earlier
    with noting(run.run_id, earlier):
        if earlier is not None and earlier.before is not None:
            words += "; an attempt that was cut off before may have changed it"
            left = replace(earlier, fence=held.fence, changed=True)
            return await record.close(kit, left, Outcome.INTERRUPTED, words)
        return await record.close(kit, run, Outcome.REFUSED, words)
