"""What a look at a resource finds, and what follows from that: what guards say, and what would be called."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import ValidationError

from bots._bot import AnyBot, Before, Check, Target
from hub.aws.account import SpokeAccount
from hub.flow import record
from hub.flow.guard import Judged, judge_change
from hub.flow.kit import Kit
from hub.flow.rehearse import rehearse
from hub.guards import Proposal
from hub.model import Run, Step

REST_UNKNOWN = "not all calls can be told beforehand: "
"""How a note begins that says why the calls of a run end too early."""


@dataclass(frozen=True, slots=True)
class Look:
    """The account entered and what the bot's check saw."""

    account: SpokeAccount
    check: Check[Before]

    def of(self, bot: AnyBot, run: Run) -> Run:
        """The run with what was seen; see `record.with_look`."""
        return record.with_look(bot, run, self.account.session, self.check)


async def look(kit: Kit, step: Step) -> Look:
    """Enter the account and run the bot's check. Writes nothing."""
    bot, target = ready(step)
    account = await kit.accounts.enter(
        target.account_id, target.region, target.partition, bot=bot, run_id=step.run_id
    )
    return Look(account, await bot.run_check(account, target, step.params))


async def rehearsed(step: Step, run: Run, seen: Look) -> Run:
    """The run with the calls that the fix would make now."""
    bot, target = ready(step.at(seen.check.target_id) if seen.check.target_id else step)
    found = await rehearse(bot, seen.account, target, step.params, seen.check.before)
    notes = run.notes if found.whole else (*run.notes, f"{REST_UNKNOWN}{found.why}")
    return replace(run, planned=found.calls, notes=notes)


async def judged_change(kit: Kit, step: Step, run: Run, seen: Look, *, only_asked: bool = False) -> Judged:
    """What the guards say about the change that this look makes necessary."""
    proposal = Proposal(
        step=step,
        run=run,
        now=kit.now(),
        account=seen.account,
        only_asked=only_asked,
    )
    return await judge_change(kit.change_guards, proposal)


def differs(bot: AnyBot, step: Step, run: Run, seen: Look) -> bool:
    """Whether it is not the state, or not the resource, that was said yes to or planned for."""
    if step.expected_at not in (None, (run.target_id, run.region)):
        return True
    try:
        return bool(bot.before.model_validate(step.expected) != seen.check.before)
    except ValidationError:
        # An older hub showed other facts.
        return True


def ready(step: Step) -> tuple[AnyBot, Target]:
    """Bot and target of a step that has both."""
    assert step.bot is not None
    assert step.target is not None
    return step.bot, step.target
