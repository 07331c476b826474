"""The managed policy the hub keeps for the permissions boundary of one role or user."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from bots._all_or_none import Act, Change, asks, kept, make
from bots._aws import Aws
from bots._bot import CannotFix, TryLater
from bots._boundaries import Bound, setting
from bots._holders import NO_SUCH, Kind
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
    arn = bound.boundary
    policy = await live_policy(aws, arn, bound.kind)
    bind_to = Change(partial(_set, aws, bound), setting(aws, bound.kind, bound.name, was))
    if policy is None:
        made = Change(partial(_make, aws, bound, document), asks(aws, "iam", "DeletePolicy", PolicyArn=arn))
        await make([made, bind_to])
    elif same(policy.document, document):
        await make([bind_to])
    else:
        await make([bind_to, Change(partial(_put_in_force, aws, arn, document, policy), kept)])


async def unbind(aws: Aws, bound: Bound, *, was: str | None, version: str | None) -> None:
    """The boundary is ``was`` again, and the policy's default version ``version``, or it is gone if None."""
    boundary = Change(setting(aws, bound.kind, bound.name, was), setting(aws, *bound))
    await make([boundary, *await _ways_back(aws, bound, version)])


async def _ways_back(aws: Aws, bound: Bound, version: str | None) -> list[Change]:
    def on_policy(operation: str, **params: str) -> Act:
        return asks(aws, "iam", operation, absent=NO_SUCH, PolicyArn=bound.boundary, **params)

    if version is None:
        return [Change(on_policy("DeletePolicy"), kept)]
    policy = await live_policy(aws, bound.boundary, bound.kind)
    if policy is None or policy.default == version:
        return []
    return [
        Change(
            on_policy("SetDefaultPolicyVersion", VersionId=version),
            on_policy("SetDefaultPolicyVersion", VersionId=policy.default),
        ),
        Change(on_policy("DeletePolicyVersion", VersionId=policy.default), kept),
    ]


async def _set(aws: Aws, bound: Bound) -> None:
    if await setting(aws, *bound)() is False:
        raise TryLater(f"IAM does not find {bound.boundary} everywhere yet", seconds=15)


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
