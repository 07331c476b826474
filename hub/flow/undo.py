"""The way back: journal entry -> guard -> undo -> check -> record -> report."""

from __future__ import annotations

import secrets
from dataclasses import replace

from bots._bot import AnyBot, Before, Check, Params, Target
from bots._catalogue import BrokenBot, UnknownBot
from bots._words import parse
from hub.aws.account import SpokeAccount
from hub.errors import HubError, JournalUnwritable
from hub.flow import record, verify
from hub.flow.denied import told
from hub.flow.guard import judge, judge_touched
from hub.flow.kit import Kit
from hub.flow.report import report_id
from hub.leases import Held
from hub.model import Action, Decision, Finding, Outcome, Report, Run, Step
from hub.noting import noting


class NothingToUndo(HubError):
    """There is no such run, or nothing about it can be taken back. The text says which."""


async def undo(kit: Kit, run_id: str, *, force: bool = False) -> Report:
    """Put back what the run changed, prove it, record it as a run of its own and report it.

    Args:
        force: also when the resource was changed by somebody else since; that change is lost.

    Raises:
        NothingToUndo: unknown run, nothing changed, undone before, or the bot cannot be undone.
        NotNow: another worker is at the resource.
        JournalUnwritable: it could not be recorded; undo again.
    """
    was = await kit.journal.get(run_id)
    if was is None:
        raise NothingToUndo(f"the journal knows no run {run_id[:40]!r}; `hub history` lists runs")
    try:
        bot = kit.catalogue.bot_named(was.bot)
    except (UnknownBot, BrokenBot) as error:
        raise NothingToUndo(f"run {was.run_id} was of a bot that is not there now: {error}") from error
    _refuse_pointless(was, bot)
    step = _step(was, bot)
    async with kit.leases.hold(f"resource/{step.lane}", wait=kit.settings.lease_seconds) as held:
        was = await kit.journal.get(run_id) or was
        _refuse_pointless(was, bot)
        back = replace(record.begun(kit, step, fence=held.fence), undo_of=was.run_id, undo="none")
        with noting(back.run_id):
            try:
                ended = await _restore(kit, step, was, back, held, force=force)
            except JournalUnwritable:
                # It may be undone by now; asked again, undo finds out.
                raise
            except Exception as error:  # noqa: BLE001 - errors become outcomes
                ended = await record.close(kit, back, *await told(kit, back, error))
        if ended.outcome is Outcome.RESTORED:
            if was.outcome is None:
                # Closed for good, or a redelivery would resume the fix that was just taken back.
                words = "cut off between its change and its record; taken back by hand"
                await record.close(kit, replace(was, changed=True), Outcome.INTERRUPTED, words)
            await kit.journal.mark_undone(was.run_id, by=ended.run_id)
    report = Report(report_id=report_id(ended.run_id), finding=step.finding, runs=(ended,))
    for sink in kit.sinks:
        await sink.publish(report)
    return report


def _refuse_pointless(was: Run, bot: AnyBot) -> None:
    if was.undo_of is not None:
        raise NothingToUndo(f"run {was.run_id} is an undo itself; send the finding again to fix anew")
    if was.undone_by is not None:
        raise NothingToUndo(f"run {was.run_id} was undone before, by run {was.undone_by}")
    if was.outcome is not None and not was.changed:
        raise NothingToUndo(f"run {was.run_id} changed nothing ({was.outcome}), so there is nothing to undo")
    if was.before is None:
        raise NothingToUndo(f"run {was.run_id} kept no prior state")
    if bot.undo.degree == "none":
        raise NothingToUndo(f"{bot.name} cannot be undone: {bot.undo.why}. The journal keeps what was there")


def _step(was: Run, bot: AnyBot) -> Step:
    action = Action(bot=was.bot, args=was.args, suggested_policy=was.suggested_policy)
    entity = {"id": was.entity_id, "name": was.entity_name}
    finding = Finding(
        dialect="undo",
        occurrence=was.occurrence,
        key=was.finding_key,
        passed=False,
        account_id=was.account_id,
        account_name=was.account_name,
        vendor="AWS",
        region=was.region,
        rule=was.rule,
        severity=was.severity,
        entity=entity,
        actions=(action,),
    )
    target = Target(
        account_id=was.account_id,
        region=was.region,
        partition=was.partition,
        type=was.target_type,
        id=was.target_id,
        name=was.entity_name or "",
        entity=was.entity,
        event_time=was.event_time,
        occurrence=was.occurrence,
        rule=was.rule,
    )
    params: Params = parse(bot.params, was.args, suggested_policy=was.suggested_policy)
    return Step(
        run_id=secrets.token_hex(10), finding=finding, action=action, bot=bot, params=params, target=target
    )


async def _restore(kit: Kit, step: Step, was: Run, back: Run, held: Held, *, force: bool) -> Run:
    bot, target = step.bot, step.target
    assert bot is not None
    assert target is not None
    verdict = await judge(kit.guards, step)
    if (refusal := verdict.decision.outcome) is not None:
        return await record.close(kit, back, refusal, verdict.why)
    account = await kit.accounts.enter(
        target.account_id, target.region, target.partition, bot=bot, run_id=back.run_id
    )
    saved = bot.before.model_validate(was.before)
    wanted = bot.expected_after_undo(saved)
    now: Check[Before] = await bot.run_check(account, target, step.params)
    back = replace(record.with_look(back, account.session, now), after=record.snapshot(now.before))
    touched = await judge_touched(kit.guards, step, now)
    if (refusal := touched.decision.outcome) is not None:
        return await record.close(kit, back, refusal, touched.why)
    if now.before in (saved, wanted):
        return await record.close(kit, back, Outcome.RESTORED, f"was as before already: {now.why}")
    if was.after is not None and now.before != bot.before.model_validate(was.after) and not force:
        return await record.close(
            kit,
            back,
            Outcome.REFUSED,
            f"somebody changed {target.id} after the fix, and an undo would lose that: {now.why}; "
            "undo with --force to put back the state before the fix all the same",
        )
    if verdict.decision is Decision.DRY_RUN:
        return await record.close(kit, back, Outcome.WOULD_FIX, f"would be undone; {verdict.why}")
    back = await record.opened(kit, back)
    held.ensure()
    wrong: Exception | None = None
    try:
        await bot.run_undo(account, target, saved)
    except Exception as error:  # noqa: BLE001 - errors become outcomes
        wrong = error
    return await _proved(kit, step, back, wanted, account=account, wrong=wrong)


async def _proved(
    kit: Kit, step: Step, back: Run, wanted: Before, *, account: SpokeAccount, wrong: Exception | None
) -> Run:
    assert step.bot is not None
    assert step.target is not None
    try:
        seen = await verify.until(
            account,
            step.bot,
            step.target,
            step.params,
            lambda check: check.before == wanted,
            patience=0.0 if wrong else kit.settings.proof_seconds,
        )
    except Exception as unread:  # noqa: BLE001 - whatever it is, the change is made and unproven
        outcome, text = await told(kit, back, wrong or unread)
        outcome = outcome if wrong else Outcome.UNPROVEN
        return await record.close(kit, replace(back, changed=True), outcome, text)
    changed = step.bot.before.model_validate(back.before) != seen.before
    back = replace(back, changed=changed, after=record.snapshot(seen.before))
    if seen.before == wanted:
        return await record.close(kit, back, Outcome.RESTORED, f"put back, and read again: {seen.why}")
    if wrong is not None:
        return await record.close(kit, back, *await told(kit, back, wrong))
    return await record.close(
        kit, back, Outcome.UNPROVEN, f"undone, but reading again does not show it: {seen.why}"
    )
