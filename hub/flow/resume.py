"""Goes on with a step that waited: rules and guards decide anew, the resource is looked at again.

The word to go on comes through the queue, from anybody who can write there. So it says nothing but which run is
meant; whether that may go on stands in the journal.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace

from hub.flow import due, record, waiting
from hub.flow.kept import finding_of
from hub.flow.kit import Kit
from hub.flow.lanes import carry_out_all, publish
from hub.flow.report import report_id
from hub.flow.settlement import Settlement
from hub.flow.waiting import Waiting
from hub.leases import Held
from hub.model import Message, Outcome, Report, Run
from hub.noting import noting

KEY = "remediation-hub:resume"
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


def resumed_id(run_id: str) -> str:
    """The id of the run that goes on with this one: the same whoever works it out."""
    return hashlib.sha256(f"resumed:{run_id}".encode("utf-8", "surrogatepass")).hexdigest()[:20]


async def resume(kit: Kit, run_id: str) -> Settlement:
    """Go on with a run that waits, if it may.

    Raises:
        as `hub.flow.settle`.
    """
    was = await kit.journal.get(run_id)
    if was is None or was.outcome is not Outcome.WAITING or was.finding is None:
        return Settlement(why=f"run {run_id[:40]!r} does not wait")
    next_id = resumed_id(run_id)
    async with kit.leases.hold(f"finding/{next_id}", wait=0) as held:
        waits = await waiting.read(kit.journal, run_id)
        if waits is None:
            return Settlement(why=f"run {run_id} does not wait any more")
        if held.fence > 1 and (known := await kit.journal.settled(next_id)):
            await waiting.no_more(kit.journal, waits)
            return Settlement(why=f"settled before, see report {known}")
        if not waits.ready(kit.now()):
            return Settlement(why=f"run {run_id} waits still: {waits.why}")
        run = await _taken_up(kit, was, waits, held)
        report = Report(report_id=report_id(next_id), finding=finding_of(was.finding), runs=(run,))
        await publish(kit, report)
        await kit.journal.settle(next_id, report_id=report.report_id)
        await waiting.no_more(kit.journal, waits)
    return Settlement(report=report)


async def _taken_up(kit: Kit, was: Run, waits: Waiting, held: Held) -> Run:
    answer = waits.answer or waits.given
    if waits.answer is not None and not waits.answer.approved:
        return await _end(kit, was, held, f"rejected by {waits.answer.by}: {waits.answer.because}")
    if waits.answer is None and waits.expires_at is not None and waits.expires_at <= kit.now():
        return await _end(
            kit,
            was,
            held,
            f"nobody said yes until {waits.expires_at:%Y-%m-%d %H:%M} UTC, so nothing was changed",
        )
    assert was.finding is not None
    asked = await due.asked(kit, finding_of(was.finding))
    step = due.of_bot(await due.steps(kit, asked), was.bot, was.args)
    if step is None:
        return await _end(
            kit, was, held, "while it waited its rule was taken away: no rule asks for it any more"
        )
    step = replace(
        step,
        run_id=resumed_id(was.run_id),
        resumes=was.run_id,
        answer=answer,
        # Somebody who says yes has seen the state of that moment; a change of hours asks nobody.
        expected=was.before if answer is not None else None,
    )
    (run,) = await carry_out_all(kit, (step,), held)
    return run


async def _end(kit: Kit, was: Run, held: Held, words: str) -> Run:
    """End it without a look."""
    run = Run(
        run_id=resumed_id(was.run_id),
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
    with noting(run.run_id):
        return await record.close(kit, run, Outcome.REFUSED, words)
