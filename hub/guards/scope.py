"""Which accounts may be entered at all. Fails closed: an account that cannot be looked up is not entered."""

from __future__ import annotations

from dataclasses import dataclass

from hub.aws.accounts import HubIdentity
from hub.aws.directory import Directory
from hub.model import Decision, Step, Verdict
from hub.settings import DeploymentMode, Settings


@dataclass(frozen=True, slots=True)
class Scope:
    settings: Settings
    identity: HubIdentity
    directory: Directory
    name: str = "scope"

    async def judge(self, step: Step) -> Verdict | None:
        account = step.finding.account_id
        if self.settings.deployment_mode is DeploymentMode.SINGLE:
            own = await self.identity.account_id()
            if account == own:
                return None
            return self._no(
                Decision.REFUSE,
                f"account {account} is not the hub's own ({own}) and the deployment mode is single; "
                "set HUB_DEPLOYMENT_MODE=multi to act on other accounts",
            )
        facts = await self.directory.find(account)
        if facts is None:
            where = "listed in HUB_ACCOUNTS" if self.settings.accounts else "in the organization"
            return self._no(Decision.INVALID, f"account {account} is not {where}; it was not entered")
        if not facts.active:
            return self._no(Decision.INVALID, f"account {account} is suspended; it was not entered")
        return None

    def _no(self, decision: Decision, why: str) -> Verdict:
        return Verdict(decision=decision, guard=self.name, why=why)
