"""A topic with a queue that listens to it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from hub.sinks.sns import SnsSink
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws

SNS = 262_144  # bytes of a message, and of a batch
Publish = Callable[..., Awaitable[SnsSink]]


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic in the hub account with a queue that listens to it."""

    aws: FakeAws
    arn: str
    queue: str
    region: str

    def received(self) -> list[dict[str, Any]]:
        """SNS notifications so far, as a queue without raw delivery gets them."""
        sqs = self.aws.admin(HUB_ACCOUNT).client("sqs", self.region)
        found: list[dict[str, Any]] = []
        while messages := sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return found


def make_topic(
    aws: FakeAws, *, region: str = "us-east-1", fifo: bool = False, only: dict[str, Any] | None = None
) -> Topic:
    admin = aws.admin(HUB_ACCOUNT)
    sns, sqs = admin.client("sns", region), admin.client("sqs", region)
    name = f"reports-{secrets.token_hex(4)}" + (".fifo" if fifo else "")
    attributes = {"FifoTopic": "true"} if fifo else {}
    arn = sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]
    url = sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"} if fifo else {})["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    more = {"FilterPolicy": json.dumps(only)} if only else {}
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes=more)
    return Topic(aws, arn, url, region)


def size_of(received: dict[str, Any]) -> int:
    """What SNS counts."""
    return len(received["Message"].encode()) + len(received["Subject"]) + sum(
        len(name) + len(label["Type"]) + len(label["Value"].encode())
        for name, label in received["MessageAttributes"].items()
    )  # fmt: skip
