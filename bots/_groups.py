"""Security groups as AWS keeps them: read the live rules, change them without a gap."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from bots._bot import Aws, AwsError, CannotFix, Target, TargetGone
from bots._rules import Change, Direction, Rule, cidr, protocol_name

GROUP = ("arn:{partition}:ec2:*:{account}:security-group/*",)
RULE = ("arn:{partition}:ec2:*:{account}:security-group-rule/*",)
_FULL = "RulesPerSecurityGroupLimitExceeded"
_MOVED_ON = (
    "InvalidPermission.Duplicate", "InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound",
)  # fmt: skip
# Tags by which the owner of a group can be told: CloudFormation, Kubernetes and its load balancers.
_OWNERS = ("aws:cloudformation:stack-name", "aws:eks:cluster-name", "elbv2.k8s.aws/cluster")

_Call = tuple[str, dict[str, Any]]


async def group_notes(aws: Aws, target: Target) -> tuple[str, ...]:
    """What a person should know about the group itself.

    Raises:
        TargetGone: there is no such group. (Asking for its rules would only show none.)
        CannotFix: it is shared from another account, whose business its rules are.
    """
    answer = await aws.find(
        "ec2", "DescribeSecurityGroups", absent=("InvalidGroup.NotFound",), GroupIds=[target.id]
    )
    if answer is None or not answer["SecurityGroups"]:
        raise TargetGone(f"security group {target.id} does not exist in {aws.region}")
    group = answer["SecurityGroups"][0]
    if group["OwnerId"] != aws.account_id:
        raise CannotFix(
            f"security group {target.id} is shared by account {group['OwnerId']}: only its owner can change it"
        )
    return tuple(
        f"the group is managed by {tag['Value']} ({tag['Key']}), which may put the rules back"
        for tag in group.get("Tags", ())
        if tag["Key"] in _OWNERS
    )


async def live_rules(aws: Aws, group_id: str, direction: Direction) -> dict[str, Rule]:
    """The group's rules by id, one for each single source."""
    found = aws.pages(
        "ec2",
        "DescribeSecurityGroupRules",
        items="SecurityGroupRules",
        Filters=[{"Name": "group-id", "Values": [group_id]}],
        MaxResults=1000,
    )
    return {
        record["SecurityGroupRuleId"]: _rule(record)
        async for record in found
        if record["IsEgress"] == (direction == "outbound")
    }


def _rule(record: dict[str, Any]) -> Rule:
    network = record.get("CidrIpv4") or record.get("CidrIpv6")
    other = record.get("PrefixListId") or record.get("ReferencedGroupInfo", {}).get("GroupId", "")
    tags = ((tag["Key"], tag["Value"]) for tag in record.get("Tags", ()))
    return Rule(
        source=cidr(network) if network else other,
        protocol=protocol_name(record["IpProtocol"]),
        low=record.get("FromPort", -1),
        high=record.get("ToPort", -1),
        description=record.get("Description") or "",
        # AWS's own tags cannot be given to another rule.
        tags=tuple(sorted(tag for tag in tags if not tag[0].lower().startswith("aws:"))),
    )


async def carry_out(aws: Aws, group_id: str, direction: Direction, change: Change) -> bool:
    """Make the change: first what is added, last what goes, so that what stays open is never shut.

    Added rules complete the ones that are turned, so they are taken back when the turning fails. AWS
    adds and turns rules all or none, and it alone knows the quota, which can be raised per account.

    Returns:
        False if somebody else had changed the rules in the meantime: plan again.

    Raises:
        CannotFix: the group is full.
    """
    calls = list(_calls(group_id, direction, change))
    for operation, params in calls[1:]:
        # Would AWS allow it later? A role that may add but not revoke must not get half way.
        await aws.find("ec2", operation, absent=("DryRunOperation", *_MOVED_ON), DryRun=True, **params)
    added: list[str] = []
    try:
        for operation, params in calls:
            answer = await aws.call("ec2", operation, **params)
            added += [rule["SecurityGroupRuleId"] for rule in answer.get("SecurityGroupRules", ())]
            if operation == "ModifySecurityGroupRules":
                added.clear()  # they complete the rules just turned, so they stay
    except AwsError as error:
        if added:
            with contextlib.suppress(AwsError):
                operation, params = _revoke(group_id, direction, added)
                await aws.call("ec2", operation, **params)
        if error.code == _FULL:
            raise CannotFix(
                f"{group_id} has no room for {len(change.add)} more {direction} rules that keep the rest "
                "open: merge some of its rules or have the quota raised; nothing was changed"
            ) from error
        if error.code in _MOVED_ON:
            return False
        raise
    return True


def _calls(group_id: str, direction: Direction, change: Change) -> Iterator[_Call]:
    side = "Egress" if direction == "outbound" else "Ingress"
    # One call gives all its rules the same tags. Tagged ones first: they need one right more.
    by_tags = sorted(change.add, key=lambda rule: rule.tags, reverse=True)
    for tags, rules in groupby(by_tags, key=lambda rule: rule.tags):
        params: dict[str, Any] = {"GroupId": group_id, "IpPermissions": _permissions(rules)}
        if tags:
            pairs = [{"Key": key, "Value": value} for key, value in tags]
            params["TagSpecifications"] = [{"ResourceType": "security-group-rule", "Tags": pairs}]
        yield f"AuthorizeSecurityGroup{side}", params
    if change.turn:
        turned = [
            {"SecurityGroupRuleId": rule_id, "SecurityGroupRule": _request(rule)}
            for rule_id, rule in change.turn.items()
        ]
        yield "ModifySecurityGroupRules", {"GroupId": group_id, "SecurityGroupRules": turned}
    if change.drop:
        yield _revoke(group_id, direction, change.drop)


def _revoke(group_id: str, direction: Direction, rule_ids: Iterable[str]) -> _Call:
    side = "Egress" if direction == "outbound" else "Ingress"
    return f"RevokeSecurityGroup{side}", {"GroupId": group_id, "SecurityGroupRuleIds": list(rule_ids)}


def _permissions(rules: Iterable[Rule]) -> list[dict[str, Any]]:
    found = []
    for rule in rules:
        six = ":" in rule.source
        network = {"CidrIpv6" if six else "CidrIp": rule.source, **_described(rule)}
        found.append(
            {
                "IpProtocol": rule.protocol,
                "FromPort": rule.low,
                "ToPort": rule.high,
                "Ipv6Ranges" if six else "IpRanges": [network],
            }
        )
    return found


def _request(rule: Rule) -> dict[str, Any]:
    return {
        "IpProtocol": rule.protocol,
        "FromPort": rule.low,
        "ToPort": rule.high,
        "CidrIpv6" if ":" in rule.source else "CidrIpv4": rule.source,
        **_described(rule),
    }


def _described(rule: Rule) -> dict[str, str]:
    return {"Description": rule.description} if rule.description else {}
