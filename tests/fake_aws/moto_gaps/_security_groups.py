"""Rules of security groups: what AWS refuses as a whole, moto does in part or not at all. Called by `ec2`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

from moto.ec2.models import ec2_backends

from tests.fake_aws.wire import Answer, Call, refusal, with_body, xml_of

QUOTA = 60  # rules per group, direction and address family, unless raised
_PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}

_Key = tuple[str, int, int, str]


def before(call: Call) -> Answer | None:
    """AWS adds all rules of a call or none. moto adds the ones before the first that it refuses.

    AWS lets no rule become what another one is already; moto does. AWS has a code of its own
    for ids of rules that are gone.
    """
    if call.operation in _ASSOCIATIONS:
        return _ASSOCIATIONS[call.operation](call)
    group = ec2_backends[call.account_id][call.region].get_security_group_from_id(
        call.params.get("GroupId", "")
    )
    if group is None:
        return None
    if call.operation == "DeleteSecurityGroup":
        return _in_use(call, group)
    if call.operation.startswith("RevokeSecurityGroup"):
        unknown = set(call.params.get("SecurityGroupRuleIds", ())) - {rule.id for rule in _side(group, call)}
        if unknown:
            text = f"The security group rule ID '{min(unknown)}' does not exist"
            return refusal(call, "InvalidSecurityGroupRuleId.NotFound", text, status=400)
    if call.operation.startswith("AuthorizeSecurityGroup"):
        there = [_key_of(rule) for rule in _side(group, call)]
        wanted = [key for key, _ in _wanted(call)]
        if set(there) & set(wanted):
            return _duplicate(call)
        backend = ec2_backends[call.account_id][call.region]
        for *_, source in wanted:
            if source.startswith("sg-") and backend.get_security_group_from_id(source) is None:
                text = f"The security group '{source}' does not exist"
                return refusal(call, "InvalidGroup.NotFound", text, status=400)
        for six in (False, True):
            if sum((":" in key[3]) == six for key in (*there, *wanted)) > QUOTA and wanted:
                text = "The maximum number of rules per security group has been reached."
                return refusal(call, "RulesPerSecurityGroupLimitExceeded", text, status=400)
    if call.operation == "ModifySecurityGroupRules":
        turned = {
            each["SecurityGroupRuleId"]: each["SecurityGroupRule"]
            for each in call.params["SecurityGroupRules"]
        }
        for side in (group.ingress_rules, group.egress_rules):
            here = {rule.id for rule in side}
            keys = [_key_of(rule) for rule in side if rule.id not in turned]
            keys += [_key_asked(rule, _network(rule)) for rule_id, rule in turned.items() if rule_id in here]
            if len(keys) != len(set(keys)):
                return _duplicate(call)
    return None


def _described(call: Call, answer: Answer) -> Answer:
    """moto does not say whose a rule's group is, ignores MaxResults and NextToken and answers with everything."""
    root, space = xml_of(answer)
    rules = root.find(f"{space}securityGroupRuleSet")
    if rules is None:
        return answer
    backend = ec2_backends[call.account_id][call.region]
    for rule in rules:
        group = backend.get_security_group_from_id(rule.findtext(f"{space}groupId", ""))
        if group is not None:
            ET.SubElement(rule, f"{space}groupOwnerId").text = group.owner_id
    if size := int(call.params.get("MaxResults") or 0):
        start = int(call.params.get("NextToken") or 0)
        everything = list(rules)
        for rule in everything[:start] + everything[start + size :]:
            rules.remove(rule)
        if start + size < len(everything):
            ET.SubElement(root, f"{space}nextToken").text = str(start + size)
    return with_body(answer, root)


def after(call: Call, answer: Answer) -> Answer:
    """moto answers an authorize of several permissions with the rules of the last one only, and drops
    the descriptions of rules for groups and prefix lists. It turns nothing but ports and IPv4 networks.
    """
    if call.operation == "DescribeSecurityGroupRules":
        return _described(call, answer)
    group = ec2_backends[call.account_id][call.region].get_security_group_from_id(
        call.params.get("GroupId", "")
    )
    if call.operation == "ModifySecurityGroupRules":
        for each in call.params["SecurityGroupRules"]:
            _turn(group.get_rule(each["SecurityGroupRuleId"]), each["SecurityGroupRule"])
    if not call.operation.startswith("AuthorizeSecurityGroup"):
        return answer
    wanted = dict(_wanted(call))
    for rule in _side(group, call):
        if (described := wanted.get(_key_of(rule))) and not rule.ip_range:
            rule.ip_range = {"Description": described}
    root, space = xml_of(answer)
    answered = root.find(f"{space}securityGroupRuleSet")
    if group is None or answered is None:
        return answer
    told = {element.text for element in answered.iter(f"{space}securityGroupRuleId")}
    for rule in _side(group, call):
        if _key_of(rule) in wanted and rule.id not in told:
            item = ET.SubElement(answered, f"{space}item")
            ET.SubElement(item, f"{space}securityGroupRuleId").text = rule.id
    return with_body(answer, root)


