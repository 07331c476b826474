"""Scenes of `bots.ec2_stop_instance`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone
from bots._words import BadWords, parse
from bots.ec2_stop_instance import Power, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _instance(admin: Admin, **made: Any) -> Planted:
    found = admin.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, **made)
    return Planted(entity={"id": found["Instances"][0]["InstanceId"], "name": "", "type": "Instance"})


def _inside(admin: Admin, planted: Planted) -> Any:
    """moto's own instance, for states that moto never shows by itself."""
    return ec2_backends[admin.account_id]["us-east-1"].get_instance_by_id(planted.entity["id"])


def _protected(admin: Admin) -> Planted:
    planted = _instance(admin)
    _protect(admin, planted)
    return planted


def _protect(admin: Admin, planted: Planted) -> None:
    ec2 = admin.client("ec2")
    ec2.modify_instance_attribute(InstanceId=planted.entity["id"], DisableApiStop={"Value": True})


def _on_instance_store(admin: Admin) -> Planted:
    planted = _instance(admin)
    _inside(admin, planted).root_device_type = "instance-store"
    return planted


def _spot(admin: Admin, *, persistent: bool = False) -> Planted:
    planted = _instance(admin, InstanceMarketOptions={"MarketType": "spot"})
    _inside(admin, planted).spot_is_persistent = persistent
    return planted


def _observe(admin: Admin, planted: Planted) -> Any:
    ec2, named = admin.client("ec2"), planted.entity["id"]
    found = ec2.describe_instances(InstanceIds=[named])["Reservations"][0]["Instances"][0]
    protection = ec2.describe_instance_attribute(InstanceId=named, Attribute="disableApiStop")
    return {
        "state": found["State"]["Name"],
        "type": found["InstanceType"],
        "address": found["PrivateIpAddress"],
        "groups": found["SecurityGroups"],
        "volumes": [each["Ebs"]["VolumeId"] for each in found["BlockDeviceMappings"]],
        "tags": found.get("Tags", []),
        "protection": protection["DisableApiStop"]["Value"],
    }


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "i-0123456789abcdef0", "type": "Instance"})


def scenes() -> list[Scene]:
    return [
        Scene(name="running", plant=_instance, observe=_observe, missing=_missing),
        Scene(
            name="running on persistent Spot",
            plant=lambda admin: _spot(admin, persistent=True),
            observe=_observe,
        ),
        Scene(name="protected", plant=_protected, observe=_observe, refusal="stop protection"),
        Scene(name="on instance store", plant=_on_instance_store, observe=_observe, refusal="instance store"),
    ]


def test_it_takes_no_words() -> None:
    parse(bot.params, [])
    with pytest.raises(BadWords):
        parse(bot.params, ["force"])


async def test_a_stopped_instance_keeps_everything_but_its_power(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        after = await one.fix()
    assert after.compliant
    assert _observe(admin, planted) == {**before, "state": "stopped"}


@pytest.mark.parametrize(
    ("state", "compliant", "saved"),
    [
        ("pending", False, "running"),
        ("running", False, "running"),
        ("stopping", True, "stopped"),
        ("stopped", True, "stopped"),
        ("shutting-down", True, "terminated"),
        ("terminated", True, "terminated"),
    ],
)
async def test_every_state_is_told_as_it_is(aws: FakeAws, state: str, compliant: bool, saved: str) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    _inside(admin, planted)._state.name = state
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant is compliant
    assert isinstance(seen.before, Power)
    assert seen.before.state == saved
    assert f"{planted.entity['id']} is {state}" in seen.why


async def test_a_terminated_instance_is_right_although_it_was_protected(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _protected(admin)
    _inside(admin, planted)._state.name = "terminated"
    async with alone(bot, aws, admin, planted) as one:
        assert "nothing to stop" in (await one.check()).why


async def test_an_instance_that_still_starts_is_not_called_stopped(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    _inside(admin, planted)._state.name = "pending"
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(AwsError, match="IncorrectInstanceState"):
            await one.fix()
    assert _observe(admin, planted)["state"] == "pending"


async def test_spot_instances_of_a_one_time_request_are_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _spot(admin)
    async with alone(bot, aws, admin, planted) as one:
        assert any("Spot" in note for note in (await one.check()).notes)
        with pytest.raises(CannotFix, match="one-time"):
            await one.fix()
    assert _observe(admin, planted)["state"] == "running"


async def test_an_id_that_names_no_instance_is_gone_and_says_so(aws: FakeAws) -> None:
    async with alone(bot, aws, aws.fresh_account(), Planted(entity={"id": "i-0123456789abcdef0"})) as one:
        with pytest.raises(TargetGone, match=r"i-0123456789abcdef0 does not exist in us-east-1"):
            await one.check()


async def test_what_a_stop_sets_off_is_told_beforehand(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    instance = _inside(admin, planted)
    instance.add_tags({"aws:autoscaling:groupName": "web-fleet", "eks:nodegroup-name": "blue"})
    found = admin.client("ec2").describe_instances(InstanceIds=[planted.entity["id"]])
    address = found["Reservations"][0]["Instances"][0]["PublicIpAddress"]
    async with alone(bot, aws, admin, planted) as one:
        notes = "\n".join((await one.check()).notes)
        assert "Auto Scaling group web-fleet" in notes
        assert "Kubernetes" in notes
        assert address in notes
        assert (await one.fix()).notes == ()


async def test_an_undo_starts_the_instance_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        assert (await one.undo(was)).before == bot.expected_after_undo(Power(state="running")) == was
    assert _observe(admin, planted)["state"] == "running"


async def test_an_instance_protected_since_is_not_started_by_an_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        _protect(admin, planted)
        with pytest.raises(CannotFix, match="by hand"):
            await one.undo(was)
    assert _observe(admin, planted)["state"] == "stopped"
