"""The group without rules that bots put resources into to cut them off: one for each VPC, all called alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, TryLater, on
from bots._groups import GROUP, RULE, all_rules, rearrange
from bots._rules import ANYWHERE, EVERYTHING, Direction, Rule, named, to_drop

NAME = "quarantine"
# Marks a group that a bot made and may therefore empty.
TAG = {"Key": "remediation-hub", "Value": "quarantine"}
WRITES = (
    # A VPC can be shared by another account; the group in it is of this one.
    *on((*GROUP, "arn:{partition}:ec2:*:*:vpc/*"), "ec2:CreateSecurityGroup"),
    *on(GROUP, "ec2:CreateTags"),
    *on(GROUP + RULE, "ec2:RevokeSecurityGroupIngress", "ec2:RevokeSecurityGroupEgress"),
)
CREATES = f"security group {NAME!r} without rules, one in each VPC"

OpenRule = tuple[str, Direction, Rule]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The quarantine group of a VPC.

    Attributes:
        group_id: None before it is made.
        opened: rules, of which it must not have any.
        kept: those to remember: all but what AWS gives to a new group that nobody wears yet.
    """

    group_id: str | None
    opened: tuple[OpenRule, ...] = ()
    kept: tuple[OpenRule, ...] = ()

    @property
    def touches(self) -> tuple[tuple[str, str], ...]:
        """Of `Check.touches`: what emptying it changes."""
        return (("AWS::EC2::SecurityGroup", str(self.group_id)),) if self.opened else ()

    @property
    def notes(self) -> tuple[str, ...]:
        if not self.kept:
            return ()
        rules = named(rule for _, _, rule in self.kept)
        return (f"{self.group_id} ({NAME}) had been opened, for all that wear it: {rules}",)


async def cell_of(aws: Aws, vpc: str, *, worn: Iterable[str] = ()) -> Cell:
    """
    Args:
        worn: groups of what is to be cut off.

    Raises:
        CannotFix: the group of that name is somebody else's and has rules.
    """
    filters = [{"Name": "group-name", "Values": [NAME]}, {"Name": "vpc-id", "Values": [vpc]}]
    found = aws.pages("ec2", "DescribeSecurityGroups", items="SecurityGroups", Filters=filters)
    groups = [each async for each in found if each["OwnerId"] == aws.account_id]
    if not groups:
        return Cell(group_id=None)
    (group,) = groups  # names are unique in a VPC
    group_id = group["GroupId"]
    live = await all_rules(aws, group_id)
    opened = tuple((group_id, side, rule) for side, rules in live.items() for rule in sorted(rules.values()))
    if opened and TAG not in group.get("Tags", ()):
        raise CannotFix(
            f"{group_id} of {vpc} is called {NAME} but lets traffic through ({named(rule for *_, rule in opened)}), "
            f"and it was not made here: delete its rules or rename it, or tag it {TAG['Key']}={TAG['Value']} to have "
            "it emptied"
        )
    is_worn = group_id in worn
    kept = tuple(each for each in opened if is_worn or not _is_given(each))
    return Cell(group_id=group_id, opened=opened, kept=kept)


def _is_given(found: OpenRule) -> bool:
    """Whether it is a rule that AWS gives to every new group."""
    _, side, rule = found
    return (side, rule.protocol) == ("outbound", EVERYTHING) and rule.source in ANYWHERE


async def locked_cell(aws: Aws, vpc: str) -> str:
    """Id of the VPC's quarantine group, made and emptied if need be. Raises as `cell_of`."""
    cell = await cell_of(aws, vpc)
    if cell.group_id is None:
        # Somebody who was faster is as good.
        await aws.find("ec2", "CreateSecurityGroup", absent=("InvalidGroup.Duplicate",), **_new(vpc))
        cell = await cell_of(aws, vpc)  # with the rules AWS gives to a new group
    if cell.group_id is None:
        raise TryLater(f"AWS does not show the new group {NAME} of {vpc} yet", seconds=10)
    if cell.opened:
        await rearrange(
            aws,
            cell.group_id,
            lambda live: {side: to_drop(rules, lambda _: True) for side, rules in live.items()},
        )
    return cell.group_id


def _new(vpc: str) -> dict[str, Any]:
    return {
        "GroupName": NAME,
        "Description": "Cuts off what wears it: no rules, on purpose",
        "VpcId": vpc,
        "TagSpecifications": [{"ResourceType": "security-group", "Tags": [TAG]}],
    }
