"""Delete an empty VPC.

After: the VPC no longer exists, nor its default security group, network ACL, route table and flow logs; how
they were stays in the journal.
Caution: a VPC with anything in it is left alone and what is in it is listed; so is a default VPC. Private
hosted zones, resolver rules and address pools that know the VPC are not looked at.
"""

from typing import Any

from bots._aws import Aws, AwsError, together
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity, on
from bots._vpcs import GONE, KINDS, VPC, contents, find_vpc, in_the_way

ATTRIBUTES = ("enableDnsSupport", "enableDnsHostnames")


class Definition(Before):
    record: dict[str, Any] | None  # None: there is no such VPC


bot = Bot(
    name="vpc_delete",
    acts_on="AWS::EC2::VPC",
    target=entity("id"),
    params=NoParams,
    before=Definition,
    reads=("ec2:DescribeVpcs", "ec2:DescribeVpcAttribute", *dict.fromkeys(kind.action for kind in KINDS)),
    writes=on(VPC, "ec2:DeleteVpc"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none("a VPC made anew has other ids; the journal holds its definition"),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Definition]:
    vpc = await find_vpc(aws, target)
    if vpc is None:
        why = f"VPC {target.id} does not exist in {aws.region}"
        return Check(compliant=True, before=Definition(record=None), why=why)
    if vpc["IsDefault"]:
        raise CannotFix(
            f"{target.id} is the default VPC of {aws.region}, which others rely on: delete it by hand"
        )
    found, *attributes = await together(
        contents(aws, target.id), *(_attribute(aws, target, name) for name in ATTRIBUTES)
    )
    if others := in_the_way(found):
        raise CannotFix(f"{target.id} is not empty: {others}. Delete or detach these first")
    record = {
        "vpc": vpc,
        **dict(zip(ATTRIBUTES, attributes, strict=True)),
        **{name: elements for name, elements in found.items() if elements},
    }
    return Check(
        compliant=False,
        before=Definition(record=record),
        why=f"VPC {target.id} ({vpc['CidrBlock']}) exists and is empty",
        notes=tuple(f"flow log {log['FlowLogId']} goes with the VPC" for log in found["flow logs"]),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Definition) -> None:
    try:
        await aws.call("ec2", "DeleteVpc", VpcId=target.id)
    except AwsError as error:
        if error.code == "DependencyViolation":
            raise CannotFix(
                f"AWS keeps {target.id} for something that this account cannot see or that has just been made, "
                f"such as a resource of an account it is shared with: {error.message}"
            ) from error
        if error.code not in GONE:
            raise


async def _attribute(aws: Aws, target: Target, name: str) -> bool:
    answer = await aws.call("ec2", "DescribeVpcAttribute", VpcId=target.id, Attribute=name)
    return bool(answer[name[:1].upper() + name[1:]]["Value"])
