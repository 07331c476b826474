"""The queue of findings: who may send to it, where failed messages go, and how many wait."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bots._aws import AwsError, together
from hub.aws.accounts import HubIdentity
from hub.aws.arns import parse
from hub.doctor.asking import ask, unseen
from hub.doctor.policies import ANYBODY, Granted, granted, refuses_plain_text
from hub.doctor.words import DEPLOY_HUB, Line, failed, ok, warning

KEPT_SECONDS = 14 * 86400
RECEIVES = 20  # as deploy/hub.yaml says: a bot that waits for AWS is delivered a dozen times
OLD_SECONDS = 3600.0
TIMEOUTS = 6  # of the function, that a message should stay invisible for
_SEND = "sqs:SendMessage"
_SNS = "Service sns.amazonaws.com"
_GONE = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})


@dataclass(frozen=True, slots=True)
class Queue:
    """What others need to know of it. ``topics`` are the ARNs of the topics that may send to it."""

    arn: str
    topics: tuple[str, ...]
    invisible_seconds: int


async def look(identity: HubIdentity, url: str) -> tuple[Queue | None, list[Line]]:
    """The queue, None if it cannot be seen, and everything about it and its dead-letter queue."""
    try:
        held = (await ask(identity, "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["All"]))[
            "Attributes"
        ]
    except AwsError as error:
        if error.code in _GONE:
            return None, [
                failed("queue", "there is no such queue", "set HUB_QUEUE_URL to the output QueueUrl")
            ]
        return None, [unseen("queue", error)]
    policy = json.loads(held.get("Policy") or "{}")
    arn = held["QueueArn"]
    senders = list(granted(policy, _SEND))
    dead, age = await together(_dead_letters(identity, held), _age(identity, arn))
    waiting, taken = held["ApproximateNumberOfMessages"], held["ApproximateNumberOfMessagesNotVisible"]
    lines = [
        ok("queue", f"{waiting} findings wait, {taken} are at work"),
        *_policy(policy, senders),
        *_kept("queue", held),
        *dead,
        age,
    ]
    topics = tuple(source for each in senders for source in each.asked.get("aws:sourcearn", ()))
    return Queue(arn, topics, int(held["VisibilityTimeout"])), lines


def _policy(policy: Mapping[str, Any], senders: list[Granted]) -> Iterator[Line]:
    """May the topic send, may nobody else, and only encrypted?"""
    from_topics = [each for each in senders if _SNS in each.principals and "aws:sourcearn" in each.asked]
    others = [each for each in senders if each not in from_topics]
    if not senders:
        yield failed("queue policy", "no topic may send to the queue: findings are lost", DEPLOY_HUB)
    elif not from_topics:
        yield warning("queue policy", "no topic is named that may send to the queue", DEPLOY_HUB)
    else:
        yield ok("queue policy", "the topic of findings may send")
    if any(ANYBODY in each.principals and not each.asked for each in others):
        yield failed("queue policy", "everybody may send findings to the queue", DEPLOY_HUB)
    elif others:
        names = sorted({name for each in others for name in each.principals})
        yield warning(
            "queue policy", "others than the topic may send findings", DEPLOY_HUB, answer=", ".join(names)
        )
    if not refuses_plain_text(policy, _SEND):
        yield warning("queue policy", "connections without TLS are not refused", DEPLOY_HUB)


def _kept(subject: str, held: Mapping[str, str]) -> Iterator[Line]:
    seconds = int(held["MessageRetentionPeriod"])
    if seconds < KEPT_SECONDS:
        yield warning(
            subject,
            f"findings are kept for {seconds / 86400:.1f} days, SQS could keep them for 14",
            DEPLOY_HUB,
        )


async def _dead_letters(identity: HubIdentity, held: Mapping[str, str]) -> list[Line]:
    subject = "dead-letter queue"
    redrive = json.loads(held.get("RedrivePolicy") or "{}")
    arn = parse(redrive.get("deadLetterTargetArn", ""))
    if arn is None:
        return [failed(subject, "there is none: a finding that fails is tried until it expires", DEPLOY_HUB)]
    lines = []
    receives = int(redrive["maxReceiveCount"])
    if receives < RECEIVES:
        seen = (
            f"a finding is set aside after {receives} deliveries; bots that wait for AWS may need {RECEIVES}"
        )
        lines.append(warning(subject, seen, DEPLOY_HUB))
    try:
        url = (
            await ask(
                identity, "sqs", "get_queue_url", QueueName=arn.resource, QueueOwnerAWSAccountId=arn.account
            )
        )["QueueUrl"]
        names = ["ApproximateNumberOfMessages", "MessageRetentionPeriod"]
        dead = (await ask(identity, "sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names))[
            "Attributes"
        ]
    except AwsError as error:
        if error.code in _GONE:
            return [
                *lines,
                failed(subject, "it does not exist any more: failed findings are not kept", DEPLOY_HUB),
            ]
        return [*lines, unseen(subject, error)]
    count = int(dead["ApproximateNumberOfMessages"])
    if count:
        seen = f"{count} findings are set aside; nobody sends them again"
        do = "look at them and at the workers' logs, then redrive them to the queue"
        lines.append(warning(subject, seen, do))
    return [*lines, *_kept(subject, dead)] or [
        ok(subject, f"empty; takes findings after {receives} deliveries")
    ]


async def _age(identity: HubIdentity, queue_arn: str) -> Line:
    """Of the oldest message, which only CloudWatch knows."""
    subject, now = "oldest finding", datetime.now(UTC)
    try:
        points = (
            await ask(
                identity,
                "cloudwatch",
                "get_metric_statistics",
                Namespace="AWS/SQS",
                MetricName="ApproximateAgeOfOldestMessage",
                Dimensions=[{"Name": "QueueName", "Value": queue_arn.rsplit(":", 1)[-1]}],
                StartTime=now - timedelta(minutes=15),
                EndTime=now,
                Period=300,
                Statistics=["Maximum"],
            )
        )["Datapoints"]
    except AwsError as error:
        return unseen(subject, error)
    if not points:
        return ok(subject, "CloudWatch knows of none in the last 15 minutes")
    seconds = max(points, key=lambda point: point["Timestamp"])["Maximum"]
    if seconds > OLD_SECONDS:
        seen = f"waits for {seconds / 3600:.1f} hours"
        return warning(subject, seen, "look whether workers run, and whether they are enough")
    return ok(subject, f"waits for {seconds:.0f} s")
