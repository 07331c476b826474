"""VPCs. Called by `ec2`."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree as ET

from moto.ec2.models import ec2_backends

from tests.fake_aws.wire import Answer, Call, refusal


def cannot_delete(call: Call) -> Answer | None:
    """moto asks about subnets and route tables only. AWS keeps a VPC with anything that it did not bring."""
    backend = ec2_backends[call.account_id][call.region]
    vpc_id = call.params["VpcId"]
    groups = backend.groups.get(vpc_id, {}).values()
    peerings = backend.vpc_pcxs.values()
    in_the_way = (
        any(gateway.vpc and gateway.vpc.id == vpc_id for gateway in backend.internet_gateways.values()),
        any(group.name != "default" for group in groups),
        any(acl.vpc_id == vpc_id and not acl.default for acl in backend.network_acls.values()),
        any(endpoint.vpc_id == vpc_id for endpoint in backend.vpc_end_points.values()),
        any(vpc_id in (each.vpc.id, each.peer_vpc.id) and each._status.code == "active" for each in peerings),
    )
    if any(in_the_way):
        text = f"The vpc '{vpc_id}' has dependencies and cannot be deleted."
        return refusal(call, "DependencyViolation", text, status=400)
    return None


def filtered_peerings(call: Call, answer: Answer) -> Answer:
    """moto answers DescribeVpcPeeringConnections with all there are, whatever the filters say."""
    sides = {"requester-vpc-info.vpc-id": "requesterVpcInfo", "accepter-vpc-info.vpc-id": "accepterVpcInfo"}
    wanted = {each["Name"]: each["Values"] for each in call.params.get("Filters", ())}
    root = ET.fromstring(answer.body)
    space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    found = root.find(f"{space}vpcPeeringConnectionSet")
    for item in list(found) if found is not None else ():
        for name, side in sides.items():
            vpc_id = item.findtext(f"{space}{side}/{space}vpcId")
            if found is not None and vpc_id not in wanted.get(name, [vpc_id]):
                found.remove(item)
                break
    headers = tuple(header for header in answer.headers if header[0].lower() != "content-length")
    return replace(answer, body=ET.tostring(root), headers=headers)
