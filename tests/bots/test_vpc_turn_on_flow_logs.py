"""Scenes of `bots.vpc_turn_on_flow_logs`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from bots._aws import AwsError
from bots._bot import CannotFix, TryLater
from bots._words import BadWords, parse
from bots.vpc_turn_on_flow_logs import Logged, Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.service_roles import seen_role, trust
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

GROUP = "vpcFlowLogs"
ROLE = "vpcFlowLogDelivery"
SERVICE = "vpc-flow-logs.amazonaws.com"
BUCKET = "arn:aws:s3:::central-flow-logs"


def _vpc(admin: Admin, *words: str) -> Planted:
    vpc = admin.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    return Planted(entity={"id": vpc, "name": "", "type": "VPC"}, words=words)


def _with_group(admin: Admin, *words: str) -> Planted:
    admin.client("logs").create_log_group(logGroupName=GROUP)
    return _vpc(admin, *words)


def _role(admin: Admin, document: str = trust(SERVICE), name: str = ROLE) -> str:
    made = admin.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return str(made["Role"]["Arn"])


def _log(admin: Admin, planted: Planted, traffic: str = "ALL", *, role: str, group: str = GROUP) -> str:
    made = admin.client("ec2").create_flow_logs(
        ResourceIds=[planted.entity["id"]],
        ResourceType="VPC",
        TrafficType=traffic,
        LogDestinationType="cloud-watch-logs",
        LogGroupName=group,
        DeliverLogsPermissionArn=role,
    )
    return str(made["FlowLogIds"][0])


def _rejects_logged(admin: Admin) -> Planted:
    """Part of the traffic is logged, by a role of somebody else's; there is no log group of ours."""
    planted = _vpc(admin, "all")
    _log(admin, planted, "REJECT", role=_role(admin, name="theirs"), group="theirs")
    _role(admin)
    return planted


def _to_s3(admin: Admin) -> Planted:
    bucket = f"flow-logs-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=bucket)
    return _vpc(
        admin, "traffic_type=Reject", "destination=S3", "s3_arn=arn:aws:s3:::flow-logs-$ACCOUNT_ID/prod"
    )


def _role_of_strangers(admin: Admin) -> Planted:
    _role(admin, trust("ec2.amazonaws.com"))
    return _vpc(admin)


def _shared(admin: Admin) -> Planted:
    stranger = ec2_backends["111122223333"]["us-east-1"].create_vpc("10.9.0.0/16")
    ec2_backends[admin.account_id]["us-east-1"].vpcs[stranger.id] = stranger
    return Planted(entity={"id": stranger.id, "type": "VPC"})


def _observe(admin: Admin, planted: Planted) -> Any:
    ec2, vpc = admin.client("ec2"), planted.entity["id"]
    logs = ec2.describe_flow_logs(Filters=[{"Name": "resource-id", "Values": [vpc]}])["FlowLogs"]
    # A flow log that is made again has another id and another time.
    kept = [{k: v for k, v in log.items() if k not in ("FlowLogId", "CreationTime")} for log in logs]
    groups = admin.client("logs").describe_log_groups()["logGroups"]
    return {
        "logs": kept,
        "groups": [group["logGroupName"] for group in groups],
        "roles": [seen_role(admin, name) for name in (ROLE, "theirs")],
    }


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "vpc-0123456789abcdef0", "type": "VPC"})


def scenes() -> list[Scene]:
    return [
        Scene(name="nothing logged, log group there", plant=_with_group, observe=_observe, missing=_missing),
        Scene(name="rejects to s3", plant=_to_s3, observe=_observe),
        Scene(name="only rejects logged, no log group", plant=_rejects_logged, observe=_observe),
        Scene(
            name="a role for another service",
            plant=_role_of_strangers,
            observe=_observe,
            refusal=f"may take it, not {SERVICE} alone",
        ),
        Scene(name="shared", plant=_shared, observe=_observe, refusal="only its owner can log"),
    ]


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ([], ("ALL", "logs", None)),
        (["traffic_type=reject", "destination=logs"], ("REJECT", "logs", None)),
        (["all", "s3", BUCKET], ("ALL", "s3", BUCKET)),
        (["Accept", "S3", f"s3_arn={BUCKET}/prod/"], ("ACCEPT", "s3", f"{BUCKET}/prod/")),
    ],
)
def test_every_documented_spelling_is_understood(
    words: list[str], meant: tuple[str, str, str | None]
) -> None:
    wish = parse(Wish, words)
    assert (wish.traffic_type, wish.destination, wish.s3_arn) == meant


@pytest.mark.parametrize(
    "words",
    [
        ["some"],
        ["all", "kinesis"],
        ["all", "s3"],
        ["all", "logs", BUCKET],
        ["all", "s3", "central-flow-logs"],
    ],
)
def test_words_that_fit_nothing_are_refused_before_anything_is_asked(words: list[str]) -> None:
    with pytest.raises(BadWords):
        parse(Wish, words)


