"""Which security group a name or an id means, for each of several VPCs."""

from __future__ import annotations

from bots._aws import Aws
from bots._bot import CannotFix
from bots._groups import NOT_THERE

READS = ("ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupVpcAssociations")


async def serving(aws: Aws, named: str, vpcs: set[str]) -> dict[str, str]:
    """The group's id for each VPC.

    Raises:
        CannotFix: a VPC has no such group, or several.
    """
    candidates = await _called(aws, named)
    homes = [(vpc, group_id) for group_id, vpc in candidates.items()]
    if candidates and vpcs - set(candidates.values()):
        homes += await _associated(aws, list(candidates))
    found = {vpc: sorted({group_id for home, group_id in homes if home == vpc}) for vpc in sorted(vpcs)}
    for vpc, groups in found.items():
        if not groups:
            raise CannotFix(f"there is no security group {named!r} for {vpc} in {aws.region}")
        if len(groups) > 1:
            raise CannotFix(f"{named!r} could be any of {', '.join(groups)} in {vpc}: give the id")
    return {vpc: groups[0] for vpc, groups in found.items()}


async def _called(aws: Aws, named: str) -> dict[str, str]:
    """Ids of groups and their VPCs."""
    if named.startswith("sg-"):
        answer = await aws.find("ec2", "DescribeSecurityGroups", absent=NOT_THERE, GroupIds=[named])
        found = (answer or {}).get("SecurityGroups", [])
    else:
        # The filter takes * and ? for anything, so what it finds is compared to the letter.
        filters = [{"Name": "group-name", "Values": [named]}]
        pages = aws.pages("ec2", "DescribeSecurityGroups", items="SecurityGroups", Filters=filters)
        found = [each async for each in pages if each["GroupName"] == named]
    return {each["GroupId"]: each["VpcId"] for each in found}


async def _associated(aws: Aws, group_ids: list[str]) -> list[tuple[str, str]]:
    """Further VPCs in which the groups can be worn, each with the group's id."""
    found = aws.pages(
        "ec2",
        "DescribeSecurityGroupVpcAssociations",
        items="SecurityGroupVpcAssociations",
        Filters=[{"Name": "group-id", "Values": group_ids}],
    )
    return [(each["VpcId"], each["GroupId"]) async for each in found if each["State"] == "associated"]
