"""Managed policies on users and roles: which may be attached, which are, attach and detach."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field

from bots._aws import Aws, AwsError
from bots._bot import Before, CannotFix, Check, Target, TryLater, on
from bots._identities import GONE, Identity, Kind, listing, live_identity
from bots._policies import listed, statements

# Whichever partition an ARN names, the policy of the finding's own is meant.
_ARN = (
    r"^arn:([a-z-]+|\$PARTITION):iam::(aws|[0-9]{12}|\$ACCOUNT_ID)"
    r":policy/([!-~]{1,510}/)?[A-Za-z0-9_+=,.@-]{1,128}$"
)
PolicyArn = Annotated[
    str, Field(pattern=_ARN, description="ARN; $ACCOUNT_ID and $PARTITION stand for the finding's")
]
POLICY = ("arn:{partition}:iam::{account}:policy/*", "arn:{partition}:iam::aws:policy/*")
POLICY_READS = on(POLICY, "iam:GetPolicy", "iam:GetPolicyVersion")
FULL = "LimitExceeded"
PROPAGATES_SECONDS = 15


class Attachment(Before):
    policy_arn: str
    attached: bool


def own_arn(aws: Aws, wanted: str) -> str:
    """The policy's ARN in this account and partition.

    Raises:
        CannotFix: it is a policy of another account.
    """
    owner, path = wanted.split(":iam::", 1)[1].split(":", 1)
    owner = owner.replace("$ACCOUNT_ID", aws.account_id)
    if owner not in ("aws", aws.account_id):
        raise CannotFix(
            f"{wanted} belongs to account {owner}: IAM attaches policies of {aws.account_id} or of AWS only"
        )
    return f"arn:{aws.partition}:iam::{owner}:{path}"


async def refuse_unfit(aws: Aws, arn: str) -> None:
    """
    Raises:
        CannotFix: there is no such policy, AWS has retired it, or it would make an administrator.
    """
    answer = await aws.find("iam", "GetPolicy", absent=GONE, PolicyArn=arn)
    if answer is None:
        raise CannotFix(f"there is no policy {arn}: create it first")
    if not answer["Policy"]["IsAttachable"]:
        raise CannotFix(f"policy {arn} cannot be attached any more: AWS has retired it, name its successor")
    version = answer["Policy"]["DefaultVersionId"]
    found = await aws.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
    if makes_administrator(json.dumps(found["PolicyVersion"]["Document"])):
        raise CannotFix(
            f"policy {arn} gives full control of the account, and a finding must not make administrators: "
            "attach it by hand if that is really wanted"
        )


def makes_administrator(document: str) -> bool:
    """Whether some statement allows all actions, or all of IAM's, on everything and without a condition."""
    return any(
        statement.get("Effect") == "Allow"
        and not statement.get("Condition")
        and "*" in listed(statement.get("Resource", []))
        and _all_of_iam(statement)
        for statement in statements(document)
    )


def _all_of_iam(statement: Mapping[str, Any]) -> bool:
    if "NotAction" in statement:
        return not any(_covers_iam(action) for action in listed(statement["NotAction"]))
    return any(_covers_iam(action) for action in listed(statement.get("Action", [])))


def _covers_iam(action: str) -> bool:
    return bool(re.fullmatch(r"\*+(:\*+)?|iam:\*+", action.lower()))


async def attached(aws: Aws, who: Identity) -> list[str]:
    """ARNs of the managed policies attached to a user or role, sorted."""
    found = await listing(aws, who, f"ListAttached{who.kind}Policies", items="AttachedPolicies")
    return sorted(each["PolicyArn"] for each in found)


async def attach(aws: Aws, who: Identity, arn: str) -> None:
    """
    Raises:
        AwsError: as AWS says; `FULL` when the quota is used up.
        TryLater: IAM does not know the policy or its holder everywhere yet.
    """
    answer = await aws.find("iam", f"Attach{who.kind}Policy", absent=GONE, PolicyArn=arn, **who.words)
    if answer is None:
        raise TryLater(f"IAM does not find {who} and policy {arn} everywhere yet", seconds=PROPAGATES_SECONDS)


async def detach(aws: Aws, who: Identity, arn: str) -> None:
    await aws.find("iam", f"Detach{who.kind}Policy", absent=GONE, PolicyArn=arn, **who.words)


async def look(aws: Aws, target: Target, kind: Kind, wanted: str) -> Check[Attachment]:
    """Is the one policy attached to the user or role? Only one that may be attached is found missing."""
    arn = own_arn(aws, wanted)
    who, _ = await live_identity(aws, target, kind)
    has = arn in await attached(aws, who)
    if not has:
        await refuse_unfit(aws, arn)
    return Check(
        compliant=has,
        before=Attachment(policy_arn=arn, attached=has),
        why=f"policy {arn} is {'' if has else 'not '}attached to {who}",
        target_id=who.name,
    )


async def add(aws: Aws, who: Identity, arn: str) -> None:
    """As `attach`, with words for a quota that is used up.

    Raises:
        CannotFix: it is.
    """
    try:
        await attach(aws, who, arn)
    except AwsError as error:
        if error.code != FULL:
            raise
        raise full(who, await attached(aws, who)) from error


def full(who: Identity, has: list[str]) -> CannotFix:
    return CannotFix(
        f"{who} has {len(has)} managed policies attached, as many as the account's quota allows: "
        "merge some, or have the quota raised"
    )
