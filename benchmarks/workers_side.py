"""`hub work` processes on a queue of findings, and when their reports came out."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.estate import Estate
from tests.fake_aws.server import HUB_ACCOUNT
from tests.hub.estate import Worker, until, worker

MOST_SECONDS = 600.0
LOOK_SECONDS = 0.1
BATCH = 10  # messages SQS takes or gives at once


def fill(sqs: Any, url: str, findings: Sequence[dict[str, Any]]) -> None:
    """Put findings into a queue in their order.

    Raises:
        RuntimeError: it did not take them all.
    """
    for start in range(0, len(findings), BATCH):
        some = enumerate(findings[start : start + BATCH])
        entries = [{"Id": str(number), "MessageBody": json.dumps(each)} for number, each in some]
        answer = sqs.send_message_batch(QueueUrl=url, Entries=entries)
        if answer.get("Failed"):
            raise RuntimeError(f"the queue did not take {len(answer['Failed'])} findings")


@dataclass(frozen=True, slots=True)
class FindingsQueue:
    """A queue for `hub work`, and one that hears the reports about some accounts."""

    estate: Estate
    url: str
    reports_url: str

    @property
    def _sqs(self) -> Any:
        return self.estate.emulator.admin(HUB_ACCOUNT).client("sqs")

    def send(self, findings: Sequence[dict[str, Any]]) -> None:
        """Put them into the queue in their order."""
        fill(self._sqs, self.url, findings)

    def taken_in(self) -> None:
        """Waits until no message is left that nobody holds."""
        name = "ApproximateNumberOfMessages"

        def left() -> int:
            answer = self._sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])
            return int(answer["Attributes"][name])

        until(lambda: not left(), "the worker has read the queue", patience=MOST_SECONDS)

    def reported_at(self, count: int) -> list[float]:
        """Waits for so many more reports; the seconds since the epoch at which each was published, sorted.

        Raises:
            TimeoutError: they did not come.
            RuntimeError: a report says something else than that all is well now.
        """
        deadline = time.monotonic() + MOST_SECONDS
        moments: list[float] = []
        while len(moments) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(moments)} of {count} reports after {MOST_SECONDS:.0f} s")
            found = self._sqs.receive_message(
                QueueUrl=self.reports_url,
                MaxNumberOfMessages=BATCH,
                MessageSystemAttributeNames=["SentTimestamp"],
            ).get("Messages", ())
            for each in found:
                moments.append(int(each["Attributes"]["SentTimestamp"]) / 1000)
                _is_well(json.loads(each["Body"]))
                self._sqs.delete_message(QueueUrl=self.reports_url, ReceiptHandle=each["ReceiptHandle"])
            if not found:
                time.sleep(LOOK_SECONDS)
        return sorted(moments)


def _is_well(report: dict[str, Any]) -> None:
    outcomes = {entry["Outcome"] for entry in report["Rules violations found"]}
    if outcomes != {"fixed"}:
        raise RuntimeError(f"a finding ended {', '.join(sorted(outcomes)) or 'unread'} instead of fixed")


def findings_queue(estate: Estate, name: str, *, hears: Sequence[str]) -> FindingsQueue:
    """A new queue. Of the reports only those about the accounts ``hears`` are kept."""
    admin = estate.emulator.admin(HUB_ACCOUNT)
    sqs = admin.client("sqs")
    url = sqs.create_queue(QueueName=f"{name}-findings")["QueueUrl"]
    reports_url = sqs.create_queue(QueueName=f"{name}-reports")["QueueUrl"]
    named = sqs.get_queue_attributes(QueueUrl=reports_url, AttributeNames=["QueueArn"])
    admin.client("sns").subscribe(
        TopicArn=estate.topic_arn,
        Protocol="sqs",
        Endpoint=named["Attributes"]["QueueArn"],
        Attributes={
            "RawMessageDelivery": "true",
            "FilterPolicy": json.dumps({"accountId": list(hears)}),
        },
    )
    return FindingsQueue(estate, url, reports_url)


@contextmanager
def at_work(queue: FindingsQueue, **settings: str) -> Iterator[Worker]:
    """A worker on the queue; killed at the end if nobody stopped it."""
    environment = queue.estate.hub_environment(HUB_QUEUE_URL=queue.url, **settings)
    with tempfile.TemporaryDirectory() as folder, worker(environment, Path(folder, "log")) as running:
        try:
            yield running
        except TimeoutError as error:
            said = running.log.read_text(encoding="utf-8")[-2000:]
            raise RuntimeError(f"{error}; the worker said: {said or 'nothing'}") from error


@contextmanager
def standing_still(running: Worker) -> Iterator[None]:
    """The process does nothing inside the block, as if nobody had started it yet."""
    running.stand_still()
    try:
        yield
    finally:
        running.go_on()
