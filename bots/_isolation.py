"""Cutting a VPC off: what that consists of, how far it is done, and how to get from one state to another."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bots._acl_entries import ACL
from bots._aws import Aws, AwsError, together
from bots._bot import Before, CannotFix, TryLater, on
from bots._policies import same
from bots._vpcs import VPC

POLICY = ("arn:{partition}:iam::{account}:policy/isolate_deny_*",)
USER = ("arn:{partition}:iam::{account}:user/*",)
SUBNET = ("arn:{partition}:ec2:*:{account}:subnet/*",)
READS = (
    "ec2:DescribeVpcs",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeNetworkAcls",
    "iam:ListUsers",
    *on(POLICY, "iam:GetPolicy", "iam:GetPolicyVersion", "iam:ListEntitiesForPolicy"),
)
WRITES = (
    *on(VPC, "ec2:ModifyVpcAttribute"),
    *on(ACL + VPC, "ec2:CreateNetworkAcl"),
    *on(ACL, "ec2:CreateTags", "ec2:DeleteNetworkAcl"),
    *on(ACL + SUBNET, "ec2:ReplaceNetworkAclAssociation"),
    *on(POLICY, "iam:CreatePolicy", "iam:DeletePolicy"),
    *on(USER, "iam:AttachUserPolicy", "iam:DetachUserPolicy"),
)
NO_POLICY = ("NoSuchEntity",)
PROPAGATION_SECONDS = 20


class Isolation(Before):
    """How far a VPC is cut off. ``subnets`` says which network ACL each subnet is on, ``acl`` is the closed
    one made for this, ``users`` are those the deny policy is attached to."""

    dns_support: bool
    subnets: tuple[tuple[str, str], ...]
    acl: str | None
    has_policy: bool
    users: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A state to bring about. A subnet on None goes to the closed ACL, which is made if there is none."""

    dns_support: bool
    subnets: dict[str, str | None]
    keeps_acl: bool
    has_policy: bool
    users: frozenset[str]


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is. ``closed`` are ACLs that let nothing through, ``associations`` their ids by subnet."""

    state: Isolation
    closed: frozenset[str]
    associations: dict[str, str]


def policy_arn(aws: Aws, vpc_id: str) -> str:
    """The deny policy of a VPC; every VPC has its own."""
    return f"arn:{aws.partition}:iam::{aws.account_id}:policy/isolate_deny_{vpc_id}_access_policy"


def document(aws: Aws, vpc_id: str) -> str:
    """What the policy denies: the VPC, and what EC2 ties to it: subnets, groups, interfaces, tables, ACLs."""
    arn = f"arn:{aws.partition}:ec2:{aws.region}:{aws.account_id}:vpc/{vpc_id}"
    deny = {"Effect": "Deny", "Action": "ec2:*"}
    inside = {"Sid": "InTheVpc", **deny, "Resource": "*", "Condition": {"ArnEquals": {"ec2:Vpc": arn}}}
    # The VPC itself has no such key.
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [inside, {"Sid": "TheVpc", **deny, "Resource": arn}]}
    )


async def look(aws: Aws, vpc_id: str) -> Seen:
    """How far the VPC is cut off.

    Raises:
        CannotFix: a policy of that name says something else.
    """
    dns, acls, users = await together(
        aws.call("ec2", "DescribeVpcAttribute", VpcId=vpc_id, Attribute="enableDnsSupport"),
        _acls(aws, vpc_id),
        _users(aws, vpc_id),
    )
    closed = {acl["NetworkAclId"] for acl in acls if _lets_nothing_through(acl)}
    # A closed ACL of ours somebody has opened since is no longer ours.
    own = sorted(
        acl["NetworkAclId"] for acl in acls if acl["NetworkAclId"] in closed and _is_own(acl, vpc_id)
    )
    state = Isolation(
        dns_support=dns["EnableDnsSupport"]["Value"],
        subnets=tuple(
            sorted((each["SubnetId"], each["NetworkAclId"]) for acl in acls for each in acl["Associations"])
        ),
        acl=own[0] if own else None,
        has_policy=users is not None,
        users=tuple(sorted(users or ())),
    )
    by_subnet = {
        each["SubnetId"]: each["NetworkAclAssociationId"] for acl in acls for each in acl["Associations"]
    }
    return Seen(state, frozenset(closed), by_subnet)


def as_it_was(before: Isolation) -> Wanted:
    """What to bring a VPC to, to have it as it was."""
    subnets = {subnet: None if acl == before.acl else acl for subnet, acl in before.subnets}
    return Wanted(
        dns_support=before.dns_support,
        subnets=subnets,
        keeps_acl=before.acl is not None,
        has_policy=before.has_policy,
        users=frozenset(before.users),
    )


async def all_users(aws: Aws) -> frozenset[str]:
    """Names of the account's IAM users."""
    return frozenset([user["UserName"] async for user in aws.pages("iam", "ListUsers", items="Users")])


