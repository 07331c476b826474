"""Topics: found by their ARN, in the ARN's region, and who listens to or notifies them."""

from __future__ import annotations

from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone

TOPIC = ("arn:{partition}:sns:*:{account}:*",)
GONE = ("NotFound", "NotFoundException")


def topic_home(aws: Aws, target: Target) -> tuple[Aws, str]:
    """The account in the topic's region, and the topic's ARN, also when the finding gave its bare name.

    Raises:
        CannotFix: the topic belongs to another account.
    """
    if not target.id.startswith("arn:"):
        return aws, f"arn:{aws.partition}:sns:{aws.region}:{aws.account_id}:{target.id}"
    _, _, _, region, owner, _ = (target.id + ":::::").split(":", 5)
    if owner != aws.account_id:
        raise CannotFix(f"topic {target.id} belongs to account {owner}, not to {aws.account_id}")
    return aws.at(region), target.id


async def topic_attributes(home: Aws, arn: str) -> dict[str, Any]:
    """
    Raises:
        TargetGone: no such topic.
    """
    found = await home.find("sns", "GetTopicAttributes", absent=GONE, TopicArn=arn)
    if found is None:
        raise TargetGone(f"topic {arn} does not exist")
    attributes: dict[str, Any] = found["Attributes"]
    return attributes


async def set_attribute(home: Aws, arn: str, name: str, value: str) -> None:
    await home.call("sns", "SetTopicAttributes", TopicArn=arn, AttributeName=name, AttributeValue=value)


async def foreign_subscribers(home: Aws, arn: str) -> list[str]:
    """Other accounts that subscribe to the topic, and how, each once."""
    found = home.pages("sns", "ListSubscriptionsByTopic", items="Subscriptions", TopicArn=arn)
    theirs = {(each["Owner"], each["Protocol"]) async for each in found if each["Owner"] != home.account_id}
    return [f"account {owner} by {protocol}" for owner, protocol in sorted(theirs)]


async def notifying_alarms(home: Aws, arn: str) -> list[str]:
    """Names of all CloudWatch alarms that notify the topic in some state."""
    kinds = ["MetricAlarm", "CompositeAlarm"]
    found: list[str] = []
    more: dict[str, str] = {}
    while True:
        page = await home.call("cloudwatch", "DescribeAlarms", AlarmTypes=kinds, MaxRecords=100, **more)
        found += [
            alarm["AlarmName"]
            for alarm in (*page.get("MetricAlarms", ()), *page.get("CompositeAlarms", ()))
            if any(
                arn in alarm.get(state, ())
                for state in ("AlarmActions", "OKActions", "InsufficientDataActions")
            )
        ]
        if not page.get("NextToken"):
            return sorted(found)
        more = {"NextToken": page["NextToken"]}
