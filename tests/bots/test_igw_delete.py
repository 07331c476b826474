"""Scenes of `bots.igw_delete`, and what only this bot does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from moto.ec2.models import ec2_backends
from moto.ec2.models.instances import Instance

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone, TryLater
from bots._internet import Internet
from bots._words import BadWords, parse
from bots.igw_delete import bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

ANYWHERE = "0.0.0.0/0"


def _gateway(admin: Admin) -> Planted:
    """A VPC whose main route table leads everything to its gateway."""
    ec2 = admin.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    tags = [{"ResourceType": "internet-gateway", "Tags": [{"Key": "Name", "Value": "way out"}]}]
    gateway = ec2.create_internet_gateway(TagSpecifications=tags)["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    table = ec2.create_route_table(VpcId=vpc_id)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, GatewayId=gateway)
    subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    entity = {"id": vpc_id, "type": "VPC", "internetGateways": [{"externalId": gateway}]}
    return Planted(entity=entity, notes={"gateway": gateway, "subnet": subnet, "table": table})


def _instance(admin: Admin, planted: Planted, *, public: bool = True, elastic: bool = False) -> str:
    ec2 = admin.client("ec2")
    interface = {"DeviceIndex": 0, "SubnetId": planted.notes["subnet"], "AssociatePublicIpAddress": public}
    (found,) = ec2.run_instances(
        ImageId="ami-12c6146b", MinCount=1, MaxCount=1, NetworkInterfaces=[interface]
    )["Instances"]
    if elastic:
        ec2.associate_address(
            AllocationId=ec2.allocate_address(Domain="vpc")["AllocationId"],
            NetworkInterfaceId=found["NetworkInterfaces"][0]["NetworkInterfaceId"],
        )
    return str(found["InstanceId"])


def _in_use(admin: Admin) -> Planted:
    """An instance with an address of its own, one with an Elastic IP, and ingress routing."""
    planted, ec2 = _gateway(admin), admin.client("ec2")
    web, mail = _instance(admin, planted), _instance(admin, planted, public=False, elastic=True)
    edge = ec2.create_route_table(VpcId=planted.entity["id"])["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=edge, GatewayId=planted.notes["gateway"])
    planted.notes.update(web=web, mail=mail)
    return planted


def _inside(admin: Admin, instance: str) -> Any:
    """moto's own instance, for states that moto never shows by itself."""
    return ec2_backends[admin.account_id]["us-east-1"].get_instance_by_id(instance)


def _with_nat(admin: Admin) -> Planted:
    planted = _in_use(admin)
    ec2 = admin.client("ec2")
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.create_nat_gateway(SubnetId=planted.notes["subnet"], AllocationId=allocation)
    return planted


def _protected(admin: Admin) -> Planted:
    planted = _in_use(admin)
    admin.client("ec2").modify_instance_attribute(
        InstanceId=planted.notes["mail"], DisableApiStop={"Value": True}
    )
    return planted


def _on_instance_store(admin: Admin) -> Planted:
    planted = _in_use(admin)
    _inside(admin, planted.notes["web"]).root_device_type = "instance-store"
    return planted


def _observe(admin: Admin, planted: Planted) -> Any:
    ec2, vpc_id = admin.client("ec2"), planted.entity["id"]
    mine = [{"Name": "vpc-id", "Values": [vpc_id]}]
    gateways = ec2.describe_internet_gateways()["InternetGateways"]
    instances = [
        each for group in ec2.describe_instances(Filters=mine)["Reservations"] for each in group["Instances"]
    ]
    return {
        "gateways": [each for each in gateways if each["InternetGatewayId"] in _ids(planted, gateways)],
        "tables": ec2.describe_route_tables(Filters=mine)["RouteTables"],
        "instances": {each["InstanceId"]: each["State"]["Name"] for each in instances},
        "addresses": [
            (each["AllocationId"], each.get("NetworkInterfaceId"))
            for each in ec2.describe_addresses()["Addresses"]
        ],
    }


def _ids(planted: Planted, gateways: list[dict[str, Any]]) -> set[str]:
    """Gateways of the scene: the one planted, and whatever is attached to the VPC or to none."""
    vpc_id = planted.entity["id"]
    return {
        each["InternetGatewayId"]
        for each in gateways
        if not each["Attachments"] or each["Attachments"][0]["VpcId"] == vpc_id
    }


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "vpc-0123456789abcdef0", "type": "VPC"})


def scenes() -> list[Scene]:
    def blocked(name: str, plant: Any, refusal: str) -> Scene:
        return Scene(name=name, plant=plant, observe=_observe, refusal=refusal)

    return [
        Scene(name="in use", plant=_in_use, observe=_observe, missing=_missing),
        blocked("with a NAT gateway", _with_nat, "public addresses that are no instance's: eni-"),
        blocked("protected instance", _protected, "stop protection of i-"),
        blocked("instance store", _on_instance_store, "boot from instance store"),
    ]


def test_it_takes_no_words() -> None:
    with pytest.raises(BadWords):
        parse(bot.params, ["force"])


