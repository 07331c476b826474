"""The hub never touches what it stands on: its role, the spoke roles, its topics, queue and journal."""

from __future__ import annotations

from dataclasses import dataclass

from hub.aws.accounts import HubIdentity
from hub.model import Decision, Step, Verdict
from hub.settings import Settings


@dataclass(frozen=True, slots=True)
class OwnResources:
    settings: Settings
    identity: HubIdentity
    name: str = "own resources"

    async def judge(self, step: Step) -> Verdict | None:
        assert step.target is not None
        kind = step.target.type
        name = _last_part(step.target.id)
        # IAM names are unique whatever their case, so they are compared without it.
        names = {name.casefold(), _last_part(step.target.name).casefold()} - {""}
        spoke = self.settings.role_name.casefold()
        # Nobody knows what kind of thing an old-shaped bot acts on.
        if kind.startswith(("AWS::IAM::", "Custom::")) and spoke in names:
            return self._no(f"{self.settings.role_name} is the role the hub enters this account with")
        if kind == "AWS::IAM::ManagedPolicy" and any(each.startswith(f"{spoke}-") for each in names):
            return self._no(f"{name} is a policy of the role the hub enters this account with")
        if step.target.account_id == await self.identity.account_id():
            stack = (await self._stack_name()).casefold()
            if stack and any(each == stack or each.startswith(f"{stack}-") for each in names):
                return self._no(f"{name} belongs to the hub itself")
            if names & {part.casefold() for part in self._named(kind)}:
                return self._no(f"{name} belongs to the hub itself")
        return None

    def _named(self, kind: str) -> set[str]:
        """Names the settings give away, whatever they begin with."""
        settings = self.settings
        match kind:
            case "AWS::SNS::Topic":
                return {_last_part(settings.report_topic_arn)} - {""}
            case "AWS::SQS::Queue":
                return {_last_part(settings.queue_url)} - {""}
            case "AWS::DynamoDB::Table" if settings.journal.startswith("dynamodb:"):
                return {settings.journal.partition(":")[2]}
            case _:
                return set()

    async def _stack_name(self) -> str:
        """Whatever the hub's stack makes is called after the hub's own role: function, table, alarms."""
        arn = (await self.identity.caller())["Arn"]
        return arn.split("/")[1] if ":assumed-role/" in arn else _last_part(arn)

    def _no(self, why: str) -> Verdict:
        return Verdict(decision=Decision.REFUSE, guard=self.name, why=f"{why}; the hub leaves it alone")


def _last_part(identifier: str) -> str:
    return identifier.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
