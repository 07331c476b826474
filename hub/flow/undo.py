"""The way back: journal entry -> guard -> undo -> check -> record -> report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

from bots._bot import Before
from hub.errors import JournalUnwritable
from hub.flow import record, verify
from hub.flow.denied import told
from hub.flow.kit import Kit
from hub.flow.report import report_id
from hub.flow.settlement import publish
from hub.flow.way_back import Attempts, Found, attempts, find, foreseen, run_to_undo, seen_by, step_back
from hub.guards.taken_back import hold
from hub.leases import Held
from hub.model import Outcome, Report, Run, Step, Verdict
from hub.noting import noting

HOLD = timedelta(days=7)
BECAUSE = "nobody said why"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How an undo is wanted.

    Attributes:
        force: also when the resource was changed by somebody else since; that change is lost.
        hold: for so long the bot does not do it again, whatever findings say. Zero: it may at once.
        because: why, in the words of whoever wants it.
    """

    force: bool = False
    hold: timedelta = HOLD
    because: str = BECAUSE


async def undo(kit: Kit, run_id: str, wish: Wish) -> Report:
    """Put back what the run changed, prove it, record it as a run of its own and report it.

    Raises:
        NothingToUndo: unknown run, nothing changed, undone before, or the bot cannot be undone.
        NotNow: another worker is at the resource.
        JournalUnwritable: it could not be recorded; undo again.
    """
    was, bot = await run_to_undo(kit, run_id)
    step = await step_back(kit, was, bot)
    by = (await kit.identity.caller())["Arn"]
    async with kit.leases.hold(f"resource/{step.lane}", wait=kit.settings.lease_seconds) as held:
        was, _ = await run_to_undo(kit, run_id)
        so_far = await attempts(kit, was)
        step = replace(step, run_id=so_far.next_id)
        back = replace(record.begun(kit, step, fence=held.fence), undo_of=was.run_id, undo="none")
        back = replace(back, notes=(f"asked for by {by}: {wish.because}",))
        if so_far.cut_off is not None:
            back = record.taken_up(back, so_far.cut_off)
        with noting(back.run_id, so_far.cut_off):
            try:
                ended = await _restore(kit, step, (was, so_far), back, held, wish)
            except JournalUnwritable:
                # It may be undone by now; asked again, undo finds out.
                raise
            except Exception as error:  # noqa: BLE001 - errors become outcomes
                ended = await record.close(kit, back, *await told(kit, back, error))
        if ended.outcome is Outcome.RESTORED:
            if wish.hold:
                # Before it is marked as undone: cut off here, the undo is asked for again and holds it then.
                now = kit.now()
                await hold(
                    kit.journal,
                    lane=step.lane,
                    bot=bot.name,
                    until=now + wish.hold,
                    by=by,
                    because=wish.because,
                    at=now,
                )
            if was.outcome is None:
                # Closed for good, or a redelivery would resume the fix that was just taken back.
                words = "cut off between its change and its record; taken back by hand"
                await record.close(kit, replace(was, changed=True), Outcome.INTERRUPTED, words)
            await kit.journal.mark_undone(was.run_id, by=ended.run_id)
    report = Report(report_id=report_id(ended.run_id), finding=step.finding, runs=(ended,))
    await publish(kit, report)
    return report


async def preview_undo(kit: Kit, run_id: str, wish: Wish) -> Run:
    """What `undo` would do now. Writes nothing anywhere.

    Raises:
        NothingToUndo: see `undo`.
    """
    was, bot = await run_to_undo(kit, run_id)
    so_far = await attempts(kit, was)
    # Sessions carry the run's id, and AWS takes none without.
    step = replace(await step_back(kit, was, bot), run_id=so_far.next_id)
    back = replace(record.begun(kit, step, fence=0), undo_of=was.run_id, undo=bot.undo.degree)
    with noting(back.run_id):
        try:
            found = await find(kit, step, was, so_far)
        except Exception as error:  # noqa: BLE001 - errors become outcomes
            return record.ended(kit, back, *await told(kit, back, error))
        if isinstance(found, Verdict):
            return record.ended(kit, back, found.decision.outcome or Outcome.REFUSED, found.why)
        back = seen_by(bot, back, found)
        without = foreseen(kit, back, found, force=wish.force)
        return without or record.ended(kit, back, Outcome.WOULD_FIX, f"would be put back: {found.back}")


async def _restore(
    kit: Kit, step: Step, history: tuple[Run, Attempts], back: Run, held: Held, wish: Wish
) -> Run:
    assert step.bot is not None
    assert step.target is not None
    found = await find(kit, step, *history)
    if isinstance(found, Verdict):
        return await record.close(kit, back, found.decision.outcome or Outcome.REFUSED, found.why)
    back = seen_by(step.bot, back, found)
    without = foreseen(kit, back, found, force=wish.force)
    if without is not None:
        assert without.outcome is not None
        return await record.close(kit, back, without.outcome, without.message)
    back = await record.opened(kit, back)
    held.ensure()
    wrong: Exception | None = None
    try:
        await step.bot.run_undo(found.account, step.target, found.saved)
    except Exception as error:  # noqa: BLE001 - errors become outcomes
        wrong = error
    return await _proved(kit, step, back, found, wrong=wrong)


async def _proved(kit: Kit, step: Step, back: Run, found: Found, *, wrong: Exception | None) -> Run:
    assert step.bot is not None
    assert step.target is not None
    wanted: Before = found.wanted
    try:
        seen = await verify.until(
            found.account,
            step.bot,
            step.target,
            step.params,
            lambda check: check.before == wanted,
            patience=0.0 if wrong else kit.settings.proof_seconds,
        )
    except Exception as unread:  # noqa: BLE001 - whatever it is, the change is made and unproven
        outcome, text = await told(kit, back, wrong or unread)
        outcome = outcome if wrong else Outcome.UNPROVEN
        return await record.close(kit, replace(back, changed=True, after=None), outcome, text)
    changed = step.bot.before.model_validate(back.before) != seen.before
    back = replace(back, changed=changed, after=record.snapshot(seen.before))
    if seen.before == wanted:
        words = f"put back, and read again: {seen.why}"
        if found.lost:
            words += f"; {found.lost}"
        return await record.close(kit, back, Outcome.RESTORED, words)
    if wrong is not None:
        return await record.close(kit, back, *await told(kit, back, wrong))
    return await record.close(
        kit, back, Outcome.UNPROVEN, f"undone, but reading again does not show it: {seen.why}"
    )
