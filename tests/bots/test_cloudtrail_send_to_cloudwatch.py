"""Scenes of `bots.cloudtrail_send_to_cloudwatch`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TryLater
from bots._words import BadWords, parse
from bots.cloudtrail_send_to_cloudwatch import Delivery, Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.service_roles import seen_role, trust
from tests.bots.trails import ELSEWHERE, a_trail, no_trail, seen
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps import cloudtrail as inside
from tests.fake_aws.server import FakeAws

ROLE, POLICY = "CloudTrail_CloudWatchLogs_Role", "CloudWatchLogsAllowDelivery"
GROUP = "CloudTrail/DefaultLogGroup"
CLOUDTRAIL = "cloudtrail.amazonaws.com"


def _group(admin: Admin, region: str = "us-east-1", name: str = GROUP) -> str:
    admin.client("logs", region).create_log_group(logGroupName=name)
    return f"arn:aws:logs:{region}:{admin.account_id}:log-group:{name}:*"


def _role(admin: Admin, *, policy: dict[str, Any] | None = None, path: str = "/", name: str = ROLE) -> str:
    iam = admin.client("iam")
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(CLOUDTRAIL), Path=path)["Role"]
    if policy is not None:
        iam.put_role_policy(RoleName=name, PolicyName=POLICY, PolicyDocument=json.dumps(policy))
    return str(role["Arn"])


def _other_statement(admin: Admin) -> dict[str, Any]:
    """What the role may do for a trail elsewhere."""
    start = f"arn:aws:logs:eu-central-1:{admin.account_id}:log-group:other"
    return {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": f"{start}:log-stream:*"}


def _unconnected(admin: Admin) -> Planted:
    _group(admin)
    return a_trail(admin)


def _disconnected(admin: Admin) -> Planted:
    """A trail elsewhere that was connected, but somebody removed the log group and the right to write."""
    role = _role(
        admin, policy={"Version": "2012-10-17", "Statement": [_other_statement(admin)]}, path="/aws/"
    )
    arn = _group(admin, ELSEWHERE, "Audit/All")
    planted = a_trail(admin, region=ELSEWHERE, CloudWatchLogsLogGroupArn=arn, CloudWatchLogsRoleArn=role)
    admin.client("logs", ELSEWHERE).delete_log_group(logGroupName="Audit/All")
    inside.trail(admin.account_id, ELSEWHERE, "audit").logs_error = "NoSuchLogGroup"
    return planted


def _through_another_role(admin: Admin, error: str = "") -> Planted:
    planted = a_trail(
        admin,
        CloudWatchLogsLogGroupArn=_group(admin, name="theirs"),
        CloudWatchLogsRoleArn=_role(admin, name="theirs"),
    )
    inside.trail(admin.account_id, "us-east-1", "audit").logs_error = error
    return planted


def _role_of_strangers(admin: Admin) -> Planted:
    document = trust(CLOUDTRAIL, AWS="arn:aws:iam::111122223333:root")
    admin.client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument=document)
    return a_trail(admin)


def _observe(admin: Admin, planted: Planted) -> Any:
    groups = admin.client("logs", planted.notes["region"]).describe_log_groups()["logGroups"]
    names = ("logGroupName", "retentionInDays", "kmsKeyId", "logGroupClass")
    return {
        "trail": seen(admin, planted),
        "groups": [{name: group.get(name) for name in names} for group in groups],
        "roles": [seen_role(admin, name) for name in (ROLE, "theirs")],
    }


def scenes() -> list[Scene]:
    return [
        Scene(name="log group there, no role", plant=_unconnected, observe=_observe, missing=no_trail),
        Scene(name="connected to a log group that is gone", plant=_disconnected, observe=_observe),
        Scene(
            name="a role that strangers may take",
            plant=_role_of_strangers,
            observe=_observe,
            refusal="may take it, not cloudtrail.amazonaws.com alone",
        ),
        Scene(
            name="another role, which fails",
            plant=lambda admin: _through_another_role(admin, "AccessDenied"),
            observe=_observe,
            refusal="the hub leaves other people's roles alone",
        ),
    ]


@pytest.mark.parametrize("word", ["exec_function_arn", "a b", "x:y", "log_group_name=a*"])
def test_a_name_no_log_group_can_have_is_refused_before_anything_is_asked(word: str) -> None:
    with pytest.raises(BadWords, match="log_group_name"):
        parse(Wish, [word] if word != "exec_function_arn" else ["logGroupName=" + "x" * 513])


def test_without_a_name_the_default_log_group_is_used() -> None:
    assert parse(Wish, ["exec_function_arn=x"]).log_group_name == parse(Wish, [""]).log_group_name == GROUP


@pytest.mark.usefixtures("hub_environment")
async def test_the_role_may_write_the_trails_own_streams_and_is_for_cloudtrail_in_this_account(
    aws: FakeAws,
) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, a_trail(admin, "CloudTrail/SecurityLogs", region=ELSEWHERE)) as one:
        after = await one.fix()
    assert after.compliant
    group = f"arn:aws:logs:{ELSEWHERE}:{admin.account_id}:log-group:CloudTrail/SecurityLogs"
    role = seen_role(admin, ROLE)
    (statement,) = role["inline"][POLICY]["Statement"]
    assert statement["Resource"] == [f"{group}:log-stream:{admin.account_id}_CloudTrail_{ELSEWHERE}*"]
    (trusts,) = role["trust"]["Statement"]
    assert trusts["Principal"] == {"Service": CLOUDTRAIL}
    assert trusts["Condition"] == {
        "StringEqualsIfExists": {"aws:SourceAccount": admin.account_id},
        "ArnLikeIfExists": {"aws:SourceArn": f"arn:aws:cloudtrail:*:{admin.account_id}:trail/*"},
    }
    trail = admin.client("cloudtrail", ELSEWHERE).get_trail(Name="audit")["Trail"]
    assert trail["CloudWatchLogsLogGroupArn"] == f"{group}:*"


@pytest.mark.usefixtures("hub_environment")
async def test_the_trail_of_an_organization_may_write_the_streams_of_its_members(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, a_trail(admin, IsOrganizationTrail=True)) as one:
        await one.fix()
    (statement,) = seen_role(admin, ROLE)["inline"][POLICY]["Statement"]
    assert statement["Resource"][1].endswith(f":log-group:{GROUP}:log-stream:o-*")


@pytest.mark.usefixtures("hub_environment")
async def test_a_role_that_iam_has_not_spread_yet_is_waited_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, a_trail(admin)) as one:
        was = (await one.check()).before
        aws.fail(admin.account_id, "cloudtrail:UpdateTrail", "InvalidCloudWatchLogsRoleArnException")
        with pytest.raises(TryLater, match="IAM has not spread"):
            await one.fix()
        assert seen_role(admin, ROLE) is not None
        assert (await one.fix()).compliant
        after = await one.undo(was)
    assert isinstance(was, Delivery)
    assert after.before == bot.expected_after_undo(was)
    assert seen_role(admin, ROLE) is None


@pytest.mark.usefixtures("hub_environment")
async def test_a_working_delivery_through_another_role_is_left_alone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _through_another_role(admin)) as one:
        seen_first = await one.check()
    assert seen_first.compliant
    assert "delivers to log group theirs" in seen_first.why
    assert seen_first.touches == ()


@pytest.mark.usefixtures("hub_environment")
async def test_what_cloudtrail_says_of_its_last_delivery_is_passed_on(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _disconnected(admin)) as one:
        after = await one.fix()
    assert after.compliant
    assert after.notes == ("CloudTrail said of its last delivery: NoSuchLogGroup",)


@pytest.mark.usefixtures("hub_environment")
async def test_what_the_role_may_do_for_other_trails_outlives_the_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, a_trail(admin)) as one:
        was = (await one.check()).before
        await one.fix()
        policy = seen_role(admin, ROLE)["inline"][POLICY]
        policy["Statement"].append(_other_statement(admin))
        admin.client("iam").put_role_policy(
            RoleName=ROLE, PolicyName=POLICY, PolicyDocument=json.dumps(policy)
        )
        await one.undo(was)
    assert seen_role(admin, ROLE)["inline"][POLICY]["Statement"] == [_other_statement(admin)]


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_waits_for_another_trail_that_uses_the_same_role_and_group(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = a_trail(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        connected = seen(admin, planted)
        a_trail(
            admin,
            name="second",
            **{k: connected[k] for k in ("CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn")},
        )
        with pytest.raises(CannotFix, match="trail/second delivers through the same role"):
            await one.undo(was)
    assert seen(admin, planted) == connected


@pytest.mark.usefixtures("hub_environment")
async def test_nothing_but_an_empty_log_group_is_left_of_a_fix_that_cloudtrail_refuses(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = a_trail(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        aws.fail(
            admin.account_id,
            "cloudtrail:UpdateTrail",
            "InsufficientDependencyServiceAccessPermissionException",
        )
        with pytest.raises(AwsError):
            await one.fix()
        now = (await one.check()).before
    assert isinstance(was, Delivery)
    assert now == was.model_copy(update={"group_exists": True})
