"""Goes on with a step that waited: rules and guards decide anew, the resource is looked at again.

The word to go on comes through the queue, from anybody who can write there. So it says nothing but which run is
meant; whether that may go on stands in the journal.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta

from hub.errors import NotNow
from hub.flow import due, record, waiting
from hub.flow.ids import derived_id
from hub.flow.kept import finding_of
from hub.flow.kit import Kit
from hub.flow.lanes import carry_out_all
from hub.flow.settlement import Settlement, reported
from hub.flow.waiting import Waiting
from hub.guards.saying import moment
from hub.leases import Held
from hub.model import Message, Outcome, Run, Step

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
    return derived_id(f"resumed:{run_id}:{attempt}" if attempt else f"resumed:{run_id}")


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
        report = await reported(kit, finding_of(was.finding), (run,), settled_as=next_id)
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
    run_id = resumed_id(was.run_id, waits.attempt)
    words = _over(kit, waits)
    step = None if words else await step_again(kit, was)
    if step is None:
        words = words or "while it waited its rule was taken away: no rule asks for it any more"
        run = replace(record.again(kit, was, run_id, fence=held.fence), resumes=was.run_id)
        return await record.leave(kit, run, words)
    answer = waits.answer or waits.given
    step = replace(step, run_id=run_id, resumes=was.run_id, answer=answer)
    if answer is not None or waits.planned:
        # Who says yes, or has a plan carried out, has seen the state of that moment; a change of hours asks nobody.
        step = replace(step, expected=was.after or was.before, expected_at=(was.target_id, was.region))
    (run,) = await carry_out_all(kit, (step,), held)
    return run


def _over(kit: Kit, waits: Waiting) -> str:
    """Why it has waited in vain, "" if it has not."""
    if waits.answer is not None and not waits.answer.approved:
        return f"rejected by {waits.answer.by}: {waits.answer.because}"
    if waits.answer is None and waits.expires_at is not None and waits.expires_at <= kit.now():
        return f"nobody said yes until {moment(waits.expires_at)}, so nothing was changed"
    return ""


async def step_again(kit: Kit, was: Run) -> Step | None:
    """The step of a run that waits, as rules ask for it now; None if none does."""
    assert was.finding is not None
    asked = await due.asked(kit, finding_of(was.finding))
    return due.of_bot(await due.steps(kit, asked), was.bot, was.args)
