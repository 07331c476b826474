"""Scenes of `bots.cloudwatch_create_metric_filter`, and what only this bot does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bots._alarms import Watch, tells
from bots._aws import AwsError
from bots._bot import CannotFix
from bots._cis_filters import NAMES, PATTERNS, FilterName, chosen, same_pattern
from bots._words import BadWords, parse
from bots.cloudwatch_create_metric_filter import Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.trails import ELSEWHERE, a_trail, no_trail, seen
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps import sns as moto_sns
from tests.fake_aws.server import FakeAws

EMAIL, GROUP = "secops@example.com", "CloudTrail/DefaultLogGroup"
THEIRS = "oncall@example.com"
COUNTED = {"metricName": "logins", "metricNamespace": "theirs", "metricValue": "1"}


def _watched(admin: Admin, *words: str, region: str = "us-east-1", **made: Any) -> Planted:
    admin.client("logs", region).create_log_group(logGroupName=GROUP)
    planted = a_trail(
        admin,
        EMAIL,
        *words,
        region=region,
        IsMultiRegionTrail=True,
        CloudWatchLogsLogGroupArn=f"arn:aws:logs:{region}:{admin.account_id}:log-group:{GROUP}:*",
        CloudWatchLogsRoleArn=f"arn:aws:iam::{admin.account_id}:role/logs",
        **made,
    )
    admin.client("cloudtrail", region).start_logging(Name=planted.notes["name"])
    return planted


def _nothing(admin: Admin) -> Planted:
    return _watched(admin, "RootAccountLogins", "vpcchanges")


def _half(admin: Admin) -> Planted:
    """Elsewhere; a topic with a listener, a filter under another name, a filter and an alarm that bear our
    names but do something else."""
    planted = _watched(admin, "filters=RootAccountLogins,VpcChanges", region=ELSEWHERE)
    logs = admin.client("logs", ELSEWHERE)
    _topic(admin, ELSEWHERE)
    spaced = PATTERNS["RootAccountLogins"].replace(" ", "  ")
    for name, pattern, metric in (
        ("root", spaced, COUNTED),
        ("VpcChanges", "{ $.eventName = CreateVpc }", {**COUNTED, "metricValue": "2"}),
    ):
        logs.put_metric_filter(
            logGroupName=GROUP, filterName=name, filterPattern=pattern, metricTransformations=[metric]
        )
    admin.client("cloudwatch", ELSEWHERE).put_metric_alarm(
        AlarmName="VpcChanges Alarm",
        AlarmDescription="ours",
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Dimensions=[{"Name": "InstanceId", "Value": "i-0123456789abcdef0"}],
        Statistic="Average",
        Period=60,
        EvaluationPeriods=3,
        Threshold=90,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[f"arn:aws:sns:{ELSEWHERE}:{admin.account_id}:theirs"],
    )
    return planted


def _topic(admin: Admin, region: str = "us-east-1", **attributes: str) -> str:
    sns = admin.client("sns", region)
    topic = sns.create_topic(Name=f"CloudTrailMetricFilterAlerts{region}", Attributes=attributes)["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=THEIRS)
    return str(topic)


def _encrypted_by_aws(admin: Admin) -> Planted:
    _topic(admin, KmsMasterKeyId="alias/aws/sns")
    return _nothing(admin)


def _undelivered(admin: Admin) -> Planted:
    return a_trail(admin, EMAIL, "all")


def _group_gone(admin: Admin) -> Planted:
    planted = _nothing(admin)
    admin.client("logs").delete_log_group(logGroupName=GROUP)
    return planted


def _infrequent(admin: Admin) -> Planted:
    planted = _group_gone(admin)
    admin.client("logs").create_log_group(logGroupName=GROUP, logGroupClass="INFREQUENT_ACCESS")
    return planted


def _observe(admin: Admin, planted: Planted) -> Any:
    region = planted.notes["region"]
    sns, cloudwatch = admin.client("sns", region), admin.client("cloudwatch", region)
    moving = ("AlarmConfigurationUpdatedTimestamp", "StateUpdatedTimestamp", "StateTransitionedTimestamp")
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    topics = [topic["TopicArn"] for topic in sns.list_topics()["Topics"]]
    filters = admin.client("logs", region).describe_metric_filters()["metricFilters"]
    return {
        "trail": seen(admin, planted),
        "topics": {
            topic: sorted(
                each["Endpoint"] for each in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
            )
            for topic in topics
        },
        "alarms": [{k: v for k, v in alarm.items() if k not in moving} for alarm in alarms],
        "filters": sorted(
            ({k: v for k, v in each.items() if k != "creationTime"} for each in filters), key=str
        ),
    }


def scenes() -> list[Scene]:
    def blocked(name: str, plant: Any, refusal: str) -> Scene:
        return Scene(name=name, plant=plant, observe=_observe, refusal=refusal)

    return [
        Scene(
            name="nothing there",
            plant=_nothing,
            observe=_observe,
            missing=lambda admin: replace(no_trail(admin), words=(EMAIL, "all")),
        ),
        Scene(name="half of it there", plant=_half, observe=_observe),
        blocked("topic under the key of AWS", _encrypted_by_aws, "which CloudWatch cannot use"),
        blocked("no delivery to logs", _undelivered, "delivers to no log group"),
    ]


def test_every_filter_can_be_asked_for_in_any_case_and_all_at_once() -> None:
    def names(*words: str) -> tuple[FilterName, ...]:
        return chosen(parse(Wish, list(words)).filters)

    assert names(EMAIL, *NAMES) == NAMES
    assert names(f"email={EMAIL}", "ALL") == NAMES
    assert names(EMAIL, "vpcchanges,RootAccountLogins") == ("RootAccountLogins", "VpcChanges")
    assert names(EMAIL, "VpcChanges", "exec_function_arn=x") == ("VpcChanges",)


@pytest.mark.parametrize(
    "words", [[], [EMAIL], ["VpcChanges", "RootAccountLogins"], [EMAIL, "VpcChange"], ["a@b", "all"]]
)
def test_words_that_fit_nothing_are_refused_before_anything_is_asked(words: list[str]) -> None:
    with pytest.raises(BadWords):
        parse(Wish, words)


@pytest.mark.parametrize("name", NAMES)
def test_a_pattern_fits_into_a_filter_and_its_brackets_close(name: str) -> None:
    pattern = PATTERNS[name]  # type: ignore[index]
    assert len(pattern) <= 1024
    assert pattern.startswith("{ ")
    assert pattern.endswith(" }")
    assert pattern.count("(") == pattern.count(")")
    assert same_pattern(pattern, pattern.replace(" ", "").replace('"', ""))


@pytest.mark.parametrize(
    ("of_the_alarm", "does"),
    [
        ({}, True),
        ({"AlarmActions": ["another"]}, False),
        ({"ActionsEnabled": False}, False),
        ({"MetricName": "another"}, False),
        ({"Threshold": 2.0}, False),
        ({"Dimensions": [{"Name": "a", "Value": "b"}]}, False),
    ],
)
def test_an_alarm_tells_only_when_one_event_is_enough(of_the_alarm: dict[str, Any], does: bool) -> None:
    alarm = {
        "AlarmActions": ["another", "topic"],
        "ActionsEnabled": True,
        "Namespace": "n",
        "MetricName": "m",
        "Statistic": "Sum",
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "Threshold": 1.0,
        **of_the_alarm,
    }
    watch = Watch(name="VpcChanges", filter=None, alarm=alarm, metric=("n", "m"))
    assert tells(watch, "topic") is does
    assert not tells(watch.model_copy(update={"metric": None}), "topic")


@pytest.mark.usefixtures("hub_environment")
async def test_an_event_is_counted_once_and_told_on_the_topic(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _watched(admin, "all")
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    there = _observe(admin, planted)
    assert {each["filterName"] for each in there["filters"]} == set(NAMES)
    assert {each["metricTransformations"][0]["metricValue"] for each in there["filters"]} == {"1"}
    (topic,) = there["topics"]
    assert there["topics"][topic] == [EMAIL]
    assert topic.endswith(":CloudTrailMetricFilterAlertsus-east-1")
    assert {each["AlarmName"] for each in there["alarms"]} == {f"{name} Alarm" for name in NAMES}
    assert {tuple(each["AlarmActions"]) for each in there["alarms"]} == {(topic,)}
    assert {each["TreatMissingData"] for each in there["alarms"]} == {"notBreaching"}


@pytest.mark.usefixtures("hub_environment")
async def test_what_is_right_already_is_used_and_what_others_need_is_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _half(admin)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    there = _observe(admin, planted)
    alarms = {each["AlarmName"]: each for each in there["alarms"]}
    assert sorted(each["filterName"] for each in there["filters"]) == ["VpcChanges", "root"]
    assert alarms["RootAccountLogins Alarm"]["MetricName"] == "logins"
    assert alarms["VpcChanges Alarm"]["MetricName"] == "VpcChanges"
    assert alarms["VpcChanges Alarm"]["AlarmActions"][0].endswith(":theirs")
    assert alarms["VpcChanges Alarm"]["AlarmDescription"] == "ours"


@pytest.mark.usefixtures("hub_environment")
async def test_nobody_is_mailed_when_something_else_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _nothing(admin)
    async with alone(bot, aws, admin, planted) as one:
        empty = _observe(admin, planted)
        aws.fail(admin.account_id, "cloudwatch:PutMetricAlarm", "LimitExceeded")
        with pytest.raises(AwsError, match="LimitExceeded"):
            await one.fix()
    assert _observe(admin, planted) == empty
    assert "Subscribe" not in [call.operation for call in aws.calls(admin.account_id)]


@pytest.mark.usefixtures("hub_environment")
async def test_an_address_that_has_not_confirmed_is_not_mailed_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _half(admin)) as one:
        was = (await one.check()).before
        await one.fix()
        waiting = moto_sns.subscription(admin.account_id, ELSEWHERE, EMAIL)
        waiting.pending = True
        after = await one.check()
        assert after.compliant
        assert f"{EMAIL} gets nothing before it confirms" in after.notes[0]
        with pytest.raises(CannotFix, match="has not confirmed"):
            await one.undo(was)
        waiting.pending = False
        assert (await one.undo(was)).before == was


@pytest.mark.usefixtures("hub_environment")
async def test_a_topic_that_others_have_come_to_use_is_not_taken_from_them(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _nothing(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        _topic(admin)
        there = _observe(admin, planted)
        with pytest.raises(CannotFix, match=f"{THEIRS} use topic"):
            await one.undo(was)
    assert _observe(admin, planted) == there


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_after_somebody_unsubscribed_is_content(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _half(admin)) as one:
        was = (await one.check()).before
        await one.fix()
        arn = moto_sns.subscription(admin.account_id, ELSEWHERE, EMAIL).arn
        admin.client("sns", ELSEWHERE).unsubscribe(SubscriptionArn=arn)
        assert (await one.undo(was)).before == was


@pytest.mark.usefixtures("hub_environment")
async def test_what_keeps_a_message_from_arriving_is_pointed_out(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    _topic(admin, KmsMasterKeyId="alias/alerts")
    planted = _nothing(admin)
    cloudtrail = admin.client("cloudtrail")
    cloudtrail.stop_logging(Name="audit")
    cloudtrail.update_trail(Name="audit", IsMultiRegionTrail=False)
    async with alone(bot, aws, admin, planted) as one:
        notes = " ".join((await one.check()).notes)
    assert "key alias/alerts must let cloudwatch.amazonaws.com" in notes
    assert "records one region only" in notes
    assert "is switched off" in notes


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize(("plant", "why"), [(_group_gone, "is gone"), (_infrequent, "INFREQUENT_ACCESS")])
async def test_a_log_group_that_cannot_have_filters_is_refused(aws: FakeAws, plant: Any, why: str) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, plant(admin)) as one:
        with pytest.raises(CannotFix, match=why):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_log_group_of_another_account_is_left_to_it(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    arn = f"arn:aws:logs:us-east-1:111122223333:log-group:{GROUP}:*"
    async with alone(bot, aws, admin, a_trail(admin, EMAIL, "all", CloudWatchLogsLogGroupArn=arn)) as one:
        with pytest.raises(CannotFix, match="belongs to account 111122223333"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_refused_look_at_the_listeners_is_no_empty_topic(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _nothing(admin)) as one:
        aws.fail(admin.account_id, "sns:ListSubscriptionsByTopic", "InternalError", status=400)
        with pytest.raises(AwsError, match="InternalError"):
            await one.check()
