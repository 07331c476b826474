"""The topics: who may publish findings and reports, and whether findings get from the topic to the queue."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bots._aws import AwsError, together
from hub.aws.accounts import HubIdentity
from hub.doctor.asking import ask, unseen
from hub.doctor.policies import granted, refuses_plain_text
from hub.doctor.queue import Queue
from hub.doctor.words import DEPLOY_HUB, Line, failed, ok, unknown, warning

FINDINGS, REPORTS, SUBSCRIPTION = "topic of findings", "topic of reports", "subscription"
_PUBLISH = "sns:Publish"


async def look(identity: HubIdentity, queue: Queue | None, report_topic_arn: str) -> list[Line]:
    """Everything about them. Which topic brings findings, the queue's policy says."""
    looks = [_topic(identity, REPORTS, report_topic_arn)] if report_topic_arn else []
    if queue is not None and queue.topics:
        looks += [_topic(identity, FINDINGS, arn) for arn in queue.topics]
        looks += [_subscription(identity, arn, queue.arn) for arn in queue.topics]
    lines = [line for found in await together(*looks) for line in found]
    if queue is None:
        lines.append(unknown(FINDINGS, "not looked: the queue, which names it, was not seen"))
    return lines


async def _topic(identity: HubIdentity, subject: str, arn: str) -> list[Line]:
    try:
        held = (await ask(identity, "sns", "get_topic_attributes", TopicArn=arn))["Attributes"]
    except AwsError as error:
        if error.code in ("NotFound", "NotFoundException"):
            return [failed(subject, "it does not exist", DEPLOY_HUB, answer=arn)]
        return [unseen(subject, error)]
    return list(_policy(subject, json.loads(held.get("Policy") or "{}")))


def _policy(subject: str, policy: Mapping[str, Any]) -> Iterator[Line]:
    publishers = list(granted(policy, _PUBLISH))
    if any(each.to_anybody for each in publishers):
        yield failed(subject, "everybody may publish to it", DEPLOY_HUB)
    elif not publishers and subject == FINDINGS:
        do = (
            "name who sends findings: DataCenter, PublisherAccounts or PublisherPrincipals of the hub's stack"
        )
        yield warning(subject, "its policy lets nobody publish", do)
    else:
        names = sorted({name for each in publishers for name in each.principals})
        yield ok(subject, f"publishers: {', '.join(names) or 'this account alone'}")
    if not refuses_plain_text(policy, _PUBLISH):
        yield warning(subject, "connections without TLS are not refused", DEPLOY_HUB)


async def _subscription(identity: HubIdentity, topic_arn: str, queue_arn: str) -> list[Line]:
    request = {"TopicArn": topic_arn}
    try:
        while True:
            answer = await ask(identity, "sns", "list_subscriptions_by_topic", **request)
            for each in answer["Subscriptions"]:
                if each["Protocol"] == "sqs" and each["Endpoint"] == queue_arn:
                    return await _delivery(identity, each["SubscriptionArn"])
            if not answer.get("NextToken"):
                break
            request["NextToken"] = answer["NextToken"]
    except AwsError as error:
        return [unseen(SUBSCRIPTION, error)]
    return [failed(SUBSCRIPTION, "the topic does not deliver to the queue: findings are lost", DEPLOY_HUB)]


async def _delivery(identity: HubIdentity, arn: str) -> list[Line]:
    if not arn.startswith("arn:"):
        return [failed(SUBSCRIPTION, "not confirmed: findings are lost", DEPLOY_HUB)]
    found = ok(SUBSCRIPTION, "the topic delivers to the queue")
    try:
        held = (await ask(identity, "sns", "get_subscription_attributes", SubscriptionArn=arn))["Attributes"]
    except AwsError as error:
        return [found, unseen("delivery", error)]
    if held.get("FilterPolicy"):
        seen = "a filter policy holds findings back"
        return [found, warning("delivery", seen, "remove the subscription's filter policy")]
    if held.get("RawMessageDelivery") == "true":
        seen = "raw, without the message's id, by which the hub knows what came twice"
        return [found, warning("delivery", seen, "turn raw message delivery off")]
    return [found, ok("delivery", "all findings, in SNS's envelope")]
