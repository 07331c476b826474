"""The SNS topic that alarms about CloudTrail's log are told on, and who gets them by e-mail."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from pydantic import Field

from bots._all_or_none import Change, kept
from bots._aws import Aws, AwsError, together
from bots._bot import Before, CannotFix, on

PREFIX = "CloudTrailMetricFilterAlerts"
_TOPIC = (f"arn:{{partition}}:sns:*:{{account}}:{PREFIX}*",)
READS = on(_TOPIC, "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic")
# AWS narrows sns:Unsubscribe to no topic.
WRITES = (*on(_TOPIC, "sns:CreateTopic", "sns:DeleteTopic", "sns:Subscribe"), "sns:Unsubscribe")
EmailAddress = Annotated[str, Field(pattern=r"^[^@\s,:=]{1,64}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$")]
PENDING = "PendingConfirmation"
_NONE = "NotFound"


class Listening(Before):
    """``subscribed`` also while the address has not confirmed yet: asking again sends another mail."""

    email: str
    topic_exists: bool
    subscribed: bool


def topic_arn(home: Aws) -> str:
    return f"arn:{home.partition}:sns:{home.region}:{home.account_id}:{PREFIX}{home.region}"


async def listening(home: Aws, email: str) -> tuple[Listening, tuple[str, ...]]:
    """Who listens, and what a person must still do.

    Raises:
        CannotFix: alarms cannot be told on the topic.
    """
    topic = topic_arn(home)
    answer, addresses = await together(
        home.find("sns", "GetTopicAttributes", absent=(_NONE,), TopicArn=topic), _addresses(home)
    )
    key = "" if answer is None else str(answer["Attributes"].get("KmsMasterKeyId", ""))
    if key.endswith("alias/aws/sns"):
        raise CannotFix(
            f"topic {topic} is encrypted with the key that AWS manages for SNS, which CloudWatch cannot use: give "
            "it a customer managed key whose policy lets cloudwatch.amazonaws.com in"
        )
    notes = []
    if key:
        notes.append(f"the policy of key {key} must let cloudwatch.amazonaws.com encrypt for topic {topic}")
    if addresses.get(email) == PENDING:
        notes.append(f"{email} gets nothing before it confirms the subscription by the link in AWS's mail")
    state = Listening(email=email, topic_exists=answer is not None, subscribed=email in addresses)
    return state, tuple(notes)


async def _addresses(home: Aws) -> dict[str, str]:
    """E-mail address -> ARN of its subscription, or `PENDING`."""
    found = home.pages("sns", "ListSubscriptionsByTopic", items="Subscriptions", TopicArn=topic_arn(home))
    try:
        return {
            each["Endpoint"]: each["SubscriptionArn"] async for each in found if each["Protocol"] == "email"
        }
    except AwsError as error:
        if error.code != _NONE:
            raise
        return {}


def changes(home: Aws, was: Listening) -> tuple[list[Change], list[Change]]:
    """The topic and the subscription, as far as they are missing."""
    topic = topic_arn(home)
    create = partial(home.call, "sns", "CreateTopic", Name=topic.rpartition(":")[2])
    subscribe = partial(home.call, "sns", "Subscribe", TopicArn=topic, Protocol="email", Endpoint=was.email)
    # A topic takes its subscriptions with it.
    unsubscribe = partial(_unsubscribe, home, was.email) if was.topic_exists else kept
    return (
        []
        if was.topic_exists
        else [Change(create, partial(home.call, "sns", "DeleteTopic", TopicArn=topic))],
        [] if was.subscribed else [Change(subscribe, unsubscribe)],
    )


async def _unsubscribe(home: Aws, email: str) -> None:
    arn = (await _addresses(home)).get(email)
    if arn is not None:
        await home.call("sns", "Unsubscribe", SubscriptionArn=arn)


async def refuse_to_silence_others(home: Aws, was: Listening, own_alarms: set[str]) -> None:
    """
    Raises:
        CannotFix: an undo would take the topic from others, or AWS cannot take the subscription back yet.
    """
    topic, addresses = topic_arn(home), await _addresses(home)
    if was.topic_exists:
        if not was.subscribed and addresses.get(was.email) == PENDING:
            raise CannotFix(
                f"{was.email} has not confirmed its subscription to {topic}, and AWS cancels no unconfirmed ones: "
                "it drops them after some days; undo then"
            )
        return
    alarms = home.pages("cloudwatch", "DescribeAlarms", items="MetricAlarms", ActionPrefix=topic)
    others = {each["AlarmName"] async for each in alarms} - own_alarms | set(addresses) - {was.email}
    if others:
        raise CannotFix(f"{', '.join(sorted(others))} use topic {topic} by now: undo that first")
