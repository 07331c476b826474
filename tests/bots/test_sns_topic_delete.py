"""Scenes of `bots.sns_topic_delete`, and what only this bot does."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from moto.cloudwatch.models import cloudwatch_backends
from moto.sns.models import Subscription, sns_backends

from bots._bot import CannotFix
from bots._saved_topics import MOST_SUBSCRIPTIONS
from bots.sns_topic_delete import Topic, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps import _topics as inside
from tests.fake_aws.server import FakeAws

ELSEWHERE = "eu-west-1"


def _topic(admin: Admin, region: str = "us-east-1") -> Planted:
    sns = admin.client("sns", region)
    tags = [{"Key": "team", "Value": "blue"}]
    arn = sns.create_topic(Name="alarms", Attributes={"DisplayName": "Alarms"}, Tags=tags)["TopicArn"]
    sns.subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint=f"arn:aws:sqs:{region}:{admin.account_id}:alarms",
        Attributes={"RawMessageDelivery": "true"},
    )
    return Planted(entity={"topicArn": arn, "name": "alarms"}, notes={"region": region})


def _alarmed(admin: Admin, kind: str = "OKActions") -> Planted:
    planted = _topic(admin)
    admin.client("cloudwatch").put_metric_alarm(
        AlarmName="too hot", MetricName="heat", Namespace="ours", Statistic="Sum", Period=60, EvaluationPeriods=1,
        Threshold=1, ComparisonOperator="GreaterThanThreshold", **{kind: [planted.entity["topicArn"]]},
    )  # fmt: skip
    return planted


def _observe(admin: Admin, planted: Planted) -> Any:
    sns, arn = admin.client("sns", planted.notes["region"]), planted.entity["topicArn"]
    if arn not in [each["TopicArn"] for each in sns.list_topics()["Topics"]]:
        return "gone"
    return {
        "attributes": sns.get_topic_attributes(TopicArn=arn)["Attributes"],
        "subscriptions": sns.list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"],
        "tags": sns.list_tags_for_resource(ResourceArn=arn)["Tags"],
    }


def _missing(admin: Admin) -> Planted:
    return Planted(entity={"id": f"arn:aws:sns:us-east-1:{admin.account_id}:never-made"})


def scenes() -> list[Scene]:
    return [
        Scene(name="any", plant=_topic, observe=_observe, missing=_missing, when_missing="compliant"),
        Scene(name="alarms notify it", plant=_alarmed, observe=_observe, refusal="too hot"),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_everything_needed_to_make_it_anew_is_saved_wherever_it_is(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _topic(admin, ELSEWHERE)
    arn = planted.entity["topicArn"]
    inside.topic(admin.account_id, arn).data_protection = '{"Name": "<hide>"}'
    publish = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "sns:Publish"}
    admin.client("sns", ELSEWHERE).set_topic_attributes(
        TopicArn=arn,
        AttributeName="Policy",
        AttributeValue=json.dumps({"Statement": [{**publish, "Resource": arn}]}),
    )
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        after = await one.fix()
    assert seen.region == ELSEWHERE
    assert any("events.amazonaws.com" in note for note in seen.notes)
    was = seen.before
    assert isinstance(was, Topic)
    assert was.attributes["DisplayName"] == "Alarms"
    assert "SubscriptionsConfirmed" not in was.attributes
    assert [each["RawMessageDelivery"] for each in was.subscriptions] == ["true"]
    assert was.tags == {"team": "blue"}
    assert was.data_protection_policy == '{"Name": "<hide>"}'
    assert after.compliant
    assert after.before == Topic(exists=False, topic_arn=arn)
    assert _observe(admin, planted) == "gone"


@pytest.mark.usefixtures("hub_environment")
async def test_all_pages_of_subscriptions_are_saved_but_not_more_than_fit(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _topic(admin)
    backend = sns_backends[admin.account_id]["us-east-1"]
    topic = inside.topic(admin.account_id, planted.entity["topicArn"])

    def subscribe(times: int) -> None:
        for number in range(times):
            made = Subscription(admin.account_id, topic, f"user{number}@example.com", "email")
            # AWS shows this, without a number, in place of an ARN until the subscriber confirms.
            made.arn = f"PendingConfirmation{number}" if number else made.arn
            backend.subscriptions[made.arn] = made

    async with alone(bot, aws, admin, planted) as one:
        subscribe(120)
        seen = await one.check()
        assert isinstance(seen.before, Topic)
        assert len(seen.before.subscriptions) == len(backend.subscriptions)
        subscribe(MOST_SUBSCRIPTIONS)
        with pytest.raises(CannotFix, match=f"more than {MOST_SUBSCRIPTIONS} subscriptions"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_alarms_on_any_page_are_found(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _alarmed(admin, "AlarmActions")
    alarms = cloudwatch_backends[admin.account_id]["us-east-1"].alarms
    for number in range(150):
        other = copy.copy(alarms["too hot"])
        other.name, other.alarm_actions = f"alarm {number:03}", []
        alarms[other.name] = other
    alarms["too hot"] = alarms.pop("too hot")
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="1 CloudWatch alarms notify"):
            await one.check()
    assert [call.name for call in aws.calls(admin.account_id)].count("cloudwatch:DescribeAlarms") == 2
