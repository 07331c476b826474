"""What an undo finds: the run it takes back, the resource as it is now, and what would be put back or lost."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from bots._bot import AnyBot, Before, Check, Params, Target
from bots._catalogue import BrokenBot, UnknownBot
from bots._words import parse
from hub.aws.account import SpokeAccount
from hub.errors import HubError
from hub.flow import due, record
from hub.flow.differences import in_words
from hub.flow.guard import judge, judge_touched
from hub.flow.kit import Kit
from hub.model import Action, Decision, Finding, Outcome, Run, Step, Verdict


class NothingToUndo(HubError):
    """There is no such run, or nothing about it can be taken back. The text says which."""


@dataclass(frozen=True, slots=True)
class Found:
    """The resource as an undo finds it.

    Attributes:
        saved: what the run saved before its change; ``wanted`` what an undo can bring about of it.
        changed_since: somebody changed it after the run.
        lost: in words, what an undo of that would lose; "" if nothing.
    """

    verdict: Verdict
    account: SpokeAccount
    now: Check[Before]
    saved: Before
    wanted: Before
    changed_since: bool

    @property
    def already(self) -> bool:
        """It is as before already."""
        return self.now.before in (self.saved, self.wanted)

    @property
    def back(self) -> str:
        """In words, what is put back."""
        return in_words(record.snapshot(self.now.before), record.snapshot(self.wanted))


async def run_to_undo(kit: Kit, run_id: str) -> tuple[Run, AnyBot]:
    """The run and its bot.

    Raises:
        NothingToUndo: unknown run, nothing changed, undone before, or the bot cannot be undone.
    """
    was = await kit.journal.get(run_id)
    if was is None:
        raise NothingToUndo(f"the journal knows no run {run_id[:40]!r}; `hub history` lists runs")
    try:
        bot = kit.catalogue.bot_named(was.bot)
    except (UnknownBot, BrokenBot) as error:
        raise NothingToUndo(f"run {was.run_id} was of a bot that is not there now: {error}") from error
    if pointless := why_not(was, bot):
        raise NothingToUndo(pointless)
    return was, bot


def why_not(was: Run, bot: AnyBot) -> str:
    """Why there is nothing to undo about a run, "" if there is."""
    if was.undo_of is not None:
        return f"run {was.run_id} is an undo itself; send the finding again to fix anew"
    if was.undone_by is not None:
        return f"run {was.run_id} was undone before, by run {was.undone_by}"
    if was.outcome is not None and not was.changed:
        return f"run {was.run_id} changed nothing ({was.outcome}), so there is nothing to undo"
    if was.before is None:
        return f"run {was.run_id} kept no prior state"
    if bot.undo.degree == "none":
        return f"{bot.name} cannot be undone: {bot.undo.why}. The journal keeps what was there"
    return ""


async def step_back(kit: Kit, was: Run, bot: AnyBot) -> Step:
    """The step that takes the run back; it gets its id when nobody else is at the resource."""
    action = Action(bot=was.bot, args=was.args, suggested_policy=was.suggested_policy)
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
        entity={"id": was.entity_id, "name": was.entity_name},
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
        run_id="",
        finding=finding,
        action=action,
        bot=bot,
        params=params,
        target=target,
        facts=await due.facts(kit, was.account_id),
    )


async def next_id(kit: Kit, run_id: str) -> str:
    """The id of the run that takes this one back now: of one that was cut off, if there is such, else a new one.

    Only whoever holds the resource's lease may ask.
    """
    number = 0
    while True:
        back_id = hashlib.sha256(f"undo:{number}:{run_id}".encode()).hexdigest()[:20]
        earlier = await kit.journal.get(back_id)
        if earlier is None or earlier.outcome is None:
            return back_id
        number += 1


async def find(kit: Kit, step: Step, was: Run) -> Found | Verdict:
    """Enter the account and look; a verdict if a guard does not let the step go there.

    Guards of time and number (windows, budgets, exemptions ...) are not asked: the way back is always open.
    """
    bot, target = step.bot, step.target
    assert bot is not None
    assert target is not None
    verdict = await judge(kit.undo_guards, step)
    if verdict.decision.outcome is not None:
        return verdict
    account = await kit.accounts.enter(
        target.account_id, target.region, target.partition, bot=bot, run_id=step.run_id
    )
    now: Check[Before] = await bot.run_check(account, target, step.params)
    touched = await judge_touched(kit.undo_guards, step, now)
    if touched.decision.outcome is not None:
        return touched
    saved = bot.before.model_validate(was.before)
    return Found(
        verdict=verdict,
        account=account,
        now=now,
        saved=saved,
        wanted=bot.expected_after_undo(saved),
        changed_since=was.after is not None and now.before != bot.before.model_validate(was.after),
    )


def foreseen(kit: Kit, back: Run, was: Run, found: Found, *, force: bool) -> Run | None:
    """How the undo ends without a change; None if it would now put something back."""
    if found.already:
        return record.ended(kit, back, Outcome.RESTORED, f"was as before already: {found.now.why}")
    if found.changed_since and not force:
        lost = in_words(was.after, record.snapshot(found.now.before))
        return record.ended(
            kit,
            back,
            Outcome.REFUSED,
            f"somebody changed {back.target_id} after the fix, and an undo would lose that ({lost}): "
            f"{found.now.why}; undo with --force to put back the state before the fix all the same",
        )
    if found.verdict.decision is Decision.DRY_RUN:
        words = f"would be undone: {found.back}; {found.verdict.why}"
        return record.ended(kit, back, Outcome.WOULD_FIX, words)
    return None


def seen_by(back: Run, found: Found) -> Run:
    """The run with what was found."""
    looked = record.with_look(back, found.account.session, found.now)
    return replace(looked, after=record.snapshot(found.now.before))
