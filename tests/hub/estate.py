"""What a worker needs in the hub account: a findings queue with a dead-letter queue, a reports topic with a
listening queue, a journal table; and worker processes on it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from hub.journals.dynamodb_table import table_definition
from tests.fake_aws.admin import client
from tests.fake_aws.server import EXTERNAL_ID, HUB_ACCOUNT, Arranged, allow

PATIENCE_SECONDS = 60.0
RECEIVES = 5
WORK = (sys.executable, "-m", "hub", "work")

Aws = TypeVar("Aws", bound=Arranged)


def until(
    true: Callable[[], bool], what: str, *, patience: float = PATIENCE_SECONDS, pause: float = 0.05
) -> None:
    """Ask until it is so; the fake AWS has no way to call back."""
    deadline = time.monotonic() + patience
    while not true():
        assert time.monotonic() < deadline, f"not so after {patience} s: {what}"
        time.sleep(pause)


@dataclass(slots=True)
class Estate(Generic[Aws]):
    """The hub account's resources, all with names of their own.

    Attributes:
        tables: where DynamoDB is, if it is not the fake AWS's.
    """

    aws: Aws
    queue: str
    dead_letters: str
    reports_queue: str
    topic: str
    table: str
    tables: str = ""
    reports: list[dict[str, Any]] = field(default_factory=list)

    def client(self, service: str) -> Any:
        return self.aws.admin(HUB_ACCOUNT).client(service)

    def send(self, body: str) -> None:
        self.client("sqs").send_message(QueueUrl=self.queue, MessageBody=body)

    def environment(self, *accounts: str, **more: str) -> dict[str, str]:
        """What a worker process is started with."""
        given = {
            "PYTHONWARNINGS": "error",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.aws.endpoint,
            "HUB_DEPLOYMENT_MODE": "multi",
            "HUB_EXTERNAL_ID": EXTERNAL_ID,
            "HUB_ACCOUNTS": ",".join(accounts),
            "HUB_QUEUE_URL": self.queue,
            "HUB_REPORT_TOPIC_ARN": self.topic,
            "HUB_JOURNAL": f"dynamodb:{self.table}",
            "HUB_LEASE_SECONDS": "5",
            "HUB_CALLS_PER_SECOND": "1000",
        }
        if self.tables:
            given["AWS_ENDPOINT_URL_DYNAMODB"] = self.tables
        return {**given, **self.credentials(), **more}

    @property
    def dynamodb(self) -> Any:
        """A client of the DynamoDB the journal is in."""
        return _dynamodb(self.aws, self.tables)

    def credentials(self) -> Mapping[str, str]:
        """The hub's role, allowed what a worker does in its own account."""
        role = f"worker-{self.table}"
        return self.aws.hub_credentials(
            allow(
                "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:SendMessage"
            ),
            allow("sns:Publish", "dynamodb:*"),
            role=role,
        )

    @property
    def role_arn(self) -> str:
        return f"arn:aws:iam::{HUB_ACCOUNT}:role/worker-{self.table}"

    def read_reports(self) -> list[dict[str, Any]]:
        """All reports published so far, oldest first, duplicates included."""
        # None is deleted: moto would lose a message that is published at that moment.
        request = {"QueueUrl": self.reports_queue, "MaxNumberOfMessages": 10, "VisibilityTimeout": 43_200}
        sqs = self.client("sqs")
        while found := sqs.receive_message(**request).get("Messages"):
            self.reports += [json.loads(each["Body"]) for each in found]
        return self.reports

    def waiting(self, queue: str | None = None) -> int:
        """Messages in a queue, in flight or not."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        answer = self.client("sqs").get_queue_attributes(QueueUrl=queue or self.queue, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)


def make_estate(aws: Aws, *, tables: str = "", receives: int = RECEIVES) -> Estate[Aws]:
    """A new one.

    Args:
        tables: address of another DynamoDB for the journal.
        receives: after so many a message goes to the dead-letter queue.
    """
    mark = secrets.token_hex(4)
    admin = aws.admin(HUB_ACCOUNT)
    sqs, sns = admin.client("sqs"), admin.client("sns")

    def arn(url: str) -> str:
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(answer["Attributes"]["QueueArn"])

    dead = sqs.create_queue(QueueName=f"dead-{mark}")["QueueUrl"]
    redrive = json.dumps({"deadLetterTargetArn": arn(dead), "maxReceiveCount": str(receives)})
    queue = sqs.create_queue(QueueName=f"findings-{mark}", Attributes={"RedrivePolicy": redrive})["QueueUrl"]
    listening = sqs.create_queue(QueueName=f"reports-{mark}")["QueueUrl"]
    topic = sns.create_topic(Name=f"remediationOutput-{mark}")["TopicArn"]
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn(listening), Attributes={"RawMessageDelivery": "true"}
    )
    _dynamodb(aws, tables).create_table(TableName=f"journal-{mark}", **table_definition())
    return Estate(aws, queue, dead, listening, topic, f"journal-{mark}", tables)


def _dynamodb(aws: Arranged, tables: str) -> Any:
    if not tables:
        return aws.admin(HUB_ACCOUNT).client("dynamodb")
    return client(tables, "dynamodb", "us-east-1", access_key="anybody", secret_key="made-up")


class Worker:
    """A `hub work` process, of this checkout unless ``command`` is another's."""

    def __init__(
        self, environment: Mapping[str, str], log: Path, command: Sequence[str | Path] = WORK, **more: Any
    ) -> None:
        self.log = log
        with log.open("w", encoding="utf-8") as stream:
            self.process = subprocess.Popen(command, env=dict(environment), stderr=stream, text=True, **more)

    def stand_still(self) -> None:
        """Nothing happens in it from here on, until `go_on`."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitpid(self.process.pid, os.WUNTRACED)

    def go_on(self) -> None:
        """See `stand_still`."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """As a lost machine: no last word."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=PATIENCE_SECONDS)

    def stop(self) -> int:
        """As a deployment: SIGTERM, and what it says when it is done."""
        self.process.terminate()
        return self.process.wait(timeout=PATIENCE_SECONDS)


@contextmanager
def worker(
    environment: Mapping[str, str], log: Path, command: Sequence[str | Path] = WORK, **more: Any
) -> Iterator[Worker]:
    """A running one, ended at the latest with the block; ``more`` goes to `subprocess.Popen`."""
    running = Worker(environment, log, command, **more)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.kill()
