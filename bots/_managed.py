"""Managed policies: who has them, and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from bots._aws import Aws, AwsError, together
from bots._bot import CannotFix, TargetGone
from bots._holders import Kind, no_such
from bots._iam_writes import NO_SUCH, Change, change
from bots._inline import as_text

POLICIES = ("arn:{partition}:iam::{account}:policy/*",)
ANY_POLICY = (*POLICIES, "arn:{partition}:iam::aws:policy/*")
AWS_OWN = "aws"  # what stands for the account in the ARNs of policies that AWS writes
_POLICY = re.compile(r"arn:[a-z-]+:iam::(?P<owner>aws|[0-9]{12}):policy/.+")


def owner_of(aws: Aws, arn: str) -> str:
    """The account of a managed policy, or `AWS_OWN`.

    Raises:
        CannotFix: it is another account, or no ARN of a policy.
    """
    found = _POLICY.fullmatch(arn)
    if found is None:
        raise CannotFix(f"{arn[:80]!r} is not the ARN of a managed policy")
    if found["owner"] not in (AWS_OWN, aws.account_id):
        raise CannotFix(f"{arn} belongs to account {found['owner']}, not to {aws.account_id}")
    return found["owner"]


async def entities_with(aws: Aws, arn: str, kind: Kind, **narrowed: str) -> tuple[str, ...]:
    """Names of the groups, roles or users that have the policy, as a permissions policy or a boundary.

    Args:
        narrowed: further parameters of ListEntitiesForPolicy.

    Raises:
        TargetGone: there is no such policy.
    """
    only = {"PolicyArn": arn, "EntityFilter": kind, **narrowed}
    listed = aws.pages("iam", "ListEntitiesForPolicy", items=f"Policy{kind}s", **only)
    try:
        return tuple(sorted([entity[f"{kind}Name"] async for entity in listed]))
    except AwsError as error:
        if error.code not in NO_SUCH:
            raise
        raise TargetGone(f"policy {arn} does not exist") from None


def detachments(kind: Kind, names: Iterable[str], arns: Iterable[str]) -> list[Change]:
    """Detaching all of the policies from all of the identities; turned, attaching them."""
    arns = tuple(arns)
    return [
        change(f"Detach{kind}Policy", f"Attach{kind}Policy", **{f"{kind}Name": name, "PolicyArn": arn})
        for name in names
        for arn in arns
    ]


async def attached_to_role(aws: Aws, role: str) -> tuple[str, ...]:
    """ARNs of the managed policies on a role.

    Raises:
        TargetGone: there is no such role.
    """
    listed = aws.pages("iam", "ListAttachedRolePolicies", items="AttachedPolicies", RoleName=role)
    try:
        return tuple(sorted([policy["PolicyArn"] async for policy in listed]))
    except AwsError as error:
        if error.code not in NO_SUCH:
            raise
        raise no_such(aws, "Role", role) from None


async def policy_facts(aws: Aws, arn: str) -> dict[str, Any] | None:
    """GetPolicy's answer; None if there is no such policy."""
    answer = await aws.find("iam", "GetPolicy", absent=NO_SUCH, PolicyArn=arn)
    return None if answer is None else answer["Policy"]


async def version_document(aws: Aws, arn: str, version: str) -> str:
    """What a version of the policy says."""
    answer = await aws.call("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)
    return as_text(answer["PolicyVersion"]["Document"])


async def documents_in_force(aws: Aws, arns: Iterable[str]) -> dict[str, str]:
    """What each policy says now, by ARN, of those that exist."""

    async def read(arn: str) -> tuple[str, str] | None:
        facts = await policy_facts(aws, arn)
        return (arn, await version_document(aws, arn, facts["DefaultVersionId"])) if facts else None

    return dict(found for found in await together(*map(read, arns)) if found)
