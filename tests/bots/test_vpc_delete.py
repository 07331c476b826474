"""Scenes of `bots.vpc_delete`, and what only this bot does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models.vpcs import VPC

from bots._aws import AwsError
from bots._bot import CannotFix, NoParams
from bots._vpcs import KINDS, in_the_way
from bots._words import BadWords, parse
from bots.vpc_delete import Definition, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _vpc(admin: Admin) -> Planted:
    ec2 = admin.client("ec2")
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": "left over"}]}]
    made = ec2.create_vpc(CidrBlock="10.7.0.0/16", TagSpecifications=tags)["Vpc"]
    return Planted(entity={"id": made["VpcId"], "type": "VPC"})


def _with(put_in: Callable[[Any, str], object]) -> Callable[[Admin], Planted]:
    def plant(admin: Admin) -> Planted:
        planted = _vpc(admin)
        put_in(admin.client("ec2"), planted.entity["id"])
        return planted

    return plant


def _subnet(ec2: Any, vpc_id: str) -> str:
    return str(ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"])


def _internet_gateway(ec2: Any, vpc_id: str) -> None:
    made = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=vpc_id)


def _vpn_gateway(ec2: Any, vpc_id: str) -> None:
    made = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    ec2.attach_vpn_gateway(VpnGatewayId=made, VpcId=vpc_id)


def _transit_attachment(ec2: Any, vpc_id: str) -> None:
    gateway = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    ec2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=gateway, VpcId=vpc_id, SubnetIds=[_subnet(ec2, vpc_id)]
    )


def _peering(ec2: Any, vpc_id: str, *, asked: bool = False) -> None:
    other = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    mine, theirs = (other, vpc_id) if asked else (vpc_id, other)
    made = ec2.create_vpc_peering_connection(VpcId=mine, PeerVpcId=theirs)["VpcPeeringConnection"]
    ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=made["VpcPeeringConnectionId"])


OCCUPANTS: dict[str, Callable[[Any, str], object]] = {
    "network interfaces eni-": lambda ec2, vpc_id: ec2.create_network_interface(SubnetId=_subnet(ec2, vpc_id)),
    "subnets subnet-": _subnet,
    "internet gateways igw-": _internet_gateway,
    "egress-only internet gateways eigw-": lambda ec2, vpc_id: ec2.create_egress_only_internet_gateway(VpcId=vpc_id),
    "NAT gateways nat-": lambda ec2, vpc_id: ec2.create_nat_gateway(
        SubnetId=_subnet(ec2, vpc_id), ConnectivityType="private"
    ),
    "endpoints vpce-": lambda ec2, vpc_id: ec2.create_vpc_endpoint(
        VpcId=vpc_id, ServiceName="com.amazonaws.us-east-1.s3"
    ),
    "peerings it asked for pcx-": _peering,
    "peerings it was asked for pcx-": lambda ec2, vpc_id: _peering(ec2, vpc_id, asked=True),
    "VPN gateways vgw-": _vpn_gateway,
    "transit gateway attachments tgw-attach-": _transit_attachment,
    "route tables rtb-": lambda ec2, vpc_id: ec2.create_route_table(VpcId=vpc_id),
    "network ACLs acl-": lambda ec2, vpc_id: ec2.create_network_acl(VpcId=vpc_id),
    "security groups sg-": lambda ec2, vpc_id: ec2.create_security_group(
        GroupName="web", Description="web", VpcId=vpc_id
    ),
}  # fmt: skip


def _default(admin: Admin) -> Planted:
    mine = [{"Name": "is-default", "Values": ["true"]}]
    return Planted(entity={"id": admin.client("ec2").describe_vpcs(Filters=mine)["Vpcs"][0]["VpcId"]})


def _observe(admin: Admin, planted: Planted) -> Any:
    ec2, vpc_id = admin.client("ec2"), planted.entity["id"]
    try:
        vpcs = ec2.describe_vpcs(VpcIds=[vpc_id])["Vpcs"]
    except ClientError:
        return None
    mine = [{"Name": "vpc-id", "Values": [vpc_id]}]
    return {
        "vpc": vpcs[0],
        "groups": ec2.describe_security_groups(Filters=mine)["SecurityGroups"],
        "tables": ec2.describe_route_tables(Filters=mine)["RouteTables"],
        "acls": ec2.describe_network_acls(Filters=mine)["NetworkAcls"],
        "subnets": ec2.describe_subnets(Filters=mine)["Subnets"],
    }


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "vpc-0123456789abcdef0", "type": "VPC"})


def scenes() -> list[Scene]:
    return [
        Scene(name="empty", plant=_vpc, observe=_observe, missing=_missing, when_missing="compliant"),
        Scene(name="default VPC", plant=_default, observe=_observe, refusal="is the default VPC"),
        Scene(
            name="with a subnet", plant=_with(_subnet), observe=_observe, refusal="not empty: subnets subnet-"
        ),
    ]


def test_it_takes_no_words() -> None:
    with pytest.raises(BadWords):
        parse(bot.params, ["force"])


@pytest.mark.parametrize("occupant", list(OCCUPANTS))
async def test_a_vpc_is_never_deleted_from_around_anything_in_it(aws: FakeAws, occupant: str) -> None:
    admin = aws.fresh_account()
    planted = _with(OCCUPANTS[occupant])(admin)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match=occupant):
            await one.check()


async def test_what_is_over_or_elsewhere_does_not_count(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted, busy = _vpc(admin), _vpc(admin)
    ec2, vpc_id = admin.client("ec2"), planted.entity["id"]
    for put_in in (_internet_gateway, _vpn_gateway, _peering):
        put_in(ec2, busy.entity["id"])
    ec2.create_egress_only_internet_gateway(VpcId=busy.entity["id"])
    _vpn_gateway(ec2, vpc_id)
    for gateway in ec2.describe_vpn_gateways()["VpnGateways"]:
        if any(each["VpcId"] == vpc_id for each in gateway["VpcAttachments"]):
            ec2.detach_vpn_gateway(VpnGatewayId=gateway["VpnGatewayId"], VpcId=vpc_id)
    _peering(ec2, vpc_id)
    for peering in ec2.describe_vpc_peering_connections()["VpcPeeringConnections"]:
        if peering["RequesterVpcInfo"]["VpcId"] == vpc_id:
            ec2.delete_vpc_peering_connection(VpcPeeringConnectionId=peering["VpcPeeringConnectionId"])
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert _observe(admin, planted) is None
    assert _observe(admin, busy) is not None


async def test_what_a_person_needs_to_make_it_again_is_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    ec2, vpc_id = admin.client("ec2"), planted.entity["id"]
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsSupport={"Value": False})
    admin.client("s3").create_bucket(Bucket=f"flows-{admin.account_id}")
    ec2.create_flow_logs(
        ResourceType="VPC", ResourceIds=[vpc_id], TrafficType="ALL", LogDestinationType="s3",
        LogDestination=f"arn:aws:s3:::flows-{admin.account_id}",
    )  # fmt: skip
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        after = await one.fix()
    assert isinstance(seen.before, Definition)
    record = seen.before.record
    assert record is not None
    assert record["vpc"]["CidrBlock"] == "10.7.0.0/16"
    assert record["vpc"]["Tags"] == [{"Key": "Name", "Value": "left over"}]
    assert (record["enableDnsSupport"], record["enableDnsHostnames"]) == (False, False)
    assert [group["GroupName"] for group in record["security groups"]] == ["default"]
    assert len(record["network ACLs"][0]["Entries"]) == 4
    assert record["route tables"][0]["Routes"][0]["DestinationCidrBlock"] == "10.7.0.0/16"
    assert record["flow logs"][0]["LogDestination"].startswith("arn:aws:s3:::flows-")
    assert "goes with the VPC" in seen.notes[0]
    assert after.before == Definition(record=None)
    assert Definition.model_validate_json(seen.before.model_dump_json()).model_dump(
        mode="json"
    ) == seen.before.model_dump(mode="json")


def test_long_lists_of_what_is_in_the_way_are_cut() -> None:
    many = [{"SubnetId": f"subnet-{number:08x}"} for number in range(12)]
    told = in_the_way({kind.name: many if kind.name == "subnets" else [] for kind in KINDS})
    assert told.endswith("subnet-00000004 and 7 more")


async def test_a_vpc_of_another_account_is_its_owners(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    monkeypatch.setattr(VPC, "owner_id", "222233334444")  # moto shares no VPCs
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="shared by account 222233334444"):
            await one.check()


@pytest.mark.parametrize(
    ("code", "raised", "says"),
    [
        ("DependencyViolation", CannotFix, "cannot see"),
        ("SomethingElse", AwsError, "SomethingElse"),
    ],
)
async def test_what_stands_in_the_way_of_the_delete_is_told_apart(
    aws: FakeAws, code: str, raised: type[Exception], says: str
) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "ec2:DeleteVpc", code)
        with pytest.raises(raised, match=says):
            await one.fix()
    assert _observe(admin, planted) is not None


async def test_a_vpc_deleted_by_somebody_else_meanwhile_is_right(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    async with alone(bot, aws, admin, planted) as one:
        before = (await one.check()).before
        admin.client("ec2").delete_vpc(VpcId=planted.entity["id"])
        assert isinstance(before, Definition)
        await bot.run_fix(one.account, one.target, NoParams(), before)
        assert (await one.check()).compliant
