"""Scenes of `bots.network_firewall_enable_logging`, and what only this bot does."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from bots._aws import Aws, AwsError
from bots._bot import CannotFix
from bots._firewall_logs import Firewall, moved
from bots._words import BadWords, parse
from bots.network_firewall_enable_logging import Wish, bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

HERE = "us-east-1"


def _made_bucket(admin: Admin, log: str = "flow") -> str:
    return f"{admin.account_id}-s3-network-firewall-{log}-logs-{HERE}"


def _made_group(admin: Admin, log: str = "alert") -> str:
    return f"{admin.account_id}-cloudwatch-network-firewall-{log}-logs-{HERE}"


def _to_bucket(name: str, **more: str) -> dict[str, Any]:
    return {"LogDestinationType": "S3", "LogDestination": {"bucketName": name, **more}}


def _to_group(name: str) -> dict[str, Any]:
    return {"LogDestinationType": "CloudWatchLogs", "LogDestination": {"logGroup": name}}


def _firewall(admin: Admin, *words: str, bucket: str = "", **logging: dict[str, Any]) -> Planted:
    """A firewall whose logs of the types in ``logging`` go somewhere already."""
    client = admin.client("network-firewall")
    policy = f"arn:aws:network-firewall:{HERE}:{admin.account_id}:firewall-policy/strict"
    made = client.create_firewall(FirewallName="border", FirewallPolicyArn=policy, VpcId="vpc-11112222")
    arn = made["Firewall"]["FirewallArn"]
    configs: list[dict[str, Any]] = []
    for log, place in logging.items():
        configs.append({"LogType": log, **place})
        client.update_logging_configuration(
            FirewallArn=arn, LoggingConfiguration={"LogDestinationConfigs": configs}
        )
    return Planted(
        entity={"id": arn, "name": "border", "type": "NetworkFirewall"},
        words=words,
        notes={"bucket": bucket or _made_bucket(admin)},
    )


def _to_a_shared_bucket(admin: Admin) -> Planted:
    bucket = buckets.make_shared(admin, f"shared-{admin.account_id}")
    return _firewall(
        admin,
        *("flow", "s3", f"{bucket}/firewall/prod"),
        bucket=bucket,
        # AWS asks again for the rights that every destination needs, whichever one is new.
        ALERT=_to_group("alerts"),
        TLS={"LogDestinationType": "KinesisDataFirehose", "LogDestination": {"deliveryStream": "tls"}},
    )


def _create_bucket(admin: Admin) -> Planted:
    return _firewall(admin, "FLOW", "S3", "create")


def _create_group(admin: Admin) -> Planted:
    old = _to_bucket(buckets.make(admin, f"old-{admin.account_id}"))
    return _firewall(admin, "ALERT", "CloudWatchLogs", "create", ALERT=old, FLOW=old)


def _stream(admin: Admin, kind: str = "DirectPut") -> Planted:
    bucket = f"arn:aws:s3:::{buckets.make(admin, f'stream-{admin.account_id}')}"
    role = f"arn:aws:iam::{admin.account_id}:role/firehose"
    source = {"KinesisStreamARN": f"arn:aws:kinesis:{HERE}:{admin.account_id}:stream/a", "RoleARN": role}
    admin.client("firehose").create_delivery_stream(
        DeliveryStreamName="logs",
        DeliveryStreamType=kind,
        S3DestinationConfiguration={"RoleARN": role, "BucketARN": bucket},
        **({} if kind == "DirectPut" else {"KinesisStreamSourceConfiguration": source}),
    )
    return _firewall(admin, "TLS", "KinesisDataFirehose", "logs")


def _name_taken(admin: Admin) -> Planted:
    buckets.make(Admin("333344445555", admin.endpoint), _made_bucket(admin))
    return _create_bucket(admin)


def _logging(admin: Admin, planted: Planted) -> Any:
    found = admin.client("network-firewall").describe_logging_configuration(FirewallArn=planted.entity["id"])
    configs = found["LoggingConfiguration"].get("LogDestinationConfigs", [])
    return {each.pop("LogType"): each for each in configs}


def _observe(admin: Admin, planted: Planted) -> Any:
    return {"logging": _logging(admin, planted), "bucket": buckets.seen(planted.notes["bucket"])}


def _missing(admin: Admin) -> Planted:
    arn = f"arn:aws:network-firewall:{HERE}:{admin.account_id}:firewall/never-made"
    return Planted(entity={"id": arn}, words=("FLOW", "S3", "create"))


def scenes() -> list[Scene]:
    def blocked(name: str, refusal: str, plant: Callable[[Admin], Planted]) -> Scene:
        return Scene(name=name, plant=plant, observe=_observe, refusal=refusal)

    def to(*words: str) -> Callable[[Admin], Planted]:
        return lambda admin: _firewall(admin, *words)

    return [
        Scene(name="to a shared bucket", plant=_to_a_shared_bucket, observe=_observe, missing=_missing),
        Scene(name="to a new bucket", plant=_create_bucket, observe=_observe),
        Scene(name="to a new log group", plant=_create_group, observe=_observe),
        Scene(name="to a stream", plant=_stream, observe=_observe),
        blocked("no such bucket", "there is no bucket never-made", to("FLOW", "S3", "never-made")),
        blocked(
            "no such group", "there is no log group never/made", to("FLOW", "CloudWatchLogs", "never/made")
        ),
        blocked("no such stream", "there is no delivery stream", to("FLOW", "KinesisDataFirehose", "never")),
        blocked(
            "stream fed by another",
            "not by direct PUT",
            lambda admin: _stream(admin, "KinesisStreamAsSource"),
        ),
        blocked("bucket name taken", "is taken by another account", _name_taken),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_the_other_types_of_logs_go_on_and_the_prefix_keeps_its_slashes(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _to_a_shared_bucket(admin)
    async with alone(bot, aws, admin, planted) as there:
        assert (await there.fix()).compliant
    found, bucket = _logging(admin, planted), planted.notes["bucket"]
    assert found.pop("FLOW") == _to_bucket(bucket, prefix="firewall/prod")
    assert found["ALERT"] == _to_group("alerts")
    assert set(found) == {"ALERT", "TLS"}


@pytest.mark.usefixtures("hub_environment")
async def test_a_log_group_keeps_logs_for_a_year_unless_it_was_told_otherwise(aws: FakeAws) -> None:
    admin, other = aws.fresh_account(), aws.fresh_account()
    planted = _create_group(admin)
    async with alone(bot, aws, admin, planted) as there:
        assert (await there.fix()).compliant
    assert _logging(admin, planted)["ALERT"] == _to_group(_made_group(admin))
    assert _retention(admin) == 365
    theirs = _create_group(other)
    other.client("logs").create_log_group(logGroupName=_made_group(other))
    other.client("logs").put_retention_policy(logGroupName=_made_group(other), retentionInDays=30)
    async with alone(bot, aws, other, theirs) as there:
        assert (await there.fix()).compliant
    assert _retention(other) == 30


def _retention(admin: Admin) -> Any:
    (group,) = admin.client("logs").describe_log_groups()["logGroups"]
    return group["retentionInDays"]


@dataclass
class Recorder:
    """In place of an account: writes the sent destinations down, and fails at one call."""

    fails_at: int
    sent: list[dict[str, str]] = field(default_factory=list)
    dashboards: list[bool] = field(default_factory=list)

    def at(self, _region: str) -> Recorder:
        return self

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        configs = params["LoggingConfiguration"]["LogDestinationConfigs"]
        self.sent.append({each["LogType"]: each["LogDestinationType"] for each in configs})
        self.dashboards.append(params.get("EnableMonitoringDashboard", False))
        if len(self.sent) == self.fails_at:
            raise AwsError(service=service, operation=operation, region=HERE, code="X", message="as asked")
        return {}


@pytest.mark.parametrize(
    ("fails_at", "sent"),
    [
        (0, [{"FLOW": "S3"}, {"FLOW": "S3", "ALERT": "CloudWatchLogs"}]),
        (1, [{"FLOW": "S3"}]),
        (2, [{"FLOW": "S3"}, {"FLOW": "S3", "ALERT": "CloudWatchLogs"}, {"FLOW": "S3", "ALERT": "S3"}]),
    ],
)
async def test_another_kind_of_destination_takes_two_calls_and_the_first_is_taken_back_with_the_second(
    fails_at: int, sent: list[dict[str, str]]
) -> None:
    old = _to_bucket("old-logs")
    now, wanted = {"ALERT": old, "FLOW": old}, {"ALERT": _to_group("alerts"), "FLOW": old}
    recorder = Recorder(fails_at)
    firewall = Firewall(arn="arn", region=HERE, dashboard=True)
    with pytest.raises(AwsError) if fails_at else contextlib.nullcontext():
        async with moved(cast(Aws, recorder), firewall, now, wanted):
            pass
    assert recorder.sent == sent
    assert all(recorder.dashboards)


@pytest.mark.usefixtures("hub_environment")
async def test_a_firewall_is_also_found_by_its_name_but_never_in_another_account(aws: FakeAws) -> None:
    admin, stranger = aws.fresh_account(), aws.fresh_account()
    planted = _create_bucket(admin)
    by_name = Planted(entity={"name": "border"}, words=planted.words)
    async with alone(bot, aws, admin, by_name) as there:
        assert (await there.check()).target_id == planted.entity["id"]
    async with alone(bot, aws, stranger, planted) as there:
        with pytest.raises(CannotFix, match="only its owner"):
            await there.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_made_bucket_is_private_and_stays_with_the_logs_in_it(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _create_bucket(admin)) as there:
        was = (await there.check()).before
        assert (await there.fix()).compliant
        assert set(buckets.seen(_made_bucket(admin))["closed to the public"].values()) == {True}
        admin.client("s3").put_object(Bucket=_made_bucket(admin), Key="AWSLogs/a-log", Body=b"{}")
        assert (await there.undo(was)).before == was
    assert buckets.seen(_made_bucket(admin))["objects"] == ["AWSLogs/a-log"]


@pytest.mark.usefixtures("hub_environment")
async def test_what_may_keep_logs_from_arriving_is_said(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    buckets.encrypt_with_kms(admin, buckets.make(admin, _made_bucket(admin)))
    async with alone(bot, aws, admin, _create_bucket(admin)) as there:
        (note,) = (await there.check()).notes
        assert "customer managed" in note
        logs, to_group = admin.client("logs"), there.saying("FLOW", "CloudWatchLogs", "create")
        for number in range(10):
            logs.put_resource_policy(policyName=f"policy-{number}", policyDocument='{"Statement": []}')
        (note,) = (await to_group.check()).notes
        assert "all 10 resource policies" in note
        logs.put_resource_policy(
            policyName="policy-0", policyDocument='{"Service": "delivery.logs.amazonaws.com"}'
        )
        assert (await to_group.check()).notes == ()


@pytest.mark.parametrize(
    ("words", "destination"),
    [
        (("FLOW", "S3", "create"), "create"),
        (("alert", "CLOUDWATCHLOGS", "Create"), "create"),
        (("FLOW", "S3", "my-bucket/firewall/prod"), "my-bucket/firewall/prod"),
        (("logging_type=TLS", "destination_type=CloudWatchLogs", "destination=my-log-group"), "my-log-group"),
        (
            ("FLOW", "KinesisDataFirehose", "my-delivery-stream", "exec_function_arn=arn:x"),
            "my-delivery-stream",
        ),
    ],
)
def test_every_way_to_write_a_destination_is_understood(words: tuple[str, ...], destination: str) -> None:
    assert parse(Wish, words).destination == destination


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("FLOW", "S3"),
        ("DNS", "S3", "create"),
        ("FLOW", "Splunk", "create"),
        ("FLOW", "KinesisDataFirehose", "create"),
        ("FLOW", "S3", "My_Bucket"),
        ("FLOW", "S3", "bucket//prefix"),
        ("FLOW", "CloudWatchLogs", "two words"),
        ("FLOW", "S3", "bucket", "more"),
    ],
)
def test_destinations_that_cannot_be_never_reach_aws(words: tuple[str, ...]) -> None:
    with pytest.raises(BadWords):
        parse(Wish, words)
