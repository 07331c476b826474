"""Scenes of `bots.config_enable`, and what only this bot does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from moto.config.models import config_backends

from bots._aws import AwsError
from bots._bot import TryLater
from bots._words import BadWords, parse
from bots.config_enable import Wish, bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

HERE, ELSEWHERE = "us-east-1", "eu-west-1"
SERVICE = "config.amazonaws.com"
SERVICE_ROLE = f"aws-service-role/{SERVICE}/AWSServiceRoleForConfig"
ONLY_BUCKETS = {
    "allSupported": False,
    "resourceTypes": ["AWS::S3::Bucket"],
    "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"},
}


def _default(admin: Admin) -> str:
    return f"{admin.account_id}awsconfiglogs"


def _let_in(admin: Admin, bucket: str) -> str:
    buckets.make(admin, bucket)
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": ["s3:GetBucketAcl", "s3:PutObject"],
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    buckets.set_policy(admin, bucket, statement)
    return bucket


def _role(admin: Admin, name: str = "recorder") -> str:
    admin.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    return f"arn:aws:iam::{admin.account_id}:role/{name}"


def _recorder(admin: Admin, role: str, group: dict[str, Any] | None = None) -> None:
    admin.client("config").put_configuration_recorder(
        ConfigurationRecorder={
            "name": "ours",
            "roleARN": role,
            "recordingGroup": group or {"allSupported": True, "includeGlobalResourceTypes": False},
        }
    )


def _channel(admin: Admin, bucket: str) -> None:
    admin.client("config").put_delivery_channel(
        DeliveryChannel={"name": "theirs", "s3BucketName": bucket, "s3KeyPrefix": "audit"}
    )


def _running(admin: Admin, bucket: str, role: str = "") -> None:
    _recorder(admin, role or _role(admin))
    _channel(admin, bucket)
    admin.client("config").start_configuration_recorder(ConfigurationRecorderName="ours")


def _inside(admin: Admin) -> Any:
    return config_backends[admin.account_id][HERE]


def _region(admin: Admin, *words: str, bucket: str = "") -> Planted:
    return Planted(
        entity={"id": HERE, "type": "Region"}, words=words, notes={"bucket": bucket or _default(admin)}
    )


def _narrow_without_channel(admin: Admin) -> Planted:
    bucket = buckets.make_shared(admin, f"shared-{admin.account_id}")
    _recorder(admin, _role(admin), ONLY_BUCKETS)
    return _region(admin, bucket, bucket=bucket)


def _failing(admin: Admin) -> Planted:
    _running(admin, _let_in(admin, _default(admin)))
    _inside(admin).recorders["ours"].status.last_status = "FAILURE"
    return _region(admin)


def _name_taken(admin: Admin) -> Planted:
    buckets.make(Admin("333344445555", admin.endpoint), _default(admin))
    return _region(admin)


def _observe(admin: Admin, planted: Planted) -> Any:
    config = admin.client("config")
    statuses = config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"]
    return {
        "recorders": config.describe_configuration_recorders()["ConfigurationRecorders"],
        "recording": [status["recording"] for status in statuses],
        "channels": config.describe_delivery_channels()["DeliveryChannels"],
        "bucket": buckets.seen(planted.notes["bucket"]),
    }


def scenes() -> list[Scene]:
    def blocked(name: str, refusal: str, plant: Callable[[Admin], Planted]) -> Scene:
        return Scene(name=name, plant=plant, observe=_observe, refusal=refusal)

    return [
        Scene(name="narrow, without channel", plant=_narrow_without_channel, observe=_observe),
        Scene(name="nothing there", plant=_region, observe=_observe, region="us_east_1"),
        blocked("set up but failing", "Config is set up but fails", _failing),
        blocked("bucket name taken", "is taken by another account", _name_taken),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_everything_is_made_once_and_each_region_shares_role_and_bucket(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    for region in (HERE, ELSEWHERE):
        async with alone(bot, aws, admin, _region(admin), region=region) as there:
            assert (await there.fix()).compliant
        config = admin.client("config", region)
        (recorder,) = config.describe_configuration_recorders()["ConfigurationRecorders"]
        assert recorder["roleARN"] == f"arn:aws:iam::{admin.account_id}:role/{SERVICE_ROLE}"
        group = recorder["recordingGroup"]
        assert (group["allSupported"], group["includeGlobalResourceTypes"]) == (True, region == HERE)
        (channel,) = config.describe_delivery_channels()["DeliveryChannels"]
        assert (channel["name"], channel["s3BucketName"]) == ("default", _default(admin))
    bucket = buckets.seen(_default(admin))
    assert set(bucket["closed to the public"].values()) == {True}
    assert [each["Sid"] for each in bucket["policy"]] == [
        f"ConfigBucketCheck{admin.account_id}",
        f"ConfigDelivery{admin.account_id}",
    ]
    mine = {"aws:SourceAccount": admin.account_id, "s3:x-amz-acl": "bucket-owner-full-control"}
    assert bucket["policy"][1]["Condition"] == {"StringEquals": mine}


@pytest.mark.usefixtures("hub_environment")
async def test_the_finding_names_the_bucket_its_region_and_the_region_of_global_types(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _region(admin, f"logs-{admin.account_id}", "us_west_1", "us-west-1")
    async with alone(bot, aws, admin, planted) as there:
        assert (await there.fix()).compliant
    assert buckets.seen(f"logs-{admin.account_id}")["region"] == "us-west-1"
    (recorder,) = admin.client("config").describe_configuration_recorders()["ConfigurationRecorders"]
    assert recorder["recordingGroup"]["includeGlobalResourceTypes"] is False


@pytest.mark.usefixtures("hub_environment")
async def test_a_recorder_that_only_stands_still_is_only_started(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    _running(admin, _let_in(admin, f"theirs-{admin.account_id}"))
    admin.client("config").stop_configuration_recorder(ConfigurationRecorderName="ours")
    async with alone(bot, aws, admin, _region(admin)) as there:
        assert (await there.fix()).compliant
    writes = [call.operation for call in aws.calls(admin.account_id) if call.is_write]
    assert writes == ["StartConfigurationRecorder"]
    assert buckets.seen(_default(admin)) is None


@pytest.mark.usefixtures("hub_environment")
async def test_a_channel_into_the_central_bucket_of_another_account_is_left_alone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    central = _let_in(Admin("444455556666", admin.endpoint), f"central-{admin.account_id}")
    _running(admin, central)
    async with alone(bot, aws, admin, _region(admin)) as there:
        assert (await there.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_and_a_role_that_are_gone_are_replaced(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    bucket = _let_in(admin, f"theirs-{admin.account_id}")
    _running(admin, bucket)
    admin.client("iam").delete_role(RoleName="recorder")
    admin.client("s3").delete_bucket(Bucket=bucket)
    async with alone(bot, aws, admin, _region(admin)) as there:
        why = (await there.check()).why
        assert "role is gone, the channel's bucket is gone" in why
        assert (await there.fix()).compliant
    (recorder,) = admin.client("config").describe_configuration_recorders()["ConfigurationRecorders"]
    assert (recorder["name"], recorder["roleARN"].rsplit(":role/")[-1]) == ("ours", SERVICE_ROLE)
    assert buckets.statements(bucket)[1]["Resource"].endswith(f"/audit/AWSLogs/{admin.account_id}/Config/*")


@pytest.mark.usefixtures("hub_environment")
async def test_the_recorder_of_a_service_is_not_the_customers(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = aws.fresh_account()
    theirs = {
        "name": "AWSConfigurationRecorderForSecurityHub_1",
        "servicePrincipal": "securityhub.amazonaws.com",
    }
    monkeypatch.setattr(_inside(admin), "describe_configuration_recorders", lambda _names: [theirs])
    async with alone(bot, aws, admin, _region(admin)) as there:
        assert "there is no recorder, there is no delivery channel" in (await there.check()).why


@pytest.mark.usefixtures("hub_environment")
async def test_what_aws_has_not_heard_of_yet_is_waited_for_and_then_finished(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    aws.fail(admin.account_id, "config:PutDeliveryChannel", "InsufficientDeliveryPolicyException")
    async with alone(bot, aws, admin, _region(admin)) as there:
        with pytest.raises(TryLater, match="PutDeliveryChannel"):
            await there.fix()
        assert len(buckets.statements(_default(admin))) == 2
        assert (await there.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_fix_that_fails_at_the_end_leaves_nothing_behind(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _region(admin)
    before = _observe(admin, planted)
    aws.fail(admin.account_id, "config:StartConfigurationRecorder", "NoRunningConfigurationRecorderException")
    async with alone(bot, aws, admin, planted) as there:
        with pytest.raises(AwsError):
            await there.fix()
    assert _observe(admin, planted) == before


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_on_kms_comes_with_a_note_about_its_key(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    buckets.encrypt_with_kms(admin, buckets.make(admin, _default(admin)))
    async with alone(bot, aws, admin, _region(admin)) as there:
        assert any("the key's policy must let config" in note for note in (await there.check()).notes)


@pytest.mark.parametrize(
    ("words", "wish"),
    [
        ((), Wish()),
        (
            (
                "bucket_name=mybucketlogs",
                "bucket_region=us-west-1",
                "include_global_resource_types_region=us-west-1",
            ),
            Wish(
                bucket_name="mybucketlogs",
                bucket_region="us-west-1",
                include_global_resource_types_region="us-west-1",
            ),
        ),
        (
            ("mybucketlogs", "us_gov_west_1"),
            Wish(bucket_name="mybucketlogs", bucket_region="us-gov-west-1"),
        ),
    ],
)
def test_parameters_are_given_by_position_or_by_name(words: tuple[str, ...], wish: Wish) -> None:
    assert parse(Wish, words) == wish


@pytest.mark.parametrize("words", [("My Bucket",), ("bucket", "Frankfurt"), ("a", "us-east-1", "x", "y")])
def test_names_that_cannot_be_never_reach_aws(words: tuple[str, ...]) -> None:
    with pytest.raises(BadWords):
        parse(Wish, words)
