"""Which accounts may be entered at all, and where in them the hub works.

Fails closed: an account that cannot be looked up is not entered.
"""

from __future__ import annotations

from hub.aws.accounts import HubIdentity
from hub.aws.directory import Directory
from hub.guards import CurrentRules
from hub.guards.where import Entries
from hub.model import Decision, Step, Verdict
from hub.settings import DeploymentMode, Settings


class Scope:
    """Accounts by settings and organization; of these what the rules file says: where there are ``only`` entries
    one must fit, and no ``never`` entry may."""

    name = "scope"

    def __init__(
        self, rules: CurrentRules, settings: Settings, identity: HubIdentity, directory: Directory
    ) -> None:
        self._settings = settings
        self._identity = identity
        self._directory = directory
        self._entries = Entries(rules, "scope", lambda current: current.scopes)

    async def judge(self, step: Step) -> Verdict | None:
        return await self._strange(step.finding.account_id) or self._ruled_out(step)

    async def _strange(self, account: str) -> Verdict | None:
        """The word about an account that is none of the hub's.

        Raises:
            SpokeError: Organizations could not be asked.
        """
        if self._settings.deployment_mode is DeploymentMode.SINGLE:
            own = await self._identity.account_id()
            if account == own:
                return None
            return self._no(
                Decision.REFUSE,
                f"account {account} is not the hub's own ({own}) and the deployment mode is single; "
                "set HUB_DEPLOYMENT_MODE=multi to act on other accounts",
            )
        facts = await self._directory.find(account)
        if facts is None:
            where = "listed in HUB_ACCOUNTS" if self._settings.accounts else "in the organization"
            return self._no(Decision.INVALID, f"account {account} is not {where}; it was not entered")
        if not facts.active:
            return self._no(Decision.INVALID, f"account {account} is suspended; it was not entered")
        return None

    def _ruled_out(self, step: Step) -> Verdict | None:
        section = self._entries.in_force()
        fits = section.about(step)
        never = [fit for fit in fits if fit.entry.effect == "never"]
        if (sure := next((fit for fit in never if not fit.unknown), None)) is not None:
            return self._no(
                Decision.REFUSE,
                f"the hub is kept out of here by {sure.place}: {sure.entry.comment}; "
                "have the entry changed to get this fixed",
            )
        only = [fit for fit in fits if fit.entry.effect == "only"]
        wanted = [str(entry.line) for entry in section.entries if entry.effect == "only"]
        if wanted and not only:
            return self._no(
                Decision.REFUSE,
                f"the hub works only where an 'only' entry of scope fits, and none does ({section.rules.file} line "
                f"{', '.join(wanted)}); add one to get this fixed",
            )
        unsure = never or (only if all(fit.unknown for fit in only) else [])
        if unsure:
            return self._no(
                Decision.UNREACHABLE,
                f"{unsure[0].unknown}, so nobody can tell whether {unsure[0].place} is about it, and it was not "
                "entered; send the finding again when they can be",
            )
        return None

    def _no(self, decision: Decision, why: str) -> Verdict:
        return Verdict(decision=decision, guard=self.name, why=why)
