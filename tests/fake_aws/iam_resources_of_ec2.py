"""On which ARNs AWS authorises the calls of EC2; see `iam_resources`."""

from __future__ import annotations

import re

from moto.ec2.models import ec2_backends

from tests.fake_aws.iam_arns import ANY, Arns, Where, texts
from tests.fake_aws.moto_gaps import _instance_profiles
from tests.fake_aws.wire import Call

_EC2_KINDS = {
    "acl": "network-acl", "ami": "image", "eipalloc": "elastic-ip", "eni": "network-interface", "fl": "vpc-flow-log",
    "i": "instance", "igw": "internet-gateway", "lt": "launch-template", "nat": "natgateway",
    "pcx": "vpc-peering-connection", "pg": "placement-group", "pl": "prefix-list", "rtb": "route-table",
    "sg": "security-group", "sgr": "security-group-rule", "snap": "snapshot", "subnet": "subnet", "vol": "volume",
    "vpc": "vpc", "vpce": "vpc-endpoint", "vpn": "vpn-connection",
}  # fmt: skip
_EC2_ID = re.compile(r"(?P<kind>[a-z]+)-[0-9a-f]{8,17}")
_OWNERLESS = {"image", "snapshot"}  # their ARNs leave the account out
# What calls make that are not named after it.
_MAKES = {"AllocateAddress": "elastic-ip", "CreateSnapshots": "snapshot"}
_MAKES_NO_RESOURCE = ("CreateTags", "CreateNetworkAclEntry", "CreateRoute")


def ec2(call: Call, where: Where) -> Arns:
    if call.operation.startswith(("Describe", "Get")) and call.operation != "GetManagedPrefixListEntries":
        return ANY  # nearly all of EC2's reads know no resources
    start = f"arn:{where.partition}:ec2:{call.region}"
    ids = [text for value in call.params.values() for text in texts(value)]
    # The rules of ModifySecurityGroupRules are one level down.
    ids += [rule["SecurityGroupRuleId"] for rule in call.params.get("SecurityGroupRules", ())]
    ids += _associated(call, where)
    if association := call.params.get("AssociationId"):
        # A profile's association is authorised on its instance.
        ids.append(_instance_profiles.instance_of(where.account_id, call.region, association) or "")
    ids += [call.params.get("InstanceSpecification", {}).get("InstanceId", "")]
    found = []
    if call.operation in ("DeleteKeyPair", "ImportKeyPair"):
        found.append(f"{start}:{where.account_id}:key-pair/{call.params['KeyName']}")
    for text in ids:
        known = _EC2_ID.fullmatch(text)
        if known and (kind := _EC2_KINDS.get(known["kind"])):
            found.append(f"{start}:{'' if kind in _OWNERLESS else where.account_id}:{kind}/{text}")
    if kind := _MAKES.get(call.operation):
        found.append(f"{start}:{'' if kind in _OWNERLESS else where.account_id}:{kind}/*")
    elif call.operation.startswith("Create") and call.operation not in _MAKES_NO_RESOURCE:
        made = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", call.operation.removeprefix("Create")).lower()
        made = {"flow-logs": "vpc-flow-log"}.get(made, made.removesuffix("s"))
        found.append(f"{start}:{where.account_id}:{made}/*")
    return tuple(found) or ANY


def _associated(call: Call, where: Where) -> list[str]:
    """What an association is of: an Elastic IP, a route table."""
    association, backend = call.params.get("AssociationId"), ec2_backends[where.account_id][call.region]
    if association is None:
        return []
    found = [str(each.allocation_id) for each in backend.addresses if each.association_id == association]
    return found + [each.id for each in backend.route_tables.values() if association in each._associations]
