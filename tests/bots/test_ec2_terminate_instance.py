"""Scenes of `bots.ec2_terminate_instance`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from bots._aws import AwsError
from bots._bot import CannotFix
from bots._words import BadWords, parse
from bots.ec2_terminate_instance import Description, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _instance(admin: Admin, **made: Any) -> Planted:
    found = admin.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, **made)
    return Planted(entity={"id": found["Instances"][0]["InstanceId"], "type": "Instance"})


def _protected(admin: Admin) -> Planted:
    planted = _instance(admin)
    _protect(admin, planted)
    return planted


def _protect(admin: Admin, planted: Planted) -> None:
    admin.client("ec2").modify_instance_attribute(
        InstanceId=planted.entity["id"], DisableApiTermination={"Value": True}
    )


def _inside(admin: Admin, planted: Planted) -> Any:
    return ec2_backends[admin.account_id]["us-east-1"].get_instance_by_id(planted.entity["id"])


def _observe(admin: Admin, planted: Planted) -> Any:
    ec2, named = admin.client("ec2"), planted.entity["id"]
    found = ec2.describe_instances(InstanceIds=[named])["Reservations"][0]["Instances"][0]
    protection = ec2.describe_instance_attribute(InstanceId=named, Attribute="disableApiTermination")
    return {
        "state": found["State"]["Name"],
        "volumes": sorted(volume["VolumeId"] for volume in ec2.describe_volumes()["Volumes"]),
        "tags": found.get("Tags", []),
        "protection": protection["DisableApiTermination"]["Value"],
    }


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "i-0123456789abcdef0", "type": "Instance"})


def scenes() -> list[Scene]:
    return [
        Scene(name="running", plant=_instance, observe=_observe, missing=_missing, when_missing="compliant"),
        Scene(name="protected", plant=_protected, observe=_observe, refusal="termination protection"),
    ]


def test_it_takes_no_words() -> None:
    parse(bot.params, [])
    with pytest.raises(BadWords):
        parse(bot.params, ["force"])


async def test_what_it_was_is_kept_as_json(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}]
    planted = _instance(admin, InstanceType="t3.micro", TagSpecifications=tags)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert (await one.fix()).before == Description(record=None)
    kept = json.loads(json.dumps(seen.before.model_dump()))["record"]
    assert kept["InstanceType"] == "t3.micro"
    assert kept["Tags"] == [{"Key": "Name", "Value": "web"}]
    assert kept["BlockDeviceMappings"][0]["Ebs"]["VolumeId"].startswith("vol-")
    assert kept["NetworkInterfaces"][0]["PrivateIpAddress"]
    assert kept["LaunchTime"].startswith("20")
    assert "State" not in kept


@pytest.mark.parametrize("state", ["stopped", "stopping", "pending"])
async def test_an_instance_that_does_not_run_is_terminated_too(aws: FakeAws, state: str) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    _inside(admin, planted)._state.name = state
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert _observe(admin, planted)["state"] == "terminated"


@pytest.mark.parametrize("state", ["shutting-down", "terminated"])
async def test_an_instance_that_is_going_is_right_although_it_was_protected(aws: FakeAws, state: str) -> None:
    admin = aws.fresh_account()
    planted = _protected(admin)
    _inside(admin, planted)._state.name = state
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.why.endswith(f"is {state}")


async def test_what_goes_what_stays_and_who_reacts_is_told_beforehand(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    ec2 = admin.client("ec2")
    planted = _instance(admin, InstanceMarketOptions={"MarketType": "spot"})
    named = planted.entity["id"]
    _inside(admin, planted).add_tags({"aws:autoscaling:groupName": "web-fleet"})
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    ec2.attach_volume(VolumeId=volume, InstanceId=named, Device="/dev/sdf")
    address = ec2.allocate_address(Domain="vpc")
    ec2.associate_address(AllocationId=address["AllocationId"], InstanceId=named)
    mapped = ec2.describe_instances(InstanceIds=[named])["Reservations"][0]["Instances"][0]
    root = mapped["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.notes == (
        "Auto Scaling group web-fleet will start another instance in its place",
        "a Spot instance: a persistent request starts another",
        f"volume {root} is deleted with it",
        f"volume {volume} stays and costs as before",
        f"Elastic IP {address['PublicIp']} stays and costs as before",
    )
    assert seen.touches == (("AWS::EC2::Volume", root),)


async def test_protection_that_comes_in_between_is_never_lifted(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        _protect(admin, planted)
        with pytest.raises(CannotFix, match="does not let"):
            await one.bot.run_fix(one.account, one.target, one.params, seen.before)
    assert _observe(admin, planted)["state"] == "running"
    assert _observe(admin, planted)["protection"]


async def test_an_instance_that_goes_in_between_is_as_wanted(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _missing(admin)) as one:
        seen = await one.check()
        await one.bot.run_fix(one.account, one.target, one.params, seen.before)


async def test_what_is_no_instance_is_denied_by_aws(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, Planted(entity={"id": "web"})) as one:
        with pytest.raises(AwsError, match="UnauthorizedOperation"):
            await one.bot.run_fix(one.account, one.target, one.params, Description(record=None))
