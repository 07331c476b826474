"""Security groups to plant and to look at, for the tests of the bots that change their rules."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from bots._rules import Rule
from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin

ANYWHERE = "0.0.0.0/0"
ANYWHERE6 = "::/0"
OFFICE = "203.0.113.0/24"
NOBODY = "sg-0123456789abcdef0"
_ENDS = {
    "sg": ("UserIdGroupPairs", "GroupId"), "pl": ("PrefixListIds", "PrefixListId"), "4": ("IpRanges", "CidrIp"),
    "6": ("Ipv6Ranges", "CidrIpv6"),
}  # fmt: skip


def rule(text: str) -> Rule:
    """A bot's rule from a short text: ``tcp 20-30 0.0.0.0/0``, ``icmp 3 ::/0``, ``-1 10.0.0.0/8``."""
    protocol, *ports, source = text.split()
    low, _, high = (ports[0] if ports else "").partition("-")
    return Rule(source=source, protocol=protocol, low=int(low or -1), high=int(high or low or -1))


def permission(protocol: str, low: int, high: int, *sources: str, description: str = "") -> dict[str, Any]:
    """An IpPermission for networks, groups and prefix lists."""
    found: dict[str, Any] = {"IpProtocol": protocol}
    if protocol != "-1":
        found |= {"FromPort": low, "ToPort": high}
    for source in sources:
        kind = source[:2] if source[:3] in ("sg-", "pl-") else "6" if ":" in source else "4"
        ends, end = _ENDS[kind]
        more = {"Description": description} if description else {}
        found.setdefault(ends, []).append({end: source, **more})
    return found


def tcp(low: int, high: int | None = None, *sources: str, description: str = "") -> dict[str, Any]:
    return permission("tcp", low, high or low, *(sources or (ANYWHERE,)), description=description)


def everything(*sources: str) -> dict[str, Any]:
    return permission("-1", -1, -1, *(sources or (ANYWHERE,)))


def group(
    admin: Admin,
    *inbound: dict[str, Any],
    outbound: tuple[dict[str, Any], ...] = (),
    words: str = "",
    tags: dict[str, str] | None = None,
    name: str = "web",
) -> Planted:
    """A group in the default VPC. A new one lets everything out; ``outbound`` comes on top of that."""
    ec2 = admin.client("ec2")
    group_id = ec2.create_security_group(GroupName=name, Description="web servers")["GroupId"]
    pairs = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    more = {"TagSpecifications": [{"ResourceType": "security-group-rule", "Tags": pairs}]} if pairs else {}
    if inbound:
        ec2.authorize_security_group_ingress(GroupId=group_id, IpPermissions=list(inbound), **more)
    if outbound:
        ec2.authorize_security_group_egress(GroupId=group_id, IpPermissions=list(outbound), **more)
    return Planted(entity={"id": group_id, "name": name, "type": "SecurityGroup"}, words=tuple(words.split()))


def prefix_list(admin: Admin, *networks: str) -> str:
    made = admin.client("ec2").create_managed_prefix_list(
        PrefixListName="partners",
        MaxEntries=10,
        AddressFamily="IPv4",
        Entries=[{"Cidr": network} for network in networks],
    )
    return str(made["PrefixList"]["PrefixListId"])


def missing(words: str = "") -> Planted:
    return Planted(entity={"id": NOBODY, "type": "SecurityGroup"}, words=tuple(words.split()))


def shared(admin: Admin, planted: Planted) -> Planted:
    """The group as one of another account's that is shared with this one, which moto does not know."""
    backend = ec2_backends[admin.account_id]["us-east-1"]
    backend.get_security_group_from_id(planted.entity["id"]).owner_id = "444455556666"
    return planted


def rules(admin: Admin, group_id: str) -> list[dict[str, Any]]:
    """Every rule as EC2 describes it, ids included."""
    pages = admin.client("ec2").get_paginator("describe_security_group_rules")
    filters = [{"Name": "group-id", "Values": [group_id]}]
    return [rule for page in pages.paginate(Filters=filters) for rule in page["SecurityGroupRules"]]


def observe(admin: Admin, planted: Planted) -> Any:
    """The group and its rules without their ids, which rules put back have anew; None if it is gone."""
    group_id = planted.entity["id"]
    filters = [{"Name": "group-id", "Values": [group_id]}]
    found = admin.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    told = [
        {key: rule[key] for key in rule if key != "SecurityGroupRuleId"} for rule in rules(admin, group_id)
    ]
    return [
        {
            "name": each["GroupName"],
            "description": each["Description"],
            "tags": each.get("Tags", []),
            "rules": sorted(told, key=repr),
        }
        for each in found
    ]


def opened(admin: Admin, planted: Planted, *, outbound: bool = False) -> list[str]:
    """The rules of one direction in short: ``tcp 22-22 0.0.0.0/0``."""
    return sorted(
        f"{rule['IpProtocol']} {rule['FromPort']}-{rule['ToPort']} {_source(rule)}"
        for rule in rules(admin, planted.entity["id"])
        if rule["IsEgress"] == outbound
    )


def _source(rule: dict[str, Any]) -> str:
    other = rule.get("PrefixListId") or rule.get("ReferencedGroupInfo", {}).get("GroupId")
    return str(rule.get("CidrIpv4") or rule.get("CidrIpv6") or other)
