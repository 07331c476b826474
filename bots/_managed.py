"""Managed policies: who has them, what they say, and how they come and go."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from bots._all_or_none import IamChange, iam_change
from bots._aws import Aws, AwsError, together
from bots._bot import CannotFix, TargetGone, on
from bots._identities import NO_SUCH, Identity, Kind, listing

POLICIES = ("arn:{partition}:iam::{account}:policy/*",)
ANY_POLICY = (*POLICIES, "arn:{partition}:iam::aws:policy/*")
POLICY_READS = on(ANY_POLICY, "iam:GetPolicy", "iam:GetPolicyVersion")
AWS_OWN = "aws"  # what stands for the account in the ARNs of policies that AWS writes
_POLICY = re.compile(r"arn:[a-z-]+:iam::(?P<owner>aws|[0-9]{12}):policy/.+")


def as_text(document: str | Mapping[str, Any]) -> str:
    """A policy document as text: answers of IAM come with documents read already."""
    return document if isinstance(document, str) else json.dumps(document)


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


async def holders_of(aws: Aws, arn: str) -> list[Identity]:
    """Every group, role and user that has the policy, as a permissions policy or a boundary.

    Raises:
        TargetGone: there is no such policy.
    """
    kinds: tuple[Kind, ...] = ("Group", "Role", "User")
    found = await together(*(entities_with(aws, arn, kind) for kind in kinds))
    return [Identity(kind, name) for kind, names in zip(kinds, found, strict=True) for name in names]


def detachments(holders: Iterable[Identity], arns: Iterable[str]) -> list[IamChange]:
    """Detaching all of the policies from all of the identities; turned, attaching them."""
    arns = tuple(arns)
    return [
        iam_change(f"Detach{who.kind}Policy", f"Attach{who.kind}Policy", PolicyArn=arn, **who.words)
        for who in holders
        for arn in arns
    ]


async def attached(aws: Aws, who: Identity) -> tuple[str, ...]:
    """ARNs of the managed policies attached to a user, role or group, sorted.

    Raises:
        TargetGone: there is none.
    """
    found = await listing(aws, who, f"ListAttached{who.kind}Policies", items="AttachedPolicies")
    return tuple(sorted(each["PolicyArn"] for each in found))


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
