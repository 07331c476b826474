"""Instances with several network interfaces, for the tests of the bots that change their groups."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import ec2_backends

from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin


def vpc(admin: Admin, network: str, *, ipv6: bool = False) -> tuple[str, str]:
    """A VPC and its subnet."""
    ec2 = admin.client("ec2")
    found = ec2.create_vpc(CidrBlock=network, AmazonProvidedIpv6CidrBlock=ipv6)["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=found, CidrBlock=network)["Subnet"]["SubnetId"]
    return str(found), str(subnet)


def group(admin: Admin, vpc_id: str, name: str, tags: dict[str, str] | None = None) -> str:
    pairs = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    more = {"TagSpecifications": [{"ResourceType": "security-group", "Tags": pairs}]} if pairs else {}
    made = admin.client("ec2").create_security_group(GroupName=name, Description="-", VpcId=vpc_id, **more)
    return str(made["GroupId"])


def instance(admin: Admin, *interfaces: tuple[str, tuple[str, ...]], words: tuple[str, ...] = ()) -> Planted:
    """An instance with an interface for each subnet and its groups."""
    ec2 = admin.client("ec2")
    launched = ec2.run_instances(
        ImageId="ami-12c6146b",
        MinCount=1,
        MaxCount=1,
        NetworkInterfaces=[
            {"DeviceIndex": index, "SubnetId": subnet, "Groups": list(groups)}
            for index, (subnet, groups) in enumerate(interfaces)
        ],
    )
    found = launched["Instances"][0]["InstanceId"]
    return Planted(entity={"id": found, "name": "web-1", "type": "Instance"}, words=words)


def worn(admin: Admin, planted: Planted) -> Any:
    """Everything of the instance's interfaces that matters, the groups above all."""
    filters = [{"Name": "attachment.instance-id", "Values": [planted.entity["id"]]}]
    found = admin.client("ec2").describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    return [
        {
            "id": each["NetworkInterfaceId"],
            "groups": sorted(group["GroupId"] for group in each["Groups"]),
            "status": each["Status"],
            "check": each["SourceDestCheck"],
            "addresses": [address["PrivateIpAddress"] for address in each["PrivateIpAddresses"]],
        }
        for each in sorted(found, key=lambda each: each["Attachment"]["DeviceIndex"])
    ]


def groups_worn(admin: Admin, planted: Planted) -> list[list[str]]:
    return [each["groups"] for each in worn(admin, planted)]


def managed_by_aws(admin: Admin, planted: Planted) -> Planted:
    """Its last interface as one that an AWS service made, which moto cannot be told."""
    last = worn(admin, planted)[-1]["id"]
    ec2_backends[admin.account_id]["us-east-1"].enis[last].requester_managed = True
    return planted


def missing(*words: str) -> Planted:
    return Planted(entity={"id": "i-0123456789abcdef0", "type": "Instance"}, words=words)
