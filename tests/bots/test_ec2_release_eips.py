"""Scenes of `bots.ec2_release_eips`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from bots._addresses import LEAVING, Address
from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone
from bots._words import BadWords, parse
from bots.ec2_release_eips import Addresses, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _instance(admin: Admin, *, public: bool = False) -> Planted:
    """An instance in a VPC with a way out, and a second interface on it."""
    ec2 = admin.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc_id)
    subnet = ec2.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    first = {"DeviceIndex": 0, "SubnetId": subnet, "AssociatePublicIpAddress": public}
    (made,) = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, NetworkInterfaces=[first])[
        "Instances"
    ]
    second = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(NetworkInterfaceId=second, InstanceId=made["InstanceId"], DeviceIndex=1)
    interfaces = [made["NetworkInterfaces"][0]["NetworkInterfaceId"], second]
    return Planted(entity={"id": made["InstanceId"]}, notes={"interfaces": interfaces, "subnet": subnet})


def _elastic(admin: Admin, interface: str | None, **tags: str) -> str:
    ec2 = admin.client("ec2")
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
    tagged = [{"ResourceType": "elastic-ip", "Tags": pairs}] if pairs else []
    made = ec2.allocate_address(Domain="vpc", TagSpecifications=tagged)
    if interface:
        ec2.associate_address(AllocationId=made["AllocationId"], NetworkInterfaceId=interface)
    return str(made["PublicIp"])


def _with_two(admin: Admin) -> Planted:
    planted = _instance(admin)
    one, two = planted.notes["interfaces"]
    _elastic(admin, one, Name="web")
    _elastic(admin, two)
    _elastic(admin, None, Name="spare")
    return planted


def _inside(admin: Admin, public: str) -> Any:
    """moto's own address, for what moto has no call for."""
    (found,) = ec2_backends[admin.account_id]["us-east-1"].address_by_ip([public])
    return found


def _kept_by(**attributes: str) -> Any:
    def plant(admin: Admin) -> Planted:
        planted = _instance(admin)
        inside = _inside(admin, _elastic(admin, planted.notes["interfaces"][0]))
        for name, value in attributes.items():
            setattr(inside, name, value)
        return planted

    return plant


def _observe(admin: Admin, _planted: Planted) -> Any:
    return sorted(
        (each["PublicIp"], each.get("NetworkInterfaceId"), each.get("PrivateIpAddress"), each.get("Tags"))
        for each in admin.client("ec2").describe_addresses()["Addresses"]
    )


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "i-0123456789abcdef0"})


def scenes() -> list[Scene]:
    return [
        Scene(name="on two interfaces", plant=_with_two, observe=_observe, missing=_missing),
        Scene(
            name="reverse DNS",
            plant=_kept_by(ptr_record="mail.example.com."),
            observe=_observe,
            refusal="mail.example.com.",
        ),
        Scene(
            name="managed",
            plant=_kept_by(service_managed="alb"),
            observe=_observe,
            refusal="managed by alb",
        ),
    ]


def test_it_takes_no_words() -> None:
    parse(bot.params, [])
    with pytest.raises(BadWords):
        parse(bot.params, ["all"])


async def test_the_same_addresses_come_back_with_their_tags(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _with_two(admin)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert len(seen.touches) == 2
        after = await one.fix()
        assert after.before == Addresses(addresses=())
        assert [each[3] for each in _observe(admin, planted)] == [[{"Key": "Name", "Value": "spare"}]]
        assert (await one.undo(seen.before)).before == seen.before
    assert _observe(admin, planted) == before


async def test_an_instance_without_elastic_ips_is_right_but_its_own_address_is_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin, public=True)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant
    assert "still has the public address" in seen.notes[0]


async def test_a_terminated_instance_has_none_and_an_unknown_one_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    admin.client("ec2").terminate_instances(InstanceIds=[planted.entity["id"]])
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).compliant
    async with alone(bot, aws, admin, _missing(admin)) as one:
        with pytest.raises(TargetGone):
            await one.check()


async def test_an_address_that_left_but_was_not_given_back_is_found_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    public = _elastic(admin, planted.notes["interfaces"][0])
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        _elastic(admin, None, **{LEAVING: "i-0123456789abcdef0"})
        # As a worker leaves it that dies between its calls.
        allocation = _inside(admin, public).allocation_id
        mark = [{"Key": LEAVING, "Value": planted.entity["id"]}]
        admin.client("ec2").create_tags(Resources=[allocation], Tags=mark)
        admin.client("ec2").disassociate_address(AssociationId=_inside(admin, public).association_id)
        seen = await one.check()
        assert not seen.compliant
        assert public in seen.why
        assert (await one.fix()).compliant
        assert public not in [each[0] for each in _observe(admin, planted)]
        assert (await one.undo(was)).before == was


async def test_a_leaving_address_that_somebody_gave_to_another_instance_stays_there(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted, other = _instance(admin), _instance(admin)
    _elastic(admin, other.notes["interfaces"][0], **{LEAVING: planted.entity["id"]})
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).compliant


async def test_an_address_that_aws_keeps_is_told_and_can_be_put_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    public = _elastic(admin, planted.notes["interfaces"][0])
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        _inside(admin, public).ptr_record = "mail.example.com."
        with pytest.raises(CannotFix, match=f"{public} is off"):
            await one.bot.run_fix(one.account, one.target, one.params, was)
        _inside(admin, public).ptr_record = None
        assert (await one.undo(was)).before == was
    # It does not count as leaving any more.
    assert _observe(admin, planted)[0][3] == [{"Key": LEAVING, "Value": ""}]


async def test_an_address_that_another_account_got_is_not_replaced_by_a_strange_one(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    public = _elastic(admin, planted.notes["interfaces"][0])
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        aws.fresh_account().client("ec2").allocate_address(Domain="vpc", Address=public)
        with pytest.raises(CannotFix, match=f"does not give {public} back"):
            await one.undo(was)
    assert _observe(admin, planted) == []


async def test_an_address_somebody_uses_elsewhere_since_is_not_taken_from_there(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted, other = _instance(admin), _instance(admin)
    public = _elastic(admin, planted.notes["interfaces"][0])
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        ec2 = admin.client("ec2")
        again = ec2.allocate_address(Domain="vpc", Address=public)["AllocationId"]
        ec2.associate_address(AllocationId=again, NetworkInterfaceId=other.notes["interfaces"][0])
        with pytest.raises(AwsError, match=r"Resource\.AlreadyAssociated"):
            await one.undo(was)


async def test_pool_and_border_group_are_asked_for_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    inside = _inside(admin, _elastic(admin, planted.notes["interfaces"][0]))
    inside.public_ipv4_pool = "ipv4pool-ec2-012345abcdef01234"
    inside.network_border_group = "us-east-1-wl1-bos-wlz-1"
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        await one.undo(was)
    asked = {
        call.operation: call.params for call in aws.calls(admin.account_id) if "DryRun" not in call.params
    }
    assert asked["ReleaseAddress"]["NetworkBorderGroup"] == "us-east-1-wl1-bos-wlz-1"
    assert asked["AllocateAddress"]["NetworkBorderGroup"] == "us-east-1-wl1-bos-wlz-1"
    assert asked["AllocateAddress"]["PublicIpv4Pool"] == "ipv4pool-ec2-012345abcdef01234"
    (kept,) = Addresses.model_validate(was.model_dump()).addresses
    assert isinstance(kept, Address)
    assert kept.pool.startswith("ipv4pool")
