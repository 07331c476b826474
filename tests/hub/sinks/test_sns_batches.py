"""Reports that wait for SNS go out together: each arrives once, whole, and fails for itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hub.errors import SpokeDenied, SpokeError, SpokeUnreachable
from hub.flow.report import attributes, document
from hub.model import Outcome, Report
from hub.settings import OutputMode
from hub.sinks.sns import SnsSink
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws
from tests.hub.sample_reports import a_report, a_run
from tests.hub.sinks.topic import SNS, Publish, Topic, make_topic

TOPIC = "arn:aws:sns:us-east-1:111122223333:reports"


def reports(count: int, *, keys: int = 1000, words: int = 10) -> list[Report]:
    """Reports of as many occurrences, in turn about so many findings."""
    outcomes = list(Outcome)
    return [
        a_report(
            a_run(number, message=f"{number} {'x' * words}", outcome=outcomes[number % len(outcomes)]),
            key=f"key-{number % keys}",
            occurrence=f"occurrence-{number}",
        )
        for number in range(count)
    ]


def requests(topic: Topic) -> list[tuple[str, list[dict[str, Any]]]]:
    """Operation and messages of each request about the topic."""
    return [
        (call.operation, call.params.get("PublishBatchRequestEntries") or [call.params])
        for call in topic.aws.calls(HUB_ACCOUNT)
        if call.params.get("TopicArn") == topic.arn
    ]


def bytes_of(entry: dict[str, Any]) -> int:
    return len(entry["Message"].encode()) + sum(
        len(name) + len(label["DataType"]) + len(label["StringValue"].encode())
        for name, label in entry["MessageAttributes"].items()
    )


async def publish_all(sink: SnsSink, these: Sequence[Report]) -> list[BaseException | None]:
    return await asyncio.gather(*map(sink.publish, these), return_exceptions=True)


async def test_many_reports_at_once_arrive_once_each_as_they_are(aws: FakeAws, sink_on: Publish) -> None:
    topic, many = make_topic(aws), reports(60)
    assert await publish_all(await sink_on(topic.arn), many) == [None] * 60
    received = {each["MessageId"]: each for each in topic.received()}
    told = {json.loads(each["Message"])["Report id"]: each for each in received.values()}
    assert len(received) == 60
    assert len(told) == 60
    for report in many:
        each = told[report.report_id]
        assert json.loads(each["Message"]) == document(report)
        assert each["Subject"] == "RemediationLog"
        assert {n: label["Value"] for n, label in each["MessageAttributes"].items()} == attributes(report)
    assert [len(entries) for _, entries in requests(topic)] == [10] * 6


async def test_one_report_goes_out_as_one_message(aws: FakeAws, sink_on: Publish) -> None:
    topic = make_topic(aws)
    sink = await sink_on(topic.arn)
    for report in reports(3):
        await sink.publish(report)
    assert [operation for operation, _ in requests(topic)] == ["Publish"] * 3


async def test_long_reports_go_out_in_as_many_batches_as_sns_takes(aws: FakeAws, sink_on: Publish) -> None:
    topic, many = make_topic(aws), reports(12, words=SNS // 4)
    assert await publish_all(await sink_on(topic.arn), many) == [None] * 12
    assert len(topic.received()) == 12
    sizes = [[bytes_of(entry) for entry in entries] for _, entries in requests(topic)]
    assert [len(each) for each in sizes] == [3] * 4
    assert max(map(sum, sizes)) <= SNS


async def test_a_batch_that_is_refused_is_published_one_by_one(aws: FakeAws, sink_on: Publish) -> None:
    topic, many = make_topic(aws), reports(4)
    aws.fail(HUB_ACCOUNT, "sns:PublishBatch", "InvalidParameter")
    assert await publish_all(await sink_on(topic.arn), many) == [None] * 4
    assert len(topic.received()) == 4


async def test_who_may_not_publish_is_told_so_for_each_report(aws: FakeAws, sink_on: Publish) -> None:
    topic, many = make_topic(aws), reports(4)
    aws.fail(HUB_ACCOUNT, "sns:PublishBatch", "AuthorizationError", status=403)
    found = await publish_all(await sink_on(topic.arn), many)
    for report, error in zip(many, found, strict=True):
        assert isinstance(error, SpokeDenied)
        assert error.action == "sns:Publish"
        assert f"report {report.report_id} could not be published to {topic.arn}: Auth" in str(error)
    assert topic.received() == []


async def test_reports_about_one_finding_keep_their_order_on_a_fifo_topic(
    aws: FakeAws, sink_on: Publish
) -> None:
    topic, many = make_topic(aws, fifo=True), reports(45, keys=4)
    assert await publish_all(await sink_on(topic.arn), [*many, many[44]]) == [None] * 46
    received = [json.loads(each["Message"]) for each in topic.received()]
    for key in {report.finding.key for report in many}:
        expected = [report.report_id for report in many if report.finding.key == key]
        assert [each["Report id"] for each in received if each["findingKey"] == key] == expected
    assert len(received) == 45, "the one sent twice is dropped"
    assert len(requests(topic)) == 5


class Sns:
    """A client whose answers take a while, and which refuses some entries. It is its own identity."""

    def __init__(self, **refused: dict[str, Any]) -> None:
        self.published: list[str] = []
        self.most_at_once = 0
        self._refused = refused
        self._on_the_way = 0

    @asynccontextmanager
    async def client(self, _service: str, _region: str) -> AsyncIterator[Sns]:
        yield self

    async def publish(self, **fields: Any) -> None:
        await self.publish_batch(PublishBatchRequestEntries=[{"Id": "0", **fields}])

    async def publish_batch(self, **asked: Any) -> dict[str, Any]:
        entries = asked["PublishBatchRequestEntries"]
        self._on_the_way += 1
        self.most_at_once = max(self.most_at_once, self._on_the_way)
        await asyncio.sleep(0.001)
        self._on_the_way -= 1
        answer: dict[str, Any] = {"Successful": [], "Failed": []}
        for entry in entries:
            told = json.loads(entry["Message"])["Report id"]
            if why := self._refused.get(told):
                answer["Failed"].append({"Id": entry["Id"], **why})
            else:
                self.published.append(told)
                answer["Successful"].append({"Id": entry["Id"], "MessageId": "m"})
        return answer


async def started(sns: Sns, arn: str = TOPIC) -> SnsSink:
    identity: Any = sns
    sink = SnsSink(identity, arn, OutputMode.JSON)
    await sink.start()
    return sink


async def test_an_entry_that_sns_refuses_fails_for_its_report_only() -> None:
    many = reports(5)
    refused, faulty = many[1].report_id, many[3].report_id
    sns = Sns(**{
        refused: {"Code": "InvalidParameter", "Message": "Message too long", "SenderFault": True},
        faulty: {"Code": "InternalError", "SenderFault": False},
    })  # fmt: skip
    found = await publish_all(await started(sns), many)
    assert [found[0], found[2], found[4]] == [None] * 3
    assert isinstance(found[1], SpokeUnreachable)
    assert str(found[1]) == (
        f"report {refused} could not be published to {TOPIC}: InvalidParameter: Message too long"
    )
    assert isinstance(found[3], SpokeError)
    assert str(found[3]).startswith(f"report {faulty} could not be published")
    assert sns.published == [many[0].report_id, many[2].report_id, many[4].report_id]


@pytest.mark.parametrize(("arn", "most"), [(TOPIC, 4), (f"{TOPIC}.fifo", 1)])
async def test_on_a_fifo_topic_no_request_can_overtake_another(arn: str, most: int) -> None:
    sns, many = Sns(), reports(75)
    sink = await started(sns, arn)
    assert await publish_all(sink, many) == [None] * 75
    assert sns.most_at_once == most
    assert len(set(sns.published)) == 75
    if most == 1:
        assert sns.published == [report.report_id for report in many]


async def test_a_sink_that_stops_lets_everything_out_first() -> None:
    sns, many = Sns(), reports(75)
    sink = await started(sns, f"{TOPIC}.fifo")
    publishing = [asyncio.create_task(sink.publish(report)) for report in many]
    await asyncio.sleep(0)
    assert sns.published == []
    await sink.stop()
    assert len(sns.published) == 75
    await asyncio.gather(*publishing)
