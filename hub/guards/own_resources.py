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
        name = _last_part(step.target.id)
        names = {name.casefold(), _last_part(step.target.name).casefold()} - {""}
        # IAM names are unique whatever their case, so they are compared without it.
        if step.target.type.startswith("AWS::IAM::") and self.settings.role_name.casefold() in names:
            return self._no(f"{self.settings.role_name} is the role the hub enters this account with")
        if step.target.account_id == await self.identity.account_id():
            own = await self._hub_names(step.target.type)
            if names & {part.casefold() for part in own}:
                return self._no(f"{name} belongs to the hub itself")
        return None

    async def _hub_names(self, kind: str) -> set[str]:
        settings = self.settings
        match kind:
            case "AWS::SNS::Topic":
                return {_last_part(settings.report_topic_arn)} - {""}
            case "AWS::SQS::Queue":
                return {_last_part(settings.queue_url)} - {""}
            case "AWS::DynamoDB::Table" if settings.journal.startswith("dynamodb:"):
                return {settings.journal.partition(":")[2]}
            case "AWS::IAM::Role":
                arn = (await self.identity.caller())["Arn"]
                return {arn.split("/")[1]} if ":assumed-role/" in arn else {_last_part(arn)}
            case _:
                return set()

    def _no(self, why: str) -> Verdict:
        return Verdict(decision=Decision.REFUSE, guard=self.name, why=f"{why}; the hub leaves it alone")


def _last_part(identifier: str) -> str:
    return identifier.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
