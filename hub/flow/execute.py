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
from bots._bot import AnyBot, Before, CannotFix, Check, Target, TargetGone, TryLater, Unproven
from hub.aws.account import SpokeAccount
from hub.errors import HubError, JournalUnwritable, LeaseLost, NotNow, PutOff
from hub.flow import record, verify
from hub.flow.explain import explain
from hub.flow.guard import judge, judge_touched
from hub.flow.kit import Kit
from hub.leases import Held
from hub.model import Decision, Outcome, Run, Step, Verdict

log = logging.getLogger(__name__)


_Leases = tuple[Held, Held | None]


@dataclass(frozen=True, slots=True)
class Look:
    """The account entered and what the bot's check saw."""

    account: SpokeAccount
    check: Check[Before]


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
    if step.problem is not None:
        return await record.close(kit, run, Outcome.INVALID, step.problem)
    async with _as_outcome(kit, run) as ended:
        verdict = await judge(kit.guards, step)
        ended.run = await _by_verdict(kit, step, run, verdict, (held, lane))
    return ended.run


async def _by_verdict(kit: Kit, step: Step, run: Run, verdict: Verdict, leases: _Leases) -> Run:
    if (refusal := verdict.decision.outcome) is not None:
        return await record.close(kit, run, refusal, verdict.why)
    if verdict.decision is Decision.DRY_RUN:
        return await _dry_run(kit, step, run, verdict)
    return await _fix(kit, step, run, leases)


async def look(kit: Kit, step: Step) -> Look:
    """Enter the account and run the bot's check. Writes nothing."""
    bot, target = _ready(step)
    account = await kit.accounts.enter(
        target.account_id, target.region, target.partition, bot=bot, run_id=step.run_id
    )
    return Look(account, await bot.run_check(account, target, step.params))


async def _dry_run(kit: Kit, step: Step, run: Run, verdict: Verdict) -> Run:
    seen = await look(kit, step)
    run = record.with_look(run, seen.account.session, seen.check)
    if seen.check.compliant:
        return await record.close(kit, run, Outcome.COMPLIANT, seen.check.why)
    touched = await judge_touched(kit.guards, step, seen.check)
    if (refusal := touched.decision.outcome) is not None:
        return await record.close(kit, run, refusal, touched.why)
    return await record.close(kit, run, Outcome.WOULD_FIX, f"{seen.check.why}; {verdict.why}")


async def _fix(kit: Kit, step: Step, run: Run, leases: _Leases) -> Run:
    held, _ = leases
    # Only somebody who comes after another worker can find a record of this run.
    earlier = await kit.journal.get(run.run_id) if held.fence > 1 else None
    if earlier is not None and earlier.outcome is not None:
        return earlier
    if earlier is not None:
        run = replace(run, opened_at=earlier.opened_at)
    try:
        seen = await look(kit, step)
        found = seen.check.target_id
        if found in (None, _ready(step)[1].id):
            return await _change(kit, step, run, earlier, seen, leases)
    except TryLater as later:
        return await put_off(kit, run, later)
    # The finding named something else, so the resource itself is not leased yet.
    there = step.at(found)
    verdict = await judge(kit.guards, there)
    if (refusal := verdict.decision.outcome) is not None:
        return await record.close(kit, replace(run, target_id=found), refusal, verdict.why)
    async with kit.leases.hold(f"resource/{there.lane}", wait=kit.settings.lease_seconds) as lane:
        run = replace(run, target_id=found)
        try:
            return await _change(kit, there, run, earlier, await look(kit, there), (held, lane))
        except TryLater as later:
            return await put_off(kit, run, later)


async def _change(kit: Kit, step: Step, run: Run, earlier: Run | None, seen: Look, leases: _Leases) -> Run:
    bot, target = _ready(step)
    run = record.with_look(run, seen.account.session, seen.check)
    if earlier is not None and earlier.before is not None:
        run = replace(run, before=earlier.before)
    if seen.check.compliant:
        return await _already_right(kit, bot, run, earlier, seen)
    touched = await judge_touched(kit.guards, step, seen.check)
    if (refusal := touched.decision.outcome) is not None:
        return await record.close(kit, run, refusal, touched.why)
    run = await kit.journal.open(run)
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
        wrong = _patience_ended(kit, run, later)
        if wrong is None:
            raise
    except Unproven as said:
        return await record.close(kit, replace(run, changed=True), Outcome.UNPROVEN, str(said))
    except Exception as error:  # noqa: BLE001 - errors become outcomes
        wrong = error
    return await verify.settle_fix(kit, step, run, seen.account, first=first, saw=seen.check, wrong=wrong)


async def put_off(kit: Kit, run: Run, later: TryLater) -> Run:
    """Leave the run open for a later delivery of the same message, or end it when patience is over.

    Raises:
        PutOff: there is patience left.
    """
    over = _patience_ended(kit, run, later)
    if over is not None:
        return await record.close(kit, run, Outcome.FAILED, str(over))
    await kit.journal.open(run)
    waited = (kit.now() - run.opened_at).total_seconds()
    log.info("put off", extra={"run": run.run_id, "bot": run.bot, "awaited": str(later)})
    # Longer each time: every delivery counts towards the dead-letter queue.
    raise PutOff(str(later), seconds=max(later.seconds, waited / 2))


def _patience_ended(kit: Kit, run: Run, later: TryLater) -> HubError | None:
    if (kit.now() - run.opened_at).total_seconds() < kit.settings.patience_seconds:
        return None
    return HubError(f"given up after {kit.settings.patience_seconds:.0f} seconds of waiting: {later}")


async def _already_right(kit: Kit, bot: AnyBot, run: Run, earlier: Run | None, seen: Look) -> Run:
    if earlier is None or earlier.before is None:
        return await record.close(kit, run, Outcome.COMPLIANT, seen.check.why)
    # A worker died between its change and its record: the change is real and can be undone.
    changed = bot.before.model_validate(earlier.before) != seen.check.before
    run = replace(run, changed=changed, after=record.snapshot(seen.check.before))
    outcome = Outcome.FIXED if changed else Outcome.COMPLIANT
    return await record.close(kit, run, outcome, f"{seen.check.why} (finished in a later attempt)")


def _ready(step: Step) -> tuple[AnyBot, Target]:
    assert step.bot is not None
    assert step.target is not None
    return step.bot, step.target


@dataclass(slots=True)
class _Ended:
    run: Run


@asynccontextmanager
async def _as_outcome(kit: Kit, run: Run) -> AsyncIterator[_Ended]:
    """Turns what is raised inside the block into the run's outcome."""
    ended = _Ended(run)
    try:
        yield ended
    except (LeaseLost, NotNow):
        raise
    except JournalUnwritable as error:
        # If closing fails as well, that error leaves: nothing may be acknowledged then.
        ended.run = await record.close(
            kit,
            run,
            Outcome.FAILED,
            f"nothing was changed, because what is there could not be saved: {error}",
        )
    except Exception as error:
        outcome, text = explain(error)
        if not isinstance(error, (HubError, AwsError, TargetGone, CannotFix, TryLater)):
            log.exception("bot raised", extra={"bot": run.bot, "run": run.run_id})
        ended.run = await record.close(kit, run, outcome, text)
