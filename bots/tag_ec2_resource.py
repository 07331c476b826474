"""Put a tag on any EC2 resource.

After: the resource carries the key with exactly the value.
Caution: tags can decide about access, costs and automation; know who reacts to the key. EC2 does not
tell a resource without tags from one that does not exist; except for instances, a dry run cannot either.
Finding: tag_ec2_resource "Cost Center" "R and D"
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from bots._bot import Aws, Before, Bot, CannotFix, Check, Params, Risk, Target, TargetGone, Undo, entity

# ARNs of images and snapshots leave the account out.
TAGGABLE = (
    "arn:{partition}:ec2:*:{account}:*/*",
    "arn:{partition}:ec2:*::image/*",
    "arn:{partition}:ec2:*::snapshot/*",
)
_ID = re.compile(r"(?P<kind>[a-z]+(-[a-z]+)*)-([0-9a-f]{8}|[0-9a-f]{17})")
NO_INSTANCE = "InvalidInstanceID.NotFound"
# AWS has a word of its own for each kind that is not there.
NOT_THERE = (
    NO_INSTANCE, "InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidInternetGatewayID.NotFound",
    "InvalidNetworkAclID.NotFound", "InvalidNetworkInterfaceID.NotFound", "InvalidPlacementGroup.Unknown",
    "InvalidPlacementGroupId.NotFound", "InvalidRouteTableID.NotFound", "InvalidGroup.NotFound",
    "InvalidSnapshot.NotFound", "InvalidSubnetID.NotFound", "InvalidVolume.NotFound", "InvalidVpcID.NotFound",
    "InvalidVpcPeeringConnectionID.NotFound", "InvalidVpcPeeringConnectionId.NotFound", "InvalidID",
)  # fmt: skip


def _not_reserved(key: str) -> str:
    if key.lower().startswith("aws:"):
        raise ValueError("must not start with aws:, which AWS keeps for itself")
    return key


class Wish(Params):
    key: Annotated[
        str, Field(min_length=1, max_length=128, description="tag key"), AfterValidator(_not_reserved)
    ]
    value: Annotated[str, Field(max_length=256, description='tag value, "" for none')]


class Tag(Before):
    key: str
    value: str | None  # None: the resource does not carry the key


bot = Bot(
    name="tag_ec2_resource",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=Wish,
    before=Tag,
    reads=("ec2:DescribeTags", "ec2:DescribeInstances"),
    writes=("ec2:CreateTags", "ec2:DeleteTags"),
    resources={"ec2:CreateTags": TAGGABLE, "ec2:DeleteTags": TAGGABLE},
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
    example="tag_ec2_resource Owner platform",
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Tag]:
    await _look_for(aws, target)
    filters = [{"Name": "resource-id", "Values": [target.id]}]
    tags = {
        tag["Key"]: tag["Value"]
        async for tag in aws.pages("ec2", "DescribeTags", items="Tags", Filters=filters)
    }
    found = tags.get(params.key)
    alike = [key for key in tags if key != params.key and key.lower() == params.key.lower()]
    has = "no value" if found is None else f"the value {found!r}"
    return Check(
        compliant=found == params.value,
        before=Tag(key=params.key, value=found),
        why=f"{target.id} has {has} for the tag {params.key!r}",
        notes=tuple(
            f"{target.id} also has the tag {key!r}: AWS tells upper from lower case" for key in alike
        ),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Tag) -> None:
    await _tag(aws, target, params.key, params.value)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Tag) -> None:
    if before.value is None:
        await aws.call("ec2", "DeleteTags", Resources=[target.id], Tags=[{"Key": before.key}])
    else:
        await _tag(aws, target, before.key, before.value)


async def _tag(aws: Aws, target: Target, key: str, value: str) -> None:
    tags = [{"Key": key, "Value": value}]
    if await aws.find("ec2", "CreateTags", absent=NOT_THERE, Resources=[target.id], Tags=tags) is None:
        raise _gone(aws, target)


async def _look_for(aws: Aws, target: Target) -> None:
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
        answer = await aws.find("ec2", "DescribeInstances", absent=(NO_INSTANCE,), InstanceIds=[target.id])
        if answer is None or not answer["Reservations"]:
            raise _gone(aws, target)


def _gone(aws: Aws, target: Target) -> TargetGone:
    return TargetGone(f"{target.id} does not exist in {aws.region}")
