"""The hub never touches what it stands on: its role, the spoke roles, its topics, queue and journal.

They are known by their names; where a name says nothing (a key's), by the stack that CloudFormation tagged them with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from hub.aws.accounts import HubIdentity
from hub.entity import tags
from hub.guards import CountsNothing, Proposal
from hub.guards.managed import STACK_NAME
from hub.guards.tags_now import TagsNow
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
        if step.target.account_id != await self.identity.account_id():
            return None
        stack, session = await self._who()
        if any(_is_of(each, stack) for each in names) or names & {
            part.casefold() for part in self._named(kind)
        }:
            return self._no(f"{name} belongs to the hub itself")
        # EC2 calls the session of an instance's role after the instance.
        if kind == "AWS::EC2::Instance" and name == session:
            return self._no(f"{name} is what the hub runs on")
        return await self.judge_tagged(step, tags(step.finding.entity))

    async def judge_tagged(self, step: Step, found: Iterable[tuple[str, str]]) -> Verdict | None:
        """The word about a resource of the step's account that carries these tags."""
        assert step.target is not None
        made_by = [value for key, value in found if key == STACK_NAME]
        if not made_by or step.target.account_id != await self.identity.account_id():
            return None
        stack, _ = await self._who()
        if any(_is_of(each.casefold(), stack) for each in made_by):
            return self._no(
                f"{step.target.id} was made by stack {made_by[0]}, so it belongs to the hub itself"
            )
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

    async def _who(self) -> tuple[str, str]:
        """The name of the hub's own role, after which its stack and whatever that makes are called (function,
        table, alarms), and the name of the role's session; "" if the hub runs as a user."""
        arn = (await self.identity.caller())["Arn"]
        if ":assumed-role/" in arn:
            _, role, session = arn.split("/", 2)
            return role.casefold(), session
        return _last_part(arn).casefold(), ""

    def _no(self, why: str) -> Verdict:
        return Verdict(decision=Decision.REFUSE, guard=self.name, why=f"{why}; the hub leaves it alone")


@dataclass(frozen=True, slots=True)
class OwnResourcesNow(CountsNothing):
    """What the hub's stack made and the finding does not say so of (its key, a topic called otherwise), by the tags
    as they are now. Where these cannot be known, names and the finding's copy were asked before."""

    own: OwnResources
    tags_now: TagsNow
    name: str = "own resources now"

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        """
        Raises:
            AwsError: AWS throttled or did not answer; then nothing may be changed.
        """
        if proposal.step.finding.account_id != await self.own.identity.account_id():
            return None
        found = await self.tags_now.of(proposal, always=True) or {}
        said = await self.own.judge_tagged(proposal.step, found.items())
        return said and replace(said, guard=self.name)


def _is_of(name: str, stack: str) -> bool:
    return name == stack or name.startswith(f"{stack}-")


def _last_part(identifier: str) -> str:
    return identifier.rsplit("/", 1)[-1].rsplit(":", 1)[-1]
