"""VPCs. Called by `ec2`."""

from __future__ import annotations

import copy

from moto.ec2.models import ec2_backends

from tests.fake_aws.wire import Answer, Call, refusal, with_body, xml_of


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


def cannot_detach(call: Call) -> Answer | None:
    """moto detaches an internet gateway from under the public addresses in a VPC; AWS does not."""
    interfaces = ec2_backends[call.account_id][call.region].enis.values()
    vpc_id = call.params["VpcId"]
    if any(each.public_ip and each.subnet.vpc_id == vpc_id for each in interfaces):
        text = f"Network {vpc_id} has some mapped public address(es). Please unmap those before detaching."
        return refusal(call, "DependencyViolation", text, status=400)
    return None


def cannot_associate(call: Call) -> Answer | None:
    """moto gives public addresses to instances of a VPC that has no internet gateway; AWS does not."""
    backend = ec2_backends[call.account_id][call.region]
    interface = backend.enis.get(call.params.get("NetworkInterfaceId"))
    if interface is None:
        return None
    vpc_id = interface.subnet.vpc_id
    if not any(each.vpc and each.vpc.id == vpc_id for each in backend.internet_gateways.values()):
        text = f"Network {vpc_id} is not attached to any internet gateway"
        return refusal(call, "Gateway.NotAttached", text, status=400)
    return None


def filtered_peerings(call: Call, answer: Answer) -> Answer:
    """moto answers DescribeVpcPeeringConnections with all there are, whatever the filters say."""
    sides = {"requester-vpc-info.vpc-id": "requesterVpcInfo", "accepter-vpc-info.vpc-id": "accepterVpcInfo"}
    wanted = {each["Name"]: each["Values"] for each in call.params.get("Filters", ())}
    root, space = xml_of(answer)
    found = root.find(f"{space}vpcPeeringConnectionSet")
    for item in list(found) if found is not None else ():
        for name, side in sides.items():
            vpc_id = item.findtext(f"{space}{side}/{space}vpcId")
            if found is not None and vpc_id not in wanted.get(name, [vpc_id]):
                found.remove(item)
                break
    return with_body(answer, root)


def addresses_in_full(answer: Answer) -> Answer:
    """AWS says for each private address of an interface which public one is mapped to it; moto only once."""
    root, space = xml_of(answer)
    for interface in root.iterfind(f"{space}networkInterfaceSet/{space}item"):
        mapped = interface.find(f"{space}association")
        for address in interface.iterfind(f"{space}privateIpAddressesSet/{space}item"):
            if mapped is not None and address.findtext(f"{space}primary") == "true":
                address.append(copy.deepcopy(mapped))
    return with_body(answer, root)
