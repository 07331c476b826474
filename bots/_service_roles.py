"""A role that an AWS service takes to deliver logs, with an inline policy of the hub's own on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from bots._all_or_none import Change
from bots._aws import Aws, together
from bots._bot import Before, CannotFix, on
from bots._policies import Statement, listed, statements, with_statements

_NONE = ("NoSuchEntity",)


class RoleState(Before):
    """``arn``: None if there is no such role. ``policy``: the hub's own inline policy, as sorted JSON."""

    arn: str | None
    policy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRole:
    """Attributes:
    service: the principal that may take the role, and nobody else.
    sources: ARNs of the resources it may take the role for, ``{partition}`` and ``{account}`` open.
    says_for_whom: the service is documented to say for which resource it takes a role. Others are
        held to it only where they say so.
    """

    name: str
    policy_name: str
    service: str
    sources: str
    says_for_whom: bool

    @property
    def arns(self) -> tuple[str, ...]:
        """Patterns of the role's ARN, on whatever path somebody has put it."""
        start = "arn:{partition}:iam::{account}:role/"
        return (f"{start}{self.name}", f"{start}*/{self.name}")

    @property
    def reads(self) -> tuple[str, ...]:
        """What the header of a bot declares for `look`."""
        return on(self.arns, "iam:GetRole", "iam:GetRolePolicy")

    @property
    def writes(self) -> tuple[str, ...]:
        """What the header of a bot declares to make the role and to take it back, and to hand it on."""
        made = on(self.arns, "iam:CreateRole", "iam:PutRolePolicy", "iam:DeleteRolePolicy", "iam:DeleteRole")
        return (*made, "iam:PassRole")

    def arn(self, aws: Aws, state: RoleState) -> str:
        """The role's ARN, also before it is made."""
        return state.arn or f"arn:{aws.partition}:iam::{aws.account_id}:role/{self.name}"

    async def state(self, aws: Aws) -> RoleState:
        """
        Raises:
            CannotFix: somebody else may take the role: it gets no rights from the hub.
        """
        # The policy is asked for in any case: a missing right must show before anything is changed.
        answer, policy = await together(
            aws.find("iam", "GetRole", absent=_NONE, RoleName=self.name), self._policy(aws)
        )
        if answer is None:
            return RoleState(arn=None, policy=None)
        self._refuse_strangers(answer["Role"]["AssumeRolePolicyDocument"])
        return RoleState(arn=answer["Role"]["Arn"], policy=policy)

    async def _policy(self, aws: Aws) -> str | None:
        named = {"RoleName": self.name, "PolicyName": self.policy_name}
        answer = await aws.find("iam", "GetRolePolicy", absent=_NONE, **named)
        return None if answer is None else json.dumps(answer["PolicyDocument"], sort_keys=True)

    def _refuse_strangers(self, trust: dict[str, Any]) -> None:
        allowed = [each for each in statements(json.dumps(trust)) if each["Effect"] == "Allow"]
        who = [each.get("Principal", "everybody but some") for each in allowed]
        if not who or any(_of_services(each) != [self.service] for each in who):
            raise CannotFix(
                f"role {self.name} exists, but {json.dumps(who)} may take it, not {self.service} alone; it gets no "
                "rights from the hub: rename it or correct its trust policy"
            )

    def changes(self, aws: Aws, was: RoleState, *needed: Statement) -> list[Change]:
        """What is missing so that the service may do what the statements allow."""
        found = []
        if was.arn is None:
            found.append(Change(partial(self._create, aws), partial(self._delete, aws)))
        if missing := [each for each in needed if each not in statements(was.policy)]:
            allow = partial(self._allow, aws, was.policy, missing)
            found.append(Change(allow, partial(self._disallow, aws, missing)))
        return found

    async def _create(self, aws: Aws) -> None:
        sources = self.sources.format(partition=aws.partition, account=aws.account_id)
        if_said = "" if self.says_for_whom else "IfExists"
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": self.service},
            "Action": "sts:AssumeRole",
            "Condition": {
                f"StringEquals{if_said}": {"aws:SourceAccount": aws.account_id},
                f"ArnLike{if_said}": {"aws:SourceArn": sources},
            },
        }
        await aws.call(
            "iam", "CreateRole", RoleName=self.name, AssumeRolePolicyDocument=with_statements(None, [trust])
        )

    async def _delete(self, aws: Aws) -> None:
        # What somebody has put on the role since keeps it alive.
        await aws.find("iam", "DeleteRole", absent=("DeleteConflict", *_NONE), RoleName=self.name)

    async def _allow(self, aws: Aws, policy: str | None, missing: list[Statement]) -> None:
        await self._put(aws, with_statements(policy, [*statements(policy), *missing]))

    async def _disallow(self, aws: Aws, missing: list[Statement]) -> None:
        policy = await self._policy(aws)
        left = [each for each in statements(policy) if each not in missing]
        if left:
            await self._put(aws, with_statements(policy, left))
        else:
            named = {"RoleName": self.name, "PolicyName": self.policy_name}
            await aws.find("iam", "DeleteRolePolicy", absent=_NONE, **named)

    async def _put(self, aws: Aws, policy: str) -> None:
        named = {"RoleName": self.name, "PolicyName": self.policy_name}
        await aws.call("iam", "PutRolePolicy", PolicyDocument=policy, **named)


def _of_services(principal: Any) -> list[str] | None:
    """The services a principal names, None if it names anybody else."""
    if not isinstance(principal, dict) or set(principal) != {"Service"}:
        return None
    return [str(each) for each in listed(principal["Service"])]
