"""What uses a security group: interfaces that wear it, rules that name it, VPCs it is associated with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from bots._aws import Aws, together

READS = (
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroupVpcAssociations",
)
_OVER = ("disassociated", "association-failed")


async def uses_of(aws: Aws, group_id: str) -> list[str]:
    """All that uses the group, in words."""
    found = await together(_wearers(aws, group_id), _namers(aws, group_id), _associations(aws, group_id))
    return [use for some in found for use in some]


async def _wearers(aws: Aws, group_id: str) -> list[str]:
    return [
        f"interface {each['NetworkInterfaceId']} ({each.get('Description') or each['InterfaceType']})"
        async for each in _about(aws, "DescribeNetworkInterfaces", "NetworkInterfaces", "group-id", group_id)
    ]


async def _namers(aws: Aws, group_id: str) -> list[str]:
    """Other groups with a rule for this one."""
    found = {
        each["GroupId"]
        for key in ("ip-permission.group-id", "egress.ip-permission.group-id")
        async for each in _about(aws, "DescribeSecurityGroups", "SecurityGroups", key, group_id)
    }
    return [f"a rule of {other}" for other in sorted(found - {group_id})]


async def _associations(aws: Aws, group_id: str) -> list[str]:
    found = _about(
        aws, "DescribeSecurityGroupVpcAssociations", "SecurityGroupVpcAssociations", "group-id", group_id
    )
    return [f"its association with {each['VpcId']}" async for each in found if each["State"] not in _OVER]


def _about(aws: Aws, operation: str, items: str, key: str, group_id: str) -> AsyncIterator[Any]:
    return aws.pages("ec2", operation, items=items, Filters=[{"Name": key, "Values": [group_id]}])
