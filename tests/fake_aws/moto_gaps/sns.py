"""SNS."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from moto.sns.models import sns_backends

from tests.fake_aws.moto_gaps import _topics
from tests.fake_aws.wire import Answer, Call, with_body

PENDING = "PendingConfirmation"


def subscription(account_id: str, region: str, address: str) -> Any:
    """moto's subscription of an address, which confirmed itself. A test sets ``pending`` of it as long as
    nobody has followed the link in AWS's mail."""
    every = sns_backends[account_id][region].subscriptions.values()
    return next(each for each in every if each.endpoint == address)


def before(call: Call) -> Answer | None:
    return _topics.before(call)


def after(call: Call, answer: Answer) -> Answer:
    """AWS gives no ARN of a subscription that nobody has confirmed."""
    if call.operation != "ListSubscriptionsByTopic":
        return answer
    every = sns_backends[call.account_id][call.region].subscriptions
    pending = {arn for arn, each in every.items() if getattr(each, "pending", False)}
    root = ET.fromstring(answer.body)
    for element in root.iter():
        if element.text in pending:
            element.text = PENDING
    return with_body(answer, root)
