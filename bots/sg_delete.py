"""Delete a security group that nothing uses.

After: the group is gone. A group in use and the default group of a VPC are left alone.
Caution: launch templates, launch configurations and stopped services may still name the group and then
fail to start. The journal keeps its rules, but a group made anew has another id.
"""

from typing import Any

from bots._aws import Aws, AwsError, together
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TargetGone, Undo, entity, on
from bots._groups import GROUP, NOT_THERE, all_rules, own_group
from bots._rules import Rule

NAMED_AT_MOST = 5


class Group(Before):
    """All that is needed to make the group again, None once it is gone."""

    name: str
    description: str
    vpc: str
    tags: tuple[tuple[str, str], ...]
    inbound: tuple[Rule, ...]
    outbound: tuple[Rule, ...]


class Existence(Before):
    group: Group | None


bot = Bot(
    name="sg_delete",
    acts_on="AWS::EC2::SecurityGroup",
    target=entity("id"),
    params=NoParams,
    before=Existence,
    reads=(
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSecurityGroupRules",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroupVpcAssociations",
    ),
    writes=on(GROUP, "ec2:DeleteSecurityGroup"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none("a group made again has another id; the snapshot holds its name, tags and rules"),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Existence]:
    try:
        found = await own_group(aws, target)
    except TargetGone as gone:
        return Check(compliant=True, before=Existence(group=None), why=str(gone))
    if found["GroupName"] == "default":
        raise CannotFix(
            f"{target.id} is the default group of {found['VpcId']}, which AWS never deletes: sg_rules_delete empties it"
        )
    rules, *uses = await together(
        all_rules(aws, target.id),
        _wearers(aws, target.id),
        _namers(aws, target.id),
        _associations(aws, target.id),
    )
    if users := [user for some in uses for user in some]:
        more = f" and {len(users) - NAMED_AT_MOST} more" if len(users) > NAMED_AT_MOST else ""
        raise CannotFix(
            f"{target.id} is in use by {'; '.join(users[:NAMED_AT_MOST])}{more}: free it of these first"
        )
    group = Group(
        name=found["GroupName"],
        description=found["Description"],
        vpc=found["VpcId"],
        tags=tuple(sorted((tag["Key"], tag["Value"]) for tag in found.get("Tags", ()))),
        inbound=tuple(sorted(rules["inbound"].values())),
        outbound=tuple(sorted(rules["outbound"].values())),
    )
    return Check(
        compliant=False,
        before=Existence(group=group),
        why=f"security group {target.id} ({group.name}) exists and nothing uses it",
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Existence) -> None:
    try:
        await aws.find("ec2", "DeleteSecurityGroup", absent=NOT_THERE, GroupId=target.id)
    except AwsError as error:
        if error.code != "DependencyViolation":
            raise
        raise CannotFix(
            f"{target.id} is in use by something this account is not shown, such as an interface another account "
            "has in a shared VPC, or came into use just now"
        ) from error


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
    over = ("disassociated", "association-failed")
    return [f"its association with {each['VpcId']}" async for each in found if each["State"] not in over]


def _about(aws: Aws, operation: str, items: str, key: str, group_id: str) -> Any:
    return aws.pages("ec2", operation, items=items, Filters=[{"Name": key, "Values": [group_id]}])
