"""The managed policy the hub keeps for the permissions boundary of one role or user."""

from __future__ import annotations

import contextlib
import json
from dataclasses import dataclass
from typing import Any

from bots._all_or_none import IamChange, Write
from bots._aws import Aws, AwsError
from bots._bot import CannotFix, TryLater
from bots._boundaries import Bound, setting
from bots._identities import NO_SUCH, Kind
from bots._managed import policy_facts, version_document
from bots._policies import same

POLICY_READS = ("iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListPolicyVersions")
POLICY_WRITES = (
    "iam:CreatePolicy", "iam:TagPolicy", "iam:CreatePolicyVersion", "iam:DeletePolicyVersion",
    "iam:SetDefaultPolicyVersion", "iam:DeletePolicy",
)  # fmt: skip
# On the policy, with the kind of the identity: its name is in the policy's own.
MARK = "remediation-hub:boundary-of"
LONGEST_NAME = 128
LONGEST_DOCUMENT = 6144  # characters that are no white space
VERSIONS_AT_MOST = 5


def as_policy(text: str) -> str:
    """The document without white space between its words.

    Raises:
        ValueError: it is no identity policy that IAM would take; the text says why.
    """
    try:
        document = json.loads(text)
    except ValueError:
        raise ValueError("must be a policy document in JSON") from None
    found: Any = document.get("Statement") if isinstance(document, dict) else None
    statements: list[Any] = found if isinstance(found, list) else [found]
    if not statements or not all(isinstance(each, dict) and "Effect" in each for each in statements):
        raise ValueError("must be a policy document with statements")
    if any("Principal" in each or "NotPrincipal" in each for each in statements):
        raise ValueError("must be a policy of an identity, which names no principal")
    short = json.dumps(document, separators=(",", ":"))
    if len("".join(short.split())) > LONGEST_DOCUMENT:
        raise ValueError(f"must not have more than {LONGEST_DOCUMENT} characters besides white space")
    return short


@dataclass(frozen=True, slots=True)
class BoundaryPolicy:
    """As it is now: the default version, its document, and the other versions, oldest first."""

    default: str
    document: str
    others: tuple[str, ...]

    @property
    def is_full(self) -> bool:
        return len(self.others) + 1 >= VERSIONS_AT_MOST


def policy_arn(aws: Aws, prefix: str, identity: str) -> str:
    """
    Raises:
        CannotFix: the name would be too long.
    """
    name = f"{prefix}-{identity}"
    if len(name) > LONGEST_NAME:
        raise CannotFix(
            f"a policy cannot be called {name}: choose a policy_name so that all has {LONGEST_NAME} letters"
        )
    return f"arn:{aws.partition}:iam::{aws.account_id}:policy/{name}"


async def live_policy(aws: Aws, arn: str, kind: Kind) -> BoundaryPolicy | None:
    """The policy; None if there is none.

    Raises:
        CannotFix: there is one, but the hub has not made it for this kind of identity.
    """
    facts = await policy_facts(aws, arn)
    if facts is None:
        # The proof will read these. A missing right must show now, before there is anything to prove.
        await aws.find("iam", "ListPolicyVersions", absent=NO_SUCH, PolicyArn=arn)
        await aws.find("iam", "GetPolicyVersion", absent=NO_SUCH, PolicyArn=arn, VersionId="v1")
        return None
    tags = {tag["Key"]: tag["Value"] for tag in facts.get("Tags", ())}
    if tags.get(MARK) != kind:
        raise CannotFix(f"{arn} was made by somebody else or for somebody else: choose another policy_name")
    default = facts["DefaultVersionId"]
    listed = aws.pages("iam", "ListPolicyVersions", items="Versions", PolicyArn=arn)
    others = [each["VersionId"] async for each in listed if each["VersionId"] != default]
    return BoundaryPolicy(
        default=default,
        document=await version_document(aws, arn, default),
        others=tuple(sorted(others, key=lambda version: int(version.removeprefix("v")))),
    )


async def makes_room(aws: Aws, arn: str, policy: BoundaryPolicy) -> str | None:
    """Document of the version that goes when a new one comes; None if there is room."""
    return await version_document(aws, arn, policy.others[0]) if policy.is_full else None


async def bind(aws: Aws, bound: Bound, document: str, *, was: str | None) -> None:
    """Let the policy, made if there is none, say ``document`` and be the boundary; all or nothing.

    The boundary comes before a new version: making room for a version is the one thing with no way back.

    Args:
        was: the boundary until now.

    Raises:
        CannotFix: the policy's name is taken.
        TryLater: IAM does not know the new policy everywhere yet.
    """
    policy = await live_policy(aws, bound.boundary, bound.kind)
    if policy is None:
        await _make(aws, bound, document)
        back = Write("DeletePolicy", {"PolicyArn": bound.boundary})
    else:
        back = setting(bound.kind, bound.name, was)
    try:
        put = setting(*bound)
        done = await aws.find("iam", put.operation, absent=NO_SUCH, **put.params)
        if policy is not None and not same(policy.document, document):
            await _put_in_force(aws, bound.boundary, document, policy)
    except AwsError:
        with contextlib.suppress(AwsError):
            await aws.call("iam", back.operation, **back.params)
        raise
    if done is None:
        raise TryLater(f"IAM does not find {bound.boundary} everywhere yet", seconds=15)


async def ways_back(aws: Aws, bound: Bound, version: str | None) -> list[IamChange]:
    """Changes after which the default version is ``version`` again, or the policy gone if None."""
    arn = {"PolicyArn": bound.boundary}
    if version is None:
        return [IamChange(Write("DeletePolicy", arn))]
    policy = await live_policy(aws, bound.boundary, bound.kind)
    if policy is None or policy.default == version:
        return []
    default = Write("SetDefaultPolicyVersion", {**arn, "VersionId": version})
    again = Write("SetDefaultPolicyVersion", {**arn, "VersionId": policy.default})
    new = Write("DeletePolicyVersion", {**arn, "VersionId": policy.default})
    return [IamChange(default, again), IamChange(new)]


async def _make(aws: Aws, bound: Bound, document: str) -> None:
    name = bound.boundary.rsplit("/", 1)[-1]
    made = await aws.find(
        "iam",
        "CreatePolicy",
        absent=("EntityAlreadyExists",),
        PolicyName=name,
        PolicyDocument=document,
        Description=f"Permissions boundary of {bound.kind.lower()} {bound.name}, as a finding suggested it",
        Tags=[{"Key": MARK, "Value": bound.kind}],
    )
    if made is None:
        raise CannotFix(
            f"there is another policy called {name}, under another path: choose another policy_name"
        )


async def _put_in_force(aws: Aws, arn: str, document: str, policy: BoundaryPolicy) -> None:
    new = {"PolicyArn": arn, "PolicyDocument": document, "SetAsDefault": True}
    # Asked first even if the policy is full: a missing right must show before anything is deleted.
    if await aws.find("iam", "CreatePolicyVersion", absent=("LimitExceeded",), **new) is None:
        await aws.call("iam", "DeletePolicyVersion", PolicyArn=arn, VersionId=policy.others[0])
        await aws.call("iam", "CreatePolicyVersion", **new)
