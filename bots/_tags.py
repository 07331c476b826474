"""One tag of an EC2 resource: look for it, write it, put it back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bots._aws import Aws
from bots._bot import Before, CannotFix, Target, TargetGone
from bots._instances import NO_INSTANCE, find_instance

# ARNs of images and snapshots leave the account out.
TAGGABLE = (
    "arn:{partition}:ec2:*:{account}:*/*",
    "arn:{partition}:ec2:*::image/*",
    "arn:{partition}:ec2:*::snapshot/*",
)
_ID = re.compile(r"(?P<kind>[a-z]+(-[a-z]+)*)-([0-9a-f]{8}|[0-9a-f]{17})")
# AWS has a word of its own for each kind that is not there.
NOT_THERE = (
    NO_INSTANCE, "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidInternetGatewayID.NotFound",
    "InvalidNetworkAclID.NotFound", "InvalidNetworkInterfaceID.NotFound", "InvalidPlacementGroup.Unknown",
    "InvalidPlacementGroupId.NotFound", "InvalidRouteTableID.NotFound", "InvalidGroup.NotFound",
    "InvalidSnapshot.NotFound", "InvalidSubnetID.NotFound", "InvalidVolume.NotFound", "InvalidVpcID.NotFound",
    "InvalidVpcPeeringConnectionID.NotFound", "InvalidVpcPeeringConnectionId.NotFound", "InvalidID",
)  # fmt: skip


class Tag(Before):
    key: str
    value: str | None  # None: the resource does not carry the key


def own_tags(found: Mapping[str, Any], *, without: str = "") -> tuple[tuple[str, str], ...]:
    """The tags people gave to what EC2 describes, as sorted pairs; AWS's own cannot be given to another resource.

    Args:
        without: a key to leave out.
    """
    tags = ((tag["Key"], tag["Value"]) for tag in found.get("Tags", ()))
    return tuple(sorted(tag for tag in tags if tag[0] != without and not tag[0].lower().startswith("aws:")))


async def look_for(aws: Aws, target: Target) -> None:
    """
    Raises:
        CannotFix: the finding names the resource by something else than its id.
        TargetGone: it is an instance that does not exist.
    """
    found = _ID.fullmatch(target.id)
    if found is None:
        raise CannotFix(
            f"{target.id[:80]!r} is not the id of an EC2 resource, such as i-0123456789abcdef0: placement groups "
            "and key pairs, too, are tagged by their id, not by their name"
        )
    if found["kind"] == "i":
        await find_instance(aws, target)


async def tags_on(aws: Aws, resource_id: str) -> dict[str, str]:
    """All tags of a resource. One that does not exist has none."""
    # A filter by key would take * and ? in it for wildcards.
    mine = [{"Name": "resource-id", "Values": [resource_id]}]
    found = aws.pages("ec2", "DescribeTags", items="Tags", Filters=mine)
    return {tag["Key"]: tag["Value"] async for tag in found}


async def put(aws: Aws, target: Target, key: str, value: str) -> None:
    """Write the tag.

    Raises:
        TargetGone: the resource does not exist.
    """
    tags = [{"Key": key, "Value": value}]
    if await aws.find("ec2", "CreateTags", absent=NOT_THERE, Resources=[target.id], Tags=tags) is None:
        raise TargetGone(f"{target.id} does not exist in {aws.region}")


async def put_back(aws: Aws, target: Target, was: Tag) -> None:
    """Bring the tag to what it was, or take it away."""
    if was.value is None:
        await aws.call("ec2", "DeleteTags", Resources=[target.id], Tags=[{"Key": was.key}])
    else:
        await put(aws, target, was.key, was.value)