async def test_only_instances_with_a_public_address_are_stopped(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _in_use(admin)
    inner = _instance(admin, planted, public=False)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        after = await one.fix()
    stopped = {planted.notes["web"], planted.notes["mail"]}
    assert {each for _, each in seen.touches} == stopped
    assert "1 Elastic IPs stay" in seen.notes[0]
    assert after.compliant
    assert after.notes == ()
    now = _observe(admin, planted)
    assert now["gateways"] == []
    assert now["instances"] == {**dict.fromkeys(stopped, "stopped"), inner: "running"}
    ((_, interface),) = now["addresses"]
    assert not interface
    assert [each for table in now["tables"] for each in table["Associations"] if each.get("GatewayId")] == []


async def test_a_gateway_nobody_uses_just_goes_and_comes_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _gateway(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        assert (await one.fix()).compliant
        assert (await one.undo(was)).before == was
    (gateway,) = _observe(admin, planted)["gateways"]
    assert gateway["InternetGatewayId"] != planted.notes["gateway"]
    assert gateway["Tags"] == [{"Key": "Name", "Value": "way out"}]


async def test_an_undo_brings_back_routes_addresses_and_running_instances(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _in_use(admin)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        after = await one.undo(was)
    assert after.before == was
    now = _observe(admin, planted)
    assert now["instances"] == before["instances"]
    assert now["addresses"] == before["addresses"]
    (gateway,) = [each["InternetGatewayId"] for each in now["gateways"]]
    routes = [route for table in now["tables"] for route in table["Routes"]]
    assert [each["GatewayId"] for each in routes if each["DestinationCidrBlock"] == ANYWHERE] == [gateway]


async def test_the_tags_of_a_stack_are_not_given_to_the_new_gateway(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _gateway(admin)
    gateways = ec2_backends[admin.account_id]["us-east-1"].internet_gateways
    gateways[planted.notes["gateway"]].add_tags({"aws:cloudformation:stack-name": "shop"})
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        assert (await one.undo(was)).before == was


async def test_the_finding_of_another_gateway_is_stale_and_does_not_matter(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _gateway(admin)
    planted.entity["internetGateways"] = [{"externalId": "igw-0123456789abcdef0"}]
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant


async def test_instances_that_stop_slowly_are_waited_for_before_anything_else_goes(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = aws.fresh_account()
    planted = _in_use(admin)
    really = Instance.stop

    def slowly(instance: Any) -> Any:
        was = copy.copy(instance._state)
        instance._state.name, instance._state.code = "stopping", 64
        return was

    monkeypatch.setattr(Instance, "stop", slowly)
    async with alone(bot, aws, admin, planted) as one:
        for _ in range(2):
            with pytest.raises(TryLater, match="have not stopped yet"):
                await one.fix()
        assert len(_observe(admin, planted)["gateways"]) == 1
        for name in ("web", "mail"):
            really(_inside(admin, planted.notes[name]))
        assert (await one.fix()).compliant
    stops = [call for call in aws.calls(admin.account_id) if call.name == "ec2:StopInstances"]
    assert [call.error for call in stops] == ["DryRunOperation", None]


async def test_an_instance_that_is_just_starting_is_waited_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _gateway(admin)
    web = _instance(admin, planted)
    _inside(admin, web)._state.name = "pending"
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TryLater, match=web):
            await one.fix()


async def test_addresses_that_aws_is_slow_to_take_back_are_waited_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _gateway(admin)
    async with alone(bot, aws, admin, planted) as one:
        # The first call is the question whether AWS would allow it.
        aws.fail(admin.account_id, "ec2:DetachInternetGateway", "DependencyViolation", times=2)
        with pytest.raises(TryLater, match="still taking back public addresses"):
            await one.fix()
        assert (await one.fix()).compliant


async def test_a_spot_instance_that_cannot_be_stopped_keeps_all_running(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _in_use(admin)
    _inside(admin, planted.notes["web"]).lifecycle = "spot"
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="Spot instances are only terminated"):
            await one.fix()
    assert set(_observe(admin, planted)["instances"].values()) == {"running"}


async def test_a_default_vpc_and_a_fleet_are_pointed_out(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _gateway(admin)
    _inside(admin, _instance(admin, planted)).add_tags({"aws:autoscaling:groupName": "web-fleet"})
    ec2_backends[admin.account_id]["us-east-1"].vpcs[planted.entity["id"]].is_default = True
    async with alone(bot, aws, admin, planted) as one:
        notes = "\n".join((await one.check()).notes)
    assert "default VPC" in notes
    assert "web-fleet will terminate" in notes


async def test_many_protected_instances_are_not_all_named(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _gateway(admin)
    for instance in [_instance(admin, planted) for _ in range(6)]:
        _inside(admin, instance).disable_api_stop = True
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="and 1 more is on"):
            await one.check()


async def test_an_undo_waits_for_instances_that_are_still_stopping(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _in_use(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        _inside(admin, planted.notes["web"])._state.name = "stopping"
        with pytest.raises(TryLater, match=planted.notes["web"]):
            await one.undo(was)
    assert _observe(admin, planted)["gateways"] == []


async def test_an_undo_passes_over_what_is_gone_since(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _in_use(admin)
    ec2 = admin.client("ec2")
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        ec2.terminate_instances(InstanceIds=[planted.notes["web"]])
        ec2.delete_route(RouteTableId=planted.notes["table"], DestinationCidrBlock=ANYWHERE)
        aws.fail(admin.account_id, "ec2:AssociateAddress", "InvalidAllocationID.NotFound", times=2)
        after = (await one.undo(was)).before
    assert isinstance(after, Internet)
    assert after.connected
    assert (after.routes, after.addresses, after.running) == ((), (), ())
    assert _observe(admin, planted)["instances"][planted.notes["mail"]] == "running"


async def test_an_undo_that_broke_off_goes_on_with_the_gateway_it_had_made(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _in_use(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        aws.fail(admin.account_id, "ec2:StartInstances", "DryRunOperation")
        aws.fail(admin.account_id, "ec2:StartInstances", "SomethingElse")
        with pytest.raises(AwsError, match="SomethingElse"):
            await one.undo(was)
        assert (await one.undo(was)).before == was
    assert len(_observe(admin, planted)["gateways"]) == 1


async def test_a_vpc_that_does_not_exist_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _missing(admin)) as one:
        with pytest.raises(TargetGone, match="vpc-0123456789abcdef0 does not exist in us-east-1"):
            await one.check()