def _duplicate(call: Call) -> Answer:
    return refusal(
        call, "InvalidPermission.Duplicate", "the specified rule already exists in the group", status=400
    )


def _side(group: Any, call: Call) -> list[Any]:
    rules: list[Any] = group.egress_rules if call.operation.endswith("Egress") else group.ingress_rules
    return rules


def _wanted(call: Call) -> Iterator[tuple[_Key, str]]:
    """Every rule asked for, and its description."""
    for permission in call.params.get("IpPermissions", ()):
        for kind, name in _ENDS:
            for end in permission.get(kind, ()):
                yield _key_asked(permission, end.get(name, "")), end.get("Description", "")


_ENDS = (
    ("IpRanges", "CidrIp"), ("Ipv6Ranges", "CidrIpv6"), ("UserIdGroupPairs", "GroupId"),
    ("PrefixListIds", "PrefixListId"),
)  # fmt: skip


def _turn(rule: Any, wish: Mapping[str, Any]) -> None:
    """What is not said again is gone, the description too."""
    described = {"Description": wish["Description"]} if wish.get("Description") else {}
    network = {
        ours: wish[theirs]
        for theirs, ours in (("CidrIpv4", "CidrIp"), ("CidrIpv6", "CidrIpv6"))
        if theirs in wish
    }
    rule.ip_range = network | described


def _in_use(call: Call, group: Any) -> Answer | None:
    """moto deletes default groups and groups in use."""
    if group.name == "default":
        return refusal(
            call, "CannotDelete", "the specified group: a default group cannot be deleted", status=400
        )
    backend = ec2_backends[call.account_id][call.region]
    worn = any(group in interface.group_set for interface in backend.enis.values())
    others = [each for groups in backend.groups.values() for each in groups.values() if each is not group]
    named = any(
        rule.source_group.get("GroupId") == group.id
        for other in others
        for rule in (*other.ingress_rules, *other.egress_rules)
    )
    if worn or named or getattr(group, "vpc_associations", None):
        return refusal(call, "DependencyViolation", f"resource {group.id} has a dependent object", status=400)
    return None


def _associate(call: Call) -> Answer:
    group = ec2_backends[call.account_id][call.region].get_security_group_from_id(call.params["GroupId"])
    group.vpc_associations = [*getattr(group, "vpc_associations", ()), call.params["VpcId"]]
    return _xml(call, "<state>associated</state>")


def _associations(call: Call) -> Answer:
    groups = next(each["Values"] for each in call.params["Filters"] if each["Name"] == "group-id")
    backend = ec2_backends[call.account_id][call.region]
    found = [
        f"<item><groupId>{group}</groupId><vpcId>{vpc}</vpcId><state>associated</state></item>"
        for group in groups
        for vpc in getattr(backend.get_security_group_from_id(group), "vpc_associations", ())
    ]
    return _xml(call, f"<securityGroupVpcAssociationSet>{''.join(found)}</securityGroupVpcAssociationSet>")


def _xml(call: Call, inner: str) -> Answer:
    space = "http://ec2.amazonaws.com/doc/2016-11-15/"
    text = f'<{call.operation}Response xmlns="{space}">{inner}</{call.operation}Response>'
    return Answer(200, (("Content-Type", "text/xml"),), text.encode())


# Groups that serve in further VPCs are nothing moto knows.
_ASSOCIATIONS = {
    "AssociateSecurityGroupVpc": _associate,
    "DescribeSecurityGroupVpcAssociations": _associations,
}


def _key_asked(asked: Mapping[str, Any], source: str) -> _Key:
    named = str(asked["IpProtocol"]).lower()
    return _key(named, asked.get("FromPort"), asked.get("ToPort"), source)


def _key_of(rule: Any) -> _Key:
    source = rule.cidr_ipv4 or rule.cidr_ipv6 or rule.prefix_list_id or rule.source_group.get("GroupId", "")
    return _key(rule.ip_protocol, rule.from_port, rule.to_port, source)


def _key(protocol: str, low: int | str | None, high: int | str | None, source: str) -> _Key:
    protocol = _PROTOCOLS.get(protocol, protocol)
    if protocol == "-1":
        return protocol, -1, -1, source
    return protocol, int(-1 if low is None else low), int(-1 if high is None else high), source


def _network(rule: Mapping[str, Any]) -> str:
    return str(
        next(
            rule[name]
            for name in ("CidrIpv4", "CidrIpv6", "PrefixListId", "ReferencedGroupId")
            if name in rule
        )
    )
