"""The fake AWS answers as AWS does about VPCs, network ACLs, certificates and domains."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bots.test_acm_delete_certificate import LOAD_BALANCER, _in_state
from tests.bots.test_route53domain_enable_auto_renew import register
from tests.fake_aws.admin import Admin, code
from tests.fake_aws.moto_gaps import route53domains as registrar


def _vpc(ec2: Any) -> str:
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def test_a_new_network_acl_denies_everything_and_a_missing_one_has_its_own_code(admin: Admin) -> None:
    ec2 = admin.client("ec2")
    acl_id = ec2.create_network_acl(VpcId=_vpc(ec2))["NetworkAcl"]["NetworkAclId"]
    (acl,) = ec2.describe_network_acls(NetworkAclIds=[acl_id])["NetworkAcls"]
    entries = [(entry["RuleNumber"], entry["RuleAction"], entry["Egress"]) for entry in acl["Entries"]]
    assert entries == [(32767, "deny", True), (32767, "deny", False)]
    nowhere = "acl-0123456789abcdef0"
    assert code(ec2.describe_network_acls, NetworkAclIds=[nowhere]) == "InvalidNetworkAclID.NotFound"


def test_a_missing_entry_is_told_and_a_kind_of_icmp_is_kept(admin: Admin) -> None:
    ec2 = admin.client("ec2")
    acl_id = ec2.create_network_acl(VpcId=_vpc(ec2))["NetworkAcl"]["NetworkAclId"]
    entry = {"NetworkAclId": acl_id, "RuleNumber": 7, "Egress": False}
    assert code(ec2.delete_network_acl_entry, **entry) == "InvalidNetworkAclEntry.NotFound"
    ping = {"Protocol": "1", "RuleAction": "allow", "CidrBlock": "10.0.0.0/8"}
    assert code(ec2.replace_network_acl_entry, **entry, **ping) == "InvalidNetworkAclEntry.NotFound"
    ec2.create_network_acl_entry(**entry, **ping, IcmpTypeCode={"Type": 8, "Code": -1})
    (acl,) = ec2.describe_network_acls(NetworkAclIds=[acl_id])["NetworkAcls"]
    assert [each.get("IcmpTypeCode") for each in acl["Entries"] if each["RuleNumber"] == 7] == [
        {"Type": 8, "Code": -1}
    ]


def test_a_default_network_acl_stays(admin: Admin) -> None:
    ec2 = admin.client("ec2")
    mine = [{"Name": "vpc-id", "Values": [_vpc(ec2)]}]
    (default,) = ec2.describe_network_acls(Filters=mine)["NetworkAcls"]
    assert code(ec2.delete_network_acl, NetworkAclId=default["NetworkAclId"]) == "InvalidParameterValue"


@pytest.mark.parametrize("occupant", ["gateway", "group", "acl", "endpoint", "peering"])
def test_a_vpc_with_anything_in_it_is_not_deleted(admin: Admin, occupant: str) -> None:
    ec2 = admin.client("ec2")
    vpc_id = _vpc(ec2)
    match occupant:
        case "gateway":
            made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
            ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc_id)
        case "group":
            ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc_id)
        case "acl":
            ec2.create_network_acl(VpcId=vpc_id)
        case "endpoint":
            ec2.create_vpc_endpoint(VpcId=vpc_id, ServiceName="com.amazonaws.us-east-1.s3")
        case _:
            made = ec2.create_vpc_peering_connection(VpcId=vpc_id, PeerVpcId=_vpc(ec2))
            pending = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
            ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=pending)
    assert code(ec2.delete_vpc, VpcId=vpc_id) == "DependencyViolation"


def test_a_gateway_is_not_detached_from_under_a_public_address_nor_one_given_without_it(admin: Admin) -> None:
    ec2 = admin.client("ec2")
    vpc_id = _vpc(ec2)
    subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    address = {
        "NetworkInterfaceId": interface,
        "AllocationId": ec2.allocate_address(Domain="vpc")["AllocationId"],
    }
    assert code(ec2.associate_address, **address) == "Gateway.NotAttached"
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    ec2.associate_address(**address)
    (found,) = ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])["NetworkInterfaces"]
    assert found["PrivateIpAddresses"][0]["Association"] == found["Association"]
    assert code(ec2.detach_internet_gateway, InternetGatewayId=gateway, VpcId=vpc_id) == "DependencyViolation"


def test_a_certificate_in_use_stays_and_one_not_issued_has_no_text(admin: Admin) -> None:
    acm = admin.client("acm")
    arn = _in_state(admin, in_use_by=[LOAD_BALANCER], status="PENDING_VALIDATION").entity["certificateArn"]
    assert code(acm.delete_certificate, CertificateArn=arn) == "ResourceInUseException"
    assert code(acm.get_certificate, CertificateArn=arn) == "RequestInProgressException"


def test_a_domain_is_locked_at_first_and_a_slow_registry_takes_one_request_at_a_time(admin: Admin) -> None:
    domains, name = admin.client("route53domains"), "example.com"
    register(admin, name)
    assert domains.get_domain_detail(DomainName=name)["StatusList"] == ["clientTransferProhibited"]
    registrar.domain(admin.account_id, name).slow = True
    domains.disable_domain_transfer_lock(DomainName=name)
    assert code(domains.enable_domain_transfer_lock, DomainName=name) == "DuplicateRequest"
    assert code(domains.enable_domain_auto_renew, DomainName="never-registered.com") == "InvalidInput"
    registrar.finish(admin.account_id, name)
    assert domains.get_domain_detail(DomainName=name)["StatusList"] == ["ok"]
