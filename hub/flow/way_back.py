"""What an undo finds: the run it takes back, the resource as it is now, and what would be put back or lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count

from bots._bot import AnyBot, Before, Check, Params, Target
from bots._catalogue import BrokenBot, UnknownBot
from bots._words import BadWords, parse
from hub.aws.account import SpokeAccount
from hub.errors import HubError
from hub.flow import due, record
from hub.flow.differences import in_words
from hub.flow.guard import judge, judge_touched
from hub.flow.ids import derived_id
from hub.flow.kit import Kit
from hub.model import Action, Decision, Finding, Json, Outcome, Run, Step, Verdict


class NothingToUndo(HubError):
    """There is no such run, or nothing about it can be taken back. The text says which."""


@dataclass(frozen=True, slots=True)
class Found:
    """The resource as an undo finds it.

    Attributes:
        saved: what the run saved before its change; ``wanted`` what an undo can bring about of it.
        differs: in words, how it differs from what the run, or the last undo of it, left; "" if it does not.
        begun: an undo had begun of which nobody knows how far it came, so that may be its work.
    """

    verdict: Verdict
    account: SpokeAccount
    now: Check[Before]
    saved: Before
    wanted: Before
    differs: str
    begun: bool

    @property
    def changed_since(self) -> bool:
        """Somebody changed it after the run."""
        return bool(self.differs) and not self.begun

    @property
    def lost(self) -> str:
        """In words, what an undo loses; "" if nothing."""
        if not self.differs:
            return ""
        if self.begun:
            return f"an undo that was cut off had begun, and this was taken for its work: {self.differs}"
        return f"lost is what somebody changed since the fix: {self.differs}"

    @property
    def already(self) -> bool:
        """It is as before already."""
        return self.now.before in (self.saved, self.wanted)

    @property
    def back(self) -> str:
        """In words, what is put back and what is lost by that."""
        back = in_words(record.snapshot(self.now.before), record.snapshot(self.wanted))
        return f"{back}; {self.lost}" if self.lost else back


@dataclass(frozen=True, slots=True)
class Attempts:
    """What has come of earlier undos of a run.

    Attributes:
        next_id: the id of the run that takes it back now: that of ``cut_off``, if there is such, else a new one.
        left: the state that the run, or the last undo that changed something, left; None if nobody knows.
        begun_at: the state from which an undo began of which nobody knows how far it came; None if there is none.
    """

    next_id: str
    cut_off: Run | None
    left: Json | None
    begun_at: Json | None


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
    """The step that takes the run back; it gets its id when nobody else is at the resource.

    Raises:
        NothingToUndo: the bot does not understand the run's parameters any more.
    """
    try:
        params: Params = parse(bot.params, was.args, suggested_policy=was.suggested_policy)
    except BadWords as error:
        raise NothingToUndo(
            f"{bot.name} does not take the parameters of run {was.run_id} now: {error}"
        ) from error
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
    return Step(
        run_id="",
        finding=finding,
        action=action,
        bot=bot,
        params=params,
        target=target,
        facts=await due.facts(kit, was.account_id),
    )


async def attempts(kit: Kit, was: Run) -> Attempts:
    """The undos of this run so far. Only who holds the resource's lease may go on with one that was cut off."""
    left, begun_at = was.after, None
    for number in count():
        back_id = derived_id(f"undo:{number}:{was.run_id}")
        earlier = await kit.journal.get(back_id)
        if earlier is None:
            break
        if earlier.outcome is None:
            return Attempts(back_id, earlier, left, earlier.before)
        if earlier.changed:
            left, begun_at = earlier.after or left, None if earlier.after else earlier.before
    return Attempts(back_id, None, left, begun_at)


async def find(kit: Kit, step: Step, was: Run, so_far: Attempts) -> Found | Verdict:
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

    def other(state: Json | None) -> bool:
        return state is not None and now.before != bot.before.model_validate(state)

    return Found(
        verdict=verdict,
        account=account,
        now=now,
        saved=saved,
        wanted=bot.expected_after_undo(saved),
        differs=in_words(so_far.left, record.snapshot(now.before)) if other(so_far.left) else "",
        begun=other(so_far.begun_at),
    )


def foreseen(kit: Kit, back: Run, found: Found, *, force: bool) -> Run | None:
    """How the undo ends without a change; None if it would now put something back."""
    if found.already:
        words = (
            "put back in an attempt that was cut off, and read again"
            if back.changed
            else "was as before already"
        )
        return record.ended(kit, back, Outcome.RESTORED, f"{words}: {found.now.why}")
    if found.changed_since and not force:
        return record.ended(
            kit,
            back,
            Outcome.REFUSED,
            f"somebody changed {back.target_id} after the fix, and an undo would lose that ({found.differs}): "
            f"{found.now.why}; undo with --force to put back the state before the fix all the same",
        )
    if found.verdict.decision is Decision.DRY_RUN:
        words = f"would be undone: {found.back}; {found.verdict.why}"
        return record.ended(kit, back, Outcome.WOULD_FIX, words)
    return None


def seen_by(bot: AnyBot, back: Run, found: Found) -> Run:
    """The run with what was found."""
    looked = record.with_look(bot, back, found.account.session, found.now)
    return replace(looked, after=record.snapshot(found.now.before), notes=back.notes + found.now.notes)
