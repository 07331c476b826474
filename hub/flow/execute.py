"""Enters the account, looks, saves what is there, and only then changes it.

Nothing but cancellation leaves `carry_out`: every error becomes the run's outcome, so one denied
call never stops the other steps.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone, TryLater, Unproven
from hub.errors import HubError, JournalUnwritable, LeaseLost, NotNow
from hub.flow import patience, record, verify, waiting
from hub.flow.denied import told
from hub.flow.guard import judge, judge_touched, tell_ended
from hub.flow.kit import Kit
from hub.flow.looking import Look, differs, judged_change, look, ready, rehearsed
from hub.leases import Held
from hub.model import Decision, Outcome, Run, Step, Verdict
from hub.noting import changes, noting

log = logging.getLogger(__name__)


CHANGED_SINCE = (
    "the resource is not as it was when the plan was made, so the plan is not carried out; plan anew"
)

_Leases = tuple[Held, Held | None]


async def carry_out(kit: Kit, step: Step, held: Held, lane: Held | None) -> Run:
    """Run one step to its outcome and record it.

    Args:
        held: the lease on the finding; its fence goes into every journal write.
        lane: the lease on the resource; None for a step that has none because it cannot run.

    Raises:
        PutOff: the bot waits for AWS; the run is open and goes on with the next delivery.
        LeaseLost: another worker took over; nothing was written after that.
        JournalUnwritable: the outcome could not be recorded; the message must be kept.
    """
    run = record.begun(kit, step, fence=held.fence)
    # Only somebody who comes after another worker can find a record of this run.
    earlier = await kit.journal.get(run.run_id) if held.fence > 1 else None
    if earlier is not None:
        if earlier.outcome is not None:
            return earlier
        run = replace(record.taken_up(run, earlier), notes=earlier.notes, calls=earlier.calls)
    with noting(run.run_id, earlier):
        if step.problem is not None:
            return await record.close(kit, run, Outcome.INVALID, record.unseen(run, step.problem))
        async with _as_outcome(kit, run) as ended:
            verdict = await judge(kit.guards, step)
            ended.run = await _by_verdict(kit, step, run, verdict, (held, lane))
    return ended.run


def _has_begun(run: Run) -> bool:
    """Whether an earlier attempt is known to have made changes: it could say so when it put the run off."""
    return any(changes(call) and not call.error for call in run.calls or ())


async def _by_verdict(kit: Kit, step: Step, run: Run, verdict: Verdict, leases: _Leases) -> Run:
    if verdict.decision is Decision.WAIT:
        return await waiting.wait(kit, step, run, verdict)
    if (refusal := verdict.decision.outcome) is not None:
        return await record.close(kit, run, refusal, record.unseen(run, verdict.why))
    if verdict.decision is Decision.DRY_RUN:
        return await _dry_run(kit, step, run, verdict)
    return await _fix(kit, step, run, leases)


async def _dry_run(kit: Kit, step: Step, run: Run, verdict: Verdict) -> Run:
    seen = await look(kit, step)
    resumed = run.before is not None
    run = seen.of(ready(step)[0], run)
    if seen.check.compliant:
        return await _already_right(kit, run, seen, resumed=resumed)
    if resumed and run.changed:
        words = f"not gone on with: {verdict.why}; an attempt before has changed it, or somebody has: {seen.check.why}"
        return await record.close(kit, run, Outcome.INTERRUPTED, words)
    touched = await judge_touched(kit.guards, step, seen.check)
    if (refusal := touched.decision.outcome) is not None:
        return await record.close(kit, run, refusal, touched.why)
    judged = await judged_change(kit, step, run, seen, only_asked=True)
    run = replace(run, notes=run.notes + judged.remarks)
    refusal, words = judged.verdict.decision.outcome, verdict.why
    if refusal is Outcome.WAITING:
        words += f", and would wait: {judged.verdict.why}"
    elif refusal is not None:
        return await record.close(kit, run, refusal, judged.verdict.why)
    run = await rehearsed(step, run, seen)
    return await record.close(kit, run, Outcome.WOULD_FIX, f"{seen.check.why}; {words}")


async def _fix(kit: Kit, step: Step, run: Run, leases: _Leases) -> Run:
    held, _ = leases
    try:
        seen = await look(kit, step)
        found = seen.check.target_id
        if found in (None, ready(step)[1].id):
            return await _change(kit, step, run, seen, leases)
    except TryLater as later:
        return await patience.put_off(kit, run, later)
    # The finding named something else, so the resource itself is not leased yet.
    there = step.at(found)
    verdict = await judge(kit.guards, there)
    if (refusal := verdict.decision.outcome) is not None:
        return await record.close(kit, replace(run, target_id=found), refusal, verdict.why)
    async with kit.leases.hold(f"resource/{there.lane}", wait=kit.settings.lease_seconds) as lane:
        run = replace(run, target_id=found)
        try:
            return await _change(kit, there, run, await look(kit, there), (held, lane))
        except TryLater as later:
            return await patience.put_off(kit, run, later)


async def _change(kit: Kit, step: Step, run: Run, seen: Look, leases: _Leases) -> Run:
    bot, _ = ready(step)
    resumed = run.before is not None
    run = seen.of(bot, run)
    if seen.check.compliant:
        ended = await _already_right(kit, run, seen, resumed=resumed)
        if resumed:
            await tell_ended(kit.change_guards, step, ended)
        return ended
    touched = await judge_touched(kit.guards, step, seen.check)
    if (refusal := touched.decision.outcome) is not None:
        return await record.close(kit, run, refusal, touched.why)
    # What is on record as half made is finished: half a change is worse than one that is a little late. After a
    # death nobody can tell what the attempt did from what others did since, so all is asked anew.
    if not (resumed and run.changed and _has_begun(run)):
        run = await _let_pass(kit, step, run, seen)
        if run.outcome is not None:
            return run
    ended = await _changed(kit, step, run, seen, leases, resumed=resumed)
    await tell_ended(kit.change_guards, step, ended)
    return ended


async def _let_pass(kit: Kit, step: Step, run: Run, seen: Look) -> Run:
    """The run, with what guards remark, if the change may be made; else as it has ended."""
    if step.expected is not None and differs(ready(step)[0], step, run, seen):
        if step.answer is None:
            words = record.unseen(run, f"{CHANGED_SINCE}: {seen.check.why}")
            return await record.close(kit, run, Outcome.REFUSED, words)
        # Whoever said yes had seen something else; the guard asks anew.
        step, run = replace(step, answer=None), replace(run, approved_by="")
    judged = await judged_change(kit, step, run, seen)
    run = replace(run, notes=run.notes + judged.remarks)
    refusal = judged.verdict.decision.outcome
    if refusal is None:
        return run
    if refusal is Outcome.WAITING:
        # Whoever is asked is shown, and says yes to, what is there now.
        run = replace(await rehearsed(step, run, seen), after=record.snapshot(seen.check.before))
        ended = await waiting.wait(kit, step, run, judged.verdict)
    else:
        ended = await record.close(kit, run, refusal, judged.verdict.why)
    await tell_ended(kit.change_guards, step, ended)
    return ended


async def _changed(kit: Kit, step: Step, run: Run, seen: Look, leases: _Leases, *, resumed: bool) -> Run:
    bot, target = ready(step)
    try:
        run = await record.opened(kit, run)
    except JournalUnwritable as error:
        if resumed:
            raise
        words = f"nothing was changed, because what is there could not be saved: {error}"
        return await record.close(kit, replace(run, before=None), Outcome.FAILED, words)
    if run.outcome is not None:
        return run
    first = bot.before.model_validate(run.before)
    for lease in leases:
        if lease is not None:
            lease.ensure()
    wrong: BaseException | None = None
    try:
        await bot.run_fix(seen.account, target, step.params, seen.check.before)
    except asyncio.CancelledError:
        # The open record with its prior state was written first: it is resumed or undone.
        log.warning("interrupted during a fix", extra={"run": run.run_id, "account": run.account_id})
        raise
    except TryLater as later:
        wrong = patience.ended(kit, run, later)
        if wrong is None:
            raise
    except Unproven as said:
        return await record.close(kit, replace(run, changed=True), Outcome.UNPROVEN, str(said))
    except Exception as error:  # noqa: BLE001 - errors become outcomes
        wrong = error
    return await verify.settle_fix(kit, step, run, seen.account, first=first, saw=seen.check, wrong=wrong)


async def _already_right(kit: Kit, run: Run, seen: Look, *, resumed: bool) -> Run:
    if not resumed:
        return await record.close(kit, run, Outcome.COMPLIANT, seen.check.why)
    # A worker died between its change and its record: the change is real and can be undone.
    run = replace(run, after=record.snapshot(seen.check.before))
    outcome = Outcome.FIXED if run.changed else Outcome.COMPLIANT
    return await record.close(kit, run, outcome, f"{seen.check.why} (finished in a later attempt)")


@dataclass(slots=True)
class _Ended:
    run: Run


@asynccontextmanager
async def _as_outcome(kit: Kit, run: Run) -> AsyncIterator[_Ended]:
    """Turns what is raised inside the block into the run's outcome."""
    ended = _Ended(run)
    try:
        yield ended
    except (LeaseLost, NotNow, JournalUnwritable):
        # What is true by now could not be written, so nothing may be acknowledged.
        raise
    except Exception as error:
        outcome, text = await told(kit, run, error)
        if not isinstance(error, (HubError, AwsError, TargetGone, CannotFix, TryLater)):
            log.exception("bot raised", extra={"bot": run.bot, "run": run.run_id})
        ended.run = await record.close(kit, run, outcome, record.unseen(run, text))
