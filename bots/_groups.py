"""Security groups as AWS keeps them: read the live rules, change them without a gap."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, Target, TargetGone
from bots._rules import Change, Direction, Rule, Rules, cidr, protocol_name
from bots._tags import own_tags

GROUP = ("arn:{partition}:ec2:*:{account}:security-group/*",)
RULE = ("arn:{partition}:ec2:*:{account}:security-group-rule/*",)
READS = ("ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules")
NOT_THERE = ("InvalidGroup.NotFound",)
AT_ONCE = 100  # rules in one call; a raised quota allows groups of up to 1000
_FULL = "RulesPerSecurityGroupLimitExceeded"
_MOVED_ON = (
    "InvalidPermission.Duplicate", "InvalidPermission.NotFound", "InvalidSecurityGroupRuleId.NotFound",
)  # fmt: skip
_NAMES_NOTHING = (*NOT_THERE, "InvalidPrefixListID.NotFound", "InvalidPrefixListId.NotFound")
# Tags by which the owner of a group can be told: CloudFormation, Kubernetes and its load balancers.
_OWNERS = ("aws:cloudformation:stack-name", "aws:eks:cluster-name", "elbv2.k8s.aws/cluster")

_Call = tuple[str, dict[str, Any]]
Plan = Callable[[Mapping[Direction, Rules]], Mapping[Direction, Change]]


async def own_group(aws: Aws, target: Target) -> dict[str, Any]:
    """The group as EC2 describes it.

    Raises:
        TargetGone: there is no such group. (Asking for its rules would only show none.)
        CannotFix: it is shared from another account, whose business its rules are.
    """
    answer = await aws.find("ec2", "DescribeSecurityGroups", absent=NOT_THERE, GroupIds=[target.id])
    if answer is None or not answer["SecurityGroups"]:
        raise TargetGone(f"security group {target.id} does not exist in {aws.region}")
    group: dict[str, Any] = answer["SecurityGroups"][0]
    _must_be_own(aws, target, group["OwnerId"])
    return group


def _must_be_own(aws: Aws, target: Target, owner: str) -> None:
    if owner != aws.account_id:
        raise CannotFix(
            f"security group {target.id} is shared by account {owner}: only its owner can change it"
        )


async def group_notes(aws: Aws, target: Target) -> tuple[str, ...]:
    """What a person should know before the group is changed. Raises as `own_group`."""
    group = await own_group(aws, target)
    return tuple(
        f"the group is managed by {tag['Value']} ({tag['Key']}), which may put the rules back"
        for tag in group.get("Tags", ())
        if tag["Key"] in _OWNERS
    )


async def own_rules(aws: Aws, target: Target) -> dict[Direction, dict[str, Rule]]:
    """As `all_rules`, of a group that is there and the account's own. Raises as `own_group`."""
    found = await _records(aws, target.id)
    if not found:
        # A group without rules looks like none at all.
        await own_group(aws, target)
    for record in found:
        _must_be_own(aws, target, record["GroupOwnerId"])
    return _by_direction(found, aws.account_id)


async def all_rules(aws: Aws, group_id: str) -> dict[Direction, dict[str, Rule]]:
    """The group's rules of both directions by id, one for each single source."""
    return _by_direction(await _records(aws, group_id), aws.account_id)


async def _records(aws: Aws, group_id: str) -> list[dict[str, Any]]:
    found = aws.pages(
        "ec2",
        "DescribeSecurityGroupRules",
        items="SecurityGroupRules",
        Filters=[{"Name": "group-id", "Values": [group_id]}],
        MaxResults=1000,
    )
    return [record async for record in found]


def _by_direction(records: Iterable[dict[str, Any]], account_id: str) -> dict[Direction, dict[str, Rule]]:
    rules: dict[Direction, dict[str, Rule]] = {"inbound": {}, "outbound": {}}
    for record in records:
        side = rules["outbound" if record["IsEgress"] else "inbound"]
        side[record["SecurityGroupRuleId"]] = _rule(record, account_id)
    return rules


def _rule(record: dict[str, Any], account_id: str) -> Rule:
    network = record.get("CidrIpv4") or record.get("CidrIpv6")
    return Rule(
        source=cidr(network) if network else _other_end(record, account_id),
        protocol=protocol_name(record["IpProtocol"]),
        low=record.get("FromPort", -1),
        high=record.get("ToPort", -1),
        description=record.get("Description") or "",
        tags=own_tags(record),
    )


def _other_end(record: dict[str, Any], account_id: str) -> str:
    if prefix_list := record.get("PrefixListId"):
        return str(prefix_list)
    group = record["ReferencedGroupInfo"]
    owner = group.get("UserId") or account_id
    return str(group["GroupId"]) if owner == account_id else f"{owner}/{group['GroupId']}"


async def rearrange(aws: Aws, group_id: str, plan: Plan) -> None:
    """Plan by the live rules and carry it out; plan once more if somebody else came in between.

    Raises:
        CannotFix: somebody came in between again, or as `carry_out`.
    """
    for _ in range(2):
        if await carry_out(aws, group_id, plan(await all_rules(aws, group_id))):
            return
    raise CannotFix(f"somebody else keeps changing {group_id} at the same time")


