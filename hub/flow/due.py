"""Which steps a finding asks for, by the rules in force."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from hub.errors import SpokeError
from hub.flow.kit import Kit
from hub.flow.plan import plan
from hub.model import AccountFacts, Finding, Step
from hub.rules.decide import Due

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """The bots that are due for a finding, and what is known of its account."""

    finding: Finding
    facts: AccountFacts
    due: tuple[Due, ...]

    @property
    def nothing(self) -> str:
        """Why there is nothing to do, "" if there is."""
        if self.finding.passed:
            return "the rule passes now"
        if not self.due:
            return "the finding names no bot, and no rule runs one"
        return ""


async def asked(kit: Kit, finding: Finding) -> Asked:
    """The bots that the finding and the rules ask for."""
    if finding.passed:
        return Asked(finding, AccountFacts(), ())
    await kit.rules.refresh()
    decider = kit.rules.current()
    known = await facts(kit, finding.account_id)
    return Asked(finding, known, decider.decide(finding, known))


async def steps(kit: Kit, of: Asked) -> tuple[Step, ...]:
    """A step for each of them."""
    if not of.due:
        return ()
    return plan(
        of.finding,
        of.due,
        partition=await kit.identity.partition(),
        catalogue=kit.catalogue,
        facts=of.facts,
    )


def of_bot(found: Sequence[Step], bot: str, args: tuple[str, ...]) -> Step | None:
    """The step that runs this bot with these words."""
    for step in found:
        if (step.bot.name if step.bot else step.action.bot, step.action.args) == (bot, args):
            return step
    return None


async def facts(kit: Kit, account_id: str) -> AccountFacts:
    """What rules ask about the account; nothing is looked up that none asks about. What cannot be looked up is
    unknown, and whoever asks about it fails closed."""
    rules = kit.rules.current().rules
    if not (rules.needs_ous or rules.needs_account_tags):
        return AccountFacts()
    try:
        return await kit.facts.facts_of(account_id, ous=rules.needs_ous, tags=rules.needs_account_tags)
    except SpokeError as error:
        log.warning("account not looked up", extra={"account": account_id, "error": str(error)})
        return AccountFacts()