async def bring_or_take_back(aws: Aws, vpc_id: str, wanted: Wanted, before: Isolation) -> list[str]:
    """As `bring`, all of it or nothing: half a VPC cut off helps nobody, and AWS cannot be asked beforehand."""
    try:
        return await bring(aws, vpc_id, wanted)
    except AwsError:
        with contextlib.suppress(AwsError):
            await bring(aws, vpc_id, as_it_was(before))
        raise


async def bring(aws: Aws, vpc_id: str, wanted: Wanted) -> list[str]:
    """Bring the state about. What hinders goes last, so that a state is reached from any other.

    Returns:
        Users the policy could not be attached to, because they have as many as AWS allows.

    Raises:
        TryLater: IAM does not know the new policy everywhere yet.
    """
    seen = await look(aws, vpc_id)
    now, arn = seen.state, policy_arn(aws, vpc_id)
    if now.dns_support != wanted.dns_support:
        value = {"Value": wanted.dns_support}
        await aws.call("ec2", "ModifyVpcAttribute", VpcId=vpc_id, EnableDnsSupport=value)
    if wanted.has_policy and not now.has_policy:
        name = arn.rsplit("/", 1)[-1]
        await aws.call("iam", "CreatePolicy", PolicyName=name, PolicyDocument=document(aws, vpc_id))
    await _move(aws, vpc_id, seen, wanted)
    full = await _attach(aws, arn, wanted.users - set(now.users))
    await _all(
        aws.find("iam", "DetachUserPolicy", absent=NO_POLICY, UserName=user, PolicyArn=arn)
        for user in set(now.users) - wanted.users
    )
    if now.has_policy and not wanted.has_policy:
        await aws.call("iam", "DeletePolicy", PolicyArn=arn)
    if now.acl and not wanted.keeps_acl:
        await aws.call("ec2", "DeleteNetworkAcl", NetworkAclId=now.acl)
    return full


async def _move(aws: Aws, vpc_id: str, seen: Seen, wanted: Wanted) -> None:
    own = seen.state.acl
    for subnet, acl in seen.state.subnets:
        goal = wanted.subnets.get(subnet, acl)
        if goal is None:
            own = own or await _make_acl(aws, vpc_id)
            goal = own
        if goal != acl:
            old = seen.associations[subnet]
            await aws.call("ec2", "ReplaceNetworkAclAssociation", AssociationId=old, NetworkAclId=goal)


async def _make_acl(aws: Aws, vpc_id: str) -> str:
    tags = [{"ResourceType": "network-acl", "Tags": [{"Key": "Name", "Value": _acl_name(vpc_id)}]}]
    made = await aws.call("ec2", "CreateNetworkAcl", VpcId=vpc_id, TagSpecifications=tags)
    return str(made["NetworkAcl"]["NetworkAclId"])


async def _attach(aws: Aws, arn: str, users: Iterable[str]) -> list[str]:
    full: list[str] = []

    async def attach(user: str) -> None:
        try:
            await aws.call("iam", "AttachUserPolicy", UserName=user, PolicyArn=arn)
        except AwsError as error:
            if error.code == "NoSuchEntity":
                raise TryLater(
                    f"IAM does not know {arn} for {user} yet", seconds=PROPAGATION_SECONDS
                ) from error
            if error.code != "LimitExceeded":
                raise
            full.append(user)

    await _all(attach(user) for user in users)
    return sorted(full)


async def _all(calls: Iterable[Any]) -> None:
    """All of them to their end, even if one fails: nothing may still be under way when things are put back."""
    for ended in await asyncio.gather(*calls, return_exceptions=True):
        if isinstance(ended, BaseException):
            raise ended


async def _acls(aws: Aws, vpc_id: str) -> list[dict[str, Any]]:
    mine = [{"Name": "vpc-id", "Values": [vpc_id]}]
    return [acl async for acl in aws.pages("ec2", "DescribeNetworkAcls", items="NetworkAcls", Filters=mine)]


async def _users(aws: Aws, vpc_id: str) -> list[str] | None:
    """Whom the policy is attached to; None if there is no policy."""
    arn = policy_arn(aws, vpc_id)
    found = await aws.find("iam", "GetPolicy", absent=NO_POLICY, PolicyArn=arn)
    if found is None:
        return None
    version = await aws.call(
        "iam", "GetPolicyVersion", PolicyArn=arn, VersionId=found["Policy"]["DefaultVersionId"]
    )
    if not same(json.dumps(version["PolicyVersion"]["Document"]), document(aws, vpc_id)):
        raise CannotFix(
            f"the policy {arn} says something else than isolation needs: look at it and delete it"
        )
    holders = aws.pages(
        "iam", "ListEntitiesForPolicy", items="PolicyUsers", PolicyArn=arn, EntityFilter="User"
    )
    return [user["UserName"] async for user in holders]


def _lets_nothing_through(acl: dict[str, Any]) -> bool:
    return all(entry["RuleAction"] != "allow" for entry in acl["Entries"])


def _is_own(acl: dict[str, Any], vpc_id: str) -> bool:
    return {"Key": "Name", "Value": _acl_name(vpc_id)} in acl.get("Tags", ())


def _acl_name(vpc_id: str) -> str:
    return f"isolate-{vpc_id}"