@pytest.mark.usefixtures("hub_environment")
async def test_the_role_is_for_flow_logs_of_this_account_and_its_one_log_group(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _vpc(admin)) as one:
        assert (await one.fix()).compliant
    role = seen_role(admin, ROLE)
    (trusts,) = role["trust"]["Statement"]
    assert trusts["Condition"] == {
        "StringEquals": {"aws:SourceAccount": admin.account_id},
        "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:*:{admin.account_id}:vpc-flow-log/*"},
    }
    writes, looks = role["inline"][ROLE]["Statement"]
    group = f"arn:aws:logs:us-east-1:{admin.account_id}:log-group:{GROUP}"
    assert writes["Resource"] == [group, f"{group}:*"]
    assert looks["Action"] == ["logs:DescribeLogGroups", "logs:DescribeLogStreams"]


@pytest.mark.usefixtures("hub_environment")
async def test_s3_needs_no_role_and_gets_none(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _to_s3(admin)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    seen = _observe(admin, planted)
    assert seen["roles"] == [None, None]
    assert seen["logs"][0]["LogDestination"] == f"arn:aws:s3:::flow-logs-{admin.account_id}/prod/"
    assert "DeliverLogsPermissionArn" not in seen["logs"][0]


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_that_takes_nothing_is_a_refusal_and_no_success(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _vpc(admin, "all", "s3", BUCKET)) as one:
        with pytest.raises(CannotFix, match=r"does not exist.*delivery\.logs\.amazonaws\.com"):
            await one.fix()


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("traffic", ["ALL", "REJECT"])
async def test_a_flow_log_to_any_log_group_will_do(aws: FakeAws, traffic: str) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin, "reject")
    _log(admin, planted, traffic, role=_role(admin, name="theirs"), group="theirs")
    # A role that is not for flow logs is in the way of a fix only.
    _role(admin, trust("ec2.amazonaws.com"))
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_flow_log_that_names_its_log_group_by_arn_is_understood(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    log = ec2_backends[admin.account_id]["us-east-1"].flow_logs[_log(admin, planted, role=_role(admin))]
    log.log_group_name, log.log_destination = None, f"arn:aws:logs:us-east-1:{admin.account_id}:log-group:g"
    async with alone(bot, aws, admin, planted) as one:
        before = (await one.check()).before
    assert isinstance(before, Logged)
    assert [each.destination for each in before.flow_logs] == ["g"]


@pytest.mark.usefixtures("hub_environment")
async def test_a_flow_log_that_fails_gets_its_role_back_and_is_waited_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    log = ec2_backends[admin.account_id]["us-east-1"].flow_logs[_log(admin, planted, role=_role(admin))]
    log.deliver_logs_status = "FAILED"
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).notes == (f"delivery of {log.id} fails",)
        with pytest.raises(TryLater, match="next delivery"):
            await one.fix()
        assert ROLE in seen_role(admin, ROLE)["inline"]
        log.deliver_logs_status = "SUCCESS"
        assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_flow_log_to_s3_that_fails_is_for_the_owner_of_the_bucket(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _to_s3(admin)) as one:
        await one.fix()
        for log in ec2_backends[admin.account_id]["us-east-1"].flow_logs.values():
            log.deliver_logs_status = "FAILED"
        with pytest.raises(CannotFix, match="its delivery fails"):
            await one.fix()


@pytest.mark.usefixtures("hub_environment")
async def test_a_role_that_iam_has_not_spread_yet_is_waited_for(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = aws.fresh_account()
    planted = _vpc(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        with monkeypatch.context() as unspread:
            unspread.setattr("tests.fake_aws.moto_gaps._flow_logs.get_partition", lambda _: "aws-cn")
            with pytest.raises(TryLater, match="IAM has not spread"):
                await one.fix()
        assert (await one.fix()).compliant
        after = await one.undo(was)
    assert isinstance(was, Logged)
    assert after.before == bot.expected_after_undo(was)
    assert seen_role(admin, ROLE) is None


@pytest.mark.usefixtures("hub_environment")
async def test_aws_can_say_with_an_error_too_that_the_role_is_not_there_yet(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _vpc(admin)) as one:
        aws.fail(admin.account_id, "ec2:CreateFlowLogs", "InvalidParameter")
        with pytest.raises(AwsError, match="InvalidParameter"):
            await one.fix()
        assert seen_role(admin, ROLE) is None
        monkeypatch.setattr("bots._flow_logs._ROLE_NOT_SPREAD", "as the test asked for")
        aws.fail(admin.account_id, "ec2:CreateFlowLogs", "InvalidParameter")
        with pytest.raises(TryLater):
            await one.fix()
        assert seen_role(admin, ROLE) is not None


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_waits_for_other_vpcs_that_have_come_to_use_the_role(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted, other = _vpc(admin), _vpc(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        role = admin.client("iam").get_role(RoleName=ROLE)["Role"]["Arn"]
        _log(admin, other, role=role)
        with pytest.raises(CannotFix, match=other.entity["id"]):
            await one.undo(was)
    assert len(_observe(admin, planted)["logs"]) == 1


@pytest.mark.usefixtures("hub_environment")
async def test_what_the_role_may_do_in_other_regions_outlives_the_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    iam = admin.client("iam")
    async with alone(bot, aws, admin, _vpc(admin)) as one:
        was = (await one.check()).before
        await one.fix()
        policy = seen_role(admin, ROLE)["inline"][ROLE]
        other = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
        policy["Statement"].append(other)
        iam.put_role_policy(RoleName=ROLE, PolicyName=ROLE, PolicyDocument=json.dumps(policy))
        await one.undo(was)
    assert seen_role(admin, ROLE)["inline"][ROLE]["Statement"] == [other]
