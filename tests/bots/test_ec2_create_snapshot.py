"""Scenes of `bots.ec2_create_snapshot`, and what only this bot does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone, TryLater
from bots._snapshots import OCCURRENCE, SOURCE
from bots._words import BadWords, parse
from bots.ec2_create_snapshot import Snapshots, bot
from tests.bots.alone import Alone, alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _instance(admin: Admin) -> Planted:
    """An instance with two volumes, one of which somebody has taken a snapshot of; a third is detached."""
    ec2 = admin.client("ec2")
    found = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    instance = found["Instances"][0]["InstanceId"]
    data, spare = (ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"] for _ in range(2))
    ec2.attach_volume(VolumeId=data, InstanceId=instance, Device="/dev/sdf")
    ec2.create_snapshot(VolumeId=data, Description="by hand")
    return Planted(entity={"id": instance, "volumes": [{"volumeId": spare}]}, notes={"data": data})


def _volumes(admin: Admin, planted: Planted) -> list[str]:
    found = admin.client("ec2").describe_volumes(
        Filters=[{"Name": "attachment.instance-id", "Values": [planted.entity["id"]]}]
    )
    return sorted(each["VolumeId"] for each in found["Volumes"])


def _inside(admin: Admin) -> Any:
    return ec2_backends[admin.account_id]["us-east-1"]


def _observe(admin: Admin, _planted: Planted) -> Any:
    found = admin.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
    return sorted(
        (each["VolumeId"], each["SnapshotId"], each["Description"], str(each.get("Tags"))) for each in found
    )


def _taken(admin: Admin, planted: Planted) -> list[dict[str, Any]]:
    found = admin.client("ec2").describe_snapshots(
        Filters=[{"Name": f"tag:{SOURCE}", "Values": [planted.entity["id"]]}]
    )
    return sorted(found["Snapshots"], key=lambda each: each["VolumeId"])


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "i-0123456789abcdef0"})


def _at(one: Alone, **other: Any) -> Alone:
    return replace(one, target=replace(one.target, **other))


def scenes() -> list[Scene]:
    return [Scene(name="two volumes", plant=_instance, observe=_observe, missing=_missing)]


def test_it_takes_no_words() -> None:
    parse(bot.params, [])
    with pytest.raises(BadWords):
        parse(bot.params, ["all"])


async def test_each_attached_volume_gets_a_snapshot_that_says_whence_and_why(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        seen = await one.fix()
        taken = _taken(admin, planted)
        assert [each["VolumeId"] for each in taken] == _volumes(admin, planted)
        assert {each["Description"] for each in taken} == {f"Remediation of {planted.entity['id']}: a rule"}
        for each in taken:
            assert each["SnapshotId"] in seen.why
            assert {"Key": OCCURRENCE, "Value": "one-report-of-a-finding"} in each["Tags"]
        assert seen.before == Snapshots(made=tuple(sorted(each["SnapshotId"] for each in taken)))
        assert (await one.undo(was)).before == was == Snapshots(made=())
    assert _observe(admin, planted) == before


async def test_the_finding_that_comes_again_takes_no_others_for_a_day(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    later = datetime.now(UTC) + timedelta(days=1, minutes=1)
    async with alone(bot, aws, admin, planted) as one:
        await one.fix()
        again = _at(one, occurrence="the next report")
        seen = await again.check()
        assert seen.compliant
        assert seen.before == Snapshots(made=())
        # An undo of the later report leaves the earlier one's alone.
        await again.undo(seen.before)
        assert len(_taken(admin, planted)) == 2
        assert not (await _at(one, occurrence="of another rule", rule="another").check()).compliant
    async with alone(bot, aws, admin, planted, now=later) as one:
        assert (await one.check()).compliant  # its own
        assert not (await _at(one, occurrence="the next report").check()).compliant


async def test_a_failed_snapshot_is_taken_anew_and_goes_with_an_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        failed = _taken(admin, planted)[0]["SnapshotId"]
        _inside(admin).snapshots[failed].status = "error"
        assert "no fresh snapshot" in (await one.check()).why
        assert (await one.fix()).compliant
        assert len(_taken(admin, planted)) == 4
        await one.undo(was)
    assert _taken(admin, planted) == []


async def test_a_volume_attached_since_is_seen(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    async with alone(bot, aws, admin, planted) as one:
        await one.fix()
        spare = planted.entity["volumes"][0]["volumeId"]
        admin.client("ec2").attach_volume(VolumeId=spare, InstanceId=planted.entity["id"], Device="/dev/sdg")
        assert f"volume {spare}: no fresh snapshot" in (await one.check()).why


async def test_an_instance_on_instance_store_has_nothing_to_keep(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    _inside(admin).get_instance_by_id(planted.entity["id"]).block_device_mapping.clear()
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant
    assert "no EBS volumes" in seen.why


async def test_a_terminated_instance_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    admin.client("ec2").terminate_instances(InstanceIds=[planted.entity["id"]])
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(TargetGone, match="no volumes any more"):
            await one.check()


@pytest.mark.parametrize("rule", ["r" * 300, "line\nbreak\tand \u2028 more", ""])
async def test_every_rule_name_makes_a_description_aws_takes(aws: FakeAws, rule: str) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    async with alone(bot, aws, admin, planted) as one:
        assert (await _at(one, rule=rule).fix()).compliant
    for each in _taken(admin, planted):
        assert len(each["Description"]) <= 255
        assert each["Description"].isprintable()


async def test_a_quota_of_the_moment_is_waited_for_and_one_of_the_account_is_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    async with alone(bot, aws, admin, planted) as one:
        _inside(admin).snapshots_are_refused_with = "ConcurrentSnapshotLimitExceeded"
        with pytest.raises(TryLater, match="no more snapshots"):
            await one.fix()
        _inside(admin).snapshots_are_refused_with = "SnapshotLimitExceeded"
        with pytest.raises(AwsError, match="SnapshotLimitExceeded"):
            await one.fix()
    assert _taken(admin, planted) == []


async def test_a_snapshot_that_an_image_needs_is_not_deleted(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        _inside(admin).snapshots[_taken(admin, planted)[0]["SnapshotId"]].from_ami = "ami-0123456789abcdef0"
        with pytest.raises(CannotFix, match="an image was registered"):
            await one.undo(was)