async def carry_out(aws: Aws, group_id: str, changes: Mapping[Direction, Change]) -> bool:
    """Make the changes: first what is added, last what goes, so that what stays open is never shut.

    Added rules stand for the ones that are turned or go, so they are taken back when that fails. AWS
    adds and turns rules all or none, and it alone knows the quota, which can be raised per account.

    Returns:
        False if somebody else had changed the rules in the meantime: plan again.

    Raises:
        CannotFix: the group is full, or a rule to add names a group or prefix list that is gone.
    """
    calls = list(_calls(group_id, changes))
    added: list[_Call] = []
    try:
        for operation, params in calls[1:]:
            # Would AWS allow it later? A role that may add but not revoke must not get half way.
            await aws.find("ec2", operation, absent=("DryRunOperation", *_MOVED_ON), DryRun=True, **params)
        for operation, params in calls:
            answer = await aws.call("ec2", operation, **params)
            if operation.startswith("Authorize"):
                ids = [rule["SecurityGroupRuleId"] for rule in answer["SecurityGroupRules"]]
                added.append((operation.replace("Authorize", "Revoke"), _by_id(group_id, ids)))
            else:
                added.clear()  # they stand for rules just turned or revoked, so they stay
    except AwsError as error:
        for operation, params in added:
            with contextlib.suppress(AwsError):
                await aws.call("ec2", operation, **params)
        if error.code in _MOVED_ON:
            return False
        refusal = _refusal(group_id, changes, error)
        if refusal is None:
            raise
        raise refusal from error
    return True


def _refusal(group_id: str, changes: Mapping[Direction, Change], error: AwsError) -> CannotFix | None:
    if error.code == _FULL:
        more = " and ".join(f"{len(each.add)} more {side}" for side, each in changes.items() if each.add)
        return CannotFix(
            f"{group_id} has no room for {more} rules that keep the rest open: merge some of its rules or have "
            "the quota raised; nothing was changed"
        )
    if error.code in _NAMES_NOTHING and error.operation.startswith("Authorize"):
        return CannotFix(
            f"a rule to add to {group_id} names a group or prefix list that does not exist any more ({error.message}); "
            "nothing was changed: add the others by hand"
        )
    return None


def _calls(group_id: str, changes: Mapping[Direction, Change]) -> Iterator[_Call]:
    for side, change in changes.items():
        # One call gives all its rules the same tags. Tagged ones first: they need one right more.
        by_tags = sorted(change.add, key=lambda rule: rule.tags, reverse=True)
        for tags, rules in groupby(by_tags, key=lambda rule: rule.tags):
            pairs = [{"Key": key, "Value": value} for key, value in tags]
            tagged = [{"ResourceType": "security-group-rule", "Tags": pairs}]
            for some in _batches(list(rules)):
                params = {"GroupId": group_id, "IpPermissions": [_permission(rule) for rule in some]}
                more = {"TagSpecifications": tagged} if tags else {}
                yield f"AuthorizeSecurityGroup{_SIDES[side]}", params | more
    turned = [
        {"SecurityGroupRuleId": rule_id, "SecurityGroupRule": _request(rule)}
        for change in changes.values()
        for rule_id, rule in change.turn.items()
    ]
    if turned:
        yield "ModifySecurityGroupRules", {"GroupId": group_id, "SecurityGroupRules": turned}
    for side, change in changes.items():
        for ids in _batches(change.drop):
            yield f"RevokeSecurityGroup{_SIDES[side]}", _by_id(group_id, ids)


_SIDES: Mapping[Direction, str] = {"inbound": "Ingress", "outbound": "Egress"}


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


def _by_id(group_id: str, rule_ids: Iterable[str]) -> dict[str, Any]:
    return {"GroupId": group_id, "SecurityGroupRuleIds": list(rule_ids)}


def _permission(rule: Rule) -> dict[str, Any]:
    """The rule as one to add."""
    owner, _, other = rule.source.rpartition("/")
    if other.startswith("pl-"):
        ends, end = "PrefixListIds", {"PrefixListId": other}
    elif other.startswith("sg-"):
        ends, end = "UserIdGroupPairs", {"GroupId": other, **({"UserId": owner} if owner else {})}
    elif ":" in rule.source:
        ends, end = "Ipv6Ranges", {"CidrIpv6": rule.source}
    else:
        ends, end = "IpRanges", {"CidrIp": rule.source}
    return {**_traffic(rule), ends: [end | _described(rule)]}


def _request(rule: Rule) -> dict[str, Any]:
    """The rule as what another one becomes. Only rules for networks are ever turned."""
    return {
        **_traffic(rule),
        "CidrIpv6" if ":" in rule.source else "CidrIpv4": rule.source,
        **_described(rule),
    }


def _traffic(rule: Rule) -> dict[str, Any]:
    return {"IpProtocol": rule.protocol, "FromPort": rule.low, "ToPort": rule.high}


def _described(rule: Rule) -> dict[str, str]:
    return {"Description": rule.description} if rule.description else {}
