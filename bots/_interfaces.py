"""Network interfaces of an instance and the security groups they wear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws, together
from bots._bot import CannotFix, Target, TargetGone

READS = ("ec2:DescribeInstances", "ec2:DescribeNetworkInterfaces", "ec2:DescribeSecurityGroups")
CHANGE = "ec2:ModifyNetworkInterfaceAttribute"
# Groups can be shared by another account.
CHANGED = (
    "arn:{partition}:ec2:*:{account}:network-interface/*",
    "arn:{partition}:ec2:*:{account}:instance/*",
    "arn:{partition}:ec2:*:*:security-group/*",
)


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Interface:
    """An attached interface. ``groups`` are ids in alphabetical order."""

    id: str
    vpc: str
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """An instance's interfaces in the order of their ids, and what to know before they are cut off."""

    interfaces: tuple[Interface, ...]
    notes: tuple[str, ...]


async def interfaces_of(aws: Aws, target: Target) -> Attached:
    """
    Raises:
        TargetGone: the instance does not exist or is terminated.
        CannotFix: an interface belongs to an AWS service, which alone can change it.
    """
    filters = [{"Name": "attachment.instance-id", "Values": [target.id]}]
    instance, found = await together(
        _instance(aws, target),
        _all(aws, "DescribeNetworkInterfaces", items="NetworkInterfaces", Filters=filters),
    )
    foreign = sorted(each["NetworkInterfaceId"] for each in found if each.get("RequesterManaged"))
    if foreign:
        raise CannotFix(
            f"{', '.join(foreign)} of {target.id} is managed by an AWS service, which alone can change its groups: "
            "remove what it serves first (a task of ECS, for one)"
        )
    interfaces = (
        Interface(
            id=each["NetworkInterfaceId"],
            vpc=each["VpcId"],
            groups=tuple(sorted(group["GroupId"] for group in each["Groups"])),
        )
        for each in found
    )
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
    group = tags.get("aws:autoscaling:groupName")
    kept = f"Auto Scaling group {group} may replace the instance when its health checks fail: detach it to keep it"
    return Attached(interfaces=tuple(sorted(interfaces)), notes=(kept,) if group else ())


async def wear(aws: Aws, wanted: Mapping[str, Iterable[str]]) -> None:
    """Give each interface the groups and no others; none of them if the rights end halfway."""
    await may_wear(aws, dict(list(wanted.items())[1:]))
    for interface, groups in wanted.items():
        await aws.call("ec2", _OPERATION, NetworkInterfaceId=interface, Groups=list(groups))


async def may_wear(aws: Aws, wanted: Mapping[str, Iterable[str]]) -> None:
    """Raises what `wear` would raise for want of rights. Changes nothing."""
    for interface, groups in wanted.items():
        await aws.find(
            "ec2",
            _OPERATION,
            absent=("DryRunOperation",),
            NetworkInterfaceId=interface,
            Groups=list(groups),
            DryRun=True,
        )


_OPERATION = CHANGE.removeprefix("ec2:")


async def _instance(aws: Aws, target: Target) -> dict[str, Any]:
    answer = await aws.find(
        "ec2", "DescribeInstances", absent=("InvalidInstanceID.NotFound",), InstanceIds=[target.id]
    )
    for reservation in (answer or {}).get("Reservations", ()):
        for instance in reservation["Instances"]:
            if instance["State"]["Name"] not in ("shutting-down", "terminated"):
                found: dict[str, Any] = instance
                return found
    raise TargetGone(f"instance {target.id} does not exist in {aws.region}, or is terminated")


async def _all(aws: Aws, operation: str, *, items: str, **params: Any) -> list[dict[str, Any]]:
    return [each async for each in aws.pages("ec2", operation, items=items, **params)]
