"""Reports on a topic, as a subscribed queue receives them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from hub.aws.accounts import HubIdentity
from hub.errors import InternalError, SettingsWrong, SpokeDenied, SpokeUnreachable
from hub.flow.report import as_json, document, text
from hub.model import Outcome
from hub.settings import OutputMode, Settings
from hub.sinks.sns import SnsSink
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws
from tests.hub.sample_reports import KEY, a_report, a_run, wanting_feedback
from tests.hub.sinks.topic import SNS, Publish, make_topic, size_of

TOPIC = "arn:aws:sns:us-east-1:111122223333:remediationOutput"


async def test_a_subscriber_gets_the_report_with_the_old_subject(aws: FakeAws, sink_on: Publish) -> None:
    topic = make_topic(aws)
    report = a_report(
        a_run(entity_name="Prüfkübel 語"), feedback=wanting_feedback("https://f.example.invalid/")
    )
    await (await sink_on(topic.arn)).publish(report)
    [received] = topic.received()
    assert received["Subject"] == "RemediationLog"
    assert json.loads(received["Message"]) == document(report)
    assert "Prüfkübel 語" in received["Message"]
    assert KEY not in json.dumps(received)


async def test_in_text_mode_the_message_is_the_text_report(aws: FakeAws, sink_on: Publish) -> None:
    topic, report = make_topic(aws), a_report(a_run())
    await (await sink_on(topic.arn, OutputMode.TEXT)).publish(report)
    assert [received["Message"] for received in topic.received()] == [text(document(report))]


async def test_the_subject_can_be_another(aws: FakeAws, sink_on: Publish) -> None:
    topic = make_topic(aws)
    await (await sink_on(topic.arn, subject="Remediation of sandbox")).publish(a_report(a_run()))
    assert [received["Subject"] for received in topic.received()] == ["Remediation of sandbox"]


async def test_the_message_attributes_can_be_filtered_on(aws: FakeAws, sink_on: Publish) -> None:
    failed = make_topic(aws, only={"status": ["failed"], "bots": ["tag_ec2_resource"]})
    sink = await sink_on(failed.arn)
    await sink.publish(a_report(a_run(bot="tag_ec2_resource")))
    await sink.publish(a_report(a_run(outcome=Outcome.DENIED)))
    wanted = a_report(a_run(1), a_run(2, bot="tag_ec2_resource", outcome=Outcome.DENIED))
    await sink.publish(wanted)
    [received] = failed.received()
    assert json.loads(received["Message"]) == document(wanted)
    labels = received["MessageAttributes"]
    assert labels["accountId"] == {"Type": "String", "Value": "222233334444"}
    assert labels["outcome"] == {"Type": "String", "Value": "denied"}
    assert labels["bots"]["Type"] == "String.Array"
    assert json.loads(labels["bots"]["Value"]) == ["s3_enable_versioning", "tag_ec2_resource"]


@pytest.mark.parametrize("mode", list(OutputMode))
async def test_a_report_of_any_size_is_published_within_the_limit_of_sns(
    aws: FakeAws, sink_on: Publish, mode: OutputMode
) -> None:
    topic = make_topic(aws)
    many = (a_run(n, message="語" * 2000, outcome=Outcome.DENIED, bot=f"bot_{n}") for n in range(400))
    report = a_report(*many, key="ü" * 2000)
    assert len(as_json(document(report)).encode()) > 2_000_000
    await (await sink_on(topic.arn, mode)).publish(report)
    [received] = topic.received()
    assert SNS / 2 < size_of(received) <= SNS
    assert "(shortened; full text: hub history 00000000000000000001)" in received["Message"]


async def test_the_attributes_count_towards_the_limit_of_sns(aws: FakeAws, sink_on: Publish) -> None:
    topic = make_topic(aws)
    bare = len(as_json(document(a_report(a_run(message="x")))).encode())
    report = a_report(a_run(message="x" * (SNS - bare)))
    assert SNS - 10 < len(as_json(document(report)).encode()) <= SNS
    await (await sink_on(topic.arn)).publish(report)
    [received] = topic.received()
    assert size_of(received) <= SNS


async def test_a_fifo_topic_gets_a_group_per_finding_and_drops_a_report_sent_twice(
    aws: FakeAws, sink_on: Publish
) -> None:
    topic = make_topic(aws, fifo=True)
    sink = await sink_on(topic.arn)
    await sink.publish(a_report(a_run()))
    await sink.publish(a_report(a_run()))
    await sink.publish(a_report(a_run(), key="no group ü" * 40, occurrence="another"))
    found = aws.admin(HUB_ACCOUNT).client("sqs").receive_message(
        QueueUrl=topic.queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
    )  # fmt: skip
    first, second = (each["Attributes"]["MessageGroupId"] for each in found["Messages"])
    assert first == "5lIxe4s1b+rAiwGSEF5d4Q"
    # SNS takes no more than 128 characters and neither blanks nor other alphabets.
    assert re.fullmatch(r"[0-9a-f]{64}", second)


async def test_the_topic_may_be_in_another_region(aws: FakeAws, sink_on: Publish) -> None:
    topic = make_topic(aws, region="eu-central-1")
    await (await sink_on(topic.arn)).publish(a_report(a_run()))
    assert len(topic.received()) == 1


async def test_one_client_serves_all_reports_and_a_stopped_sink_can_start_again(
    aws: FakeAws, sink_on: Publish, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = make_topic(aws)
    made: list[str] = []
    plain = HubIdentity.client

    def counted(self: HubIdentity, service: str, region: str | None = None) -> Any:
        made.append(service)
        return plain(self, service, region)

    monkeypatch.setattr(HubIdentity, "client", counted)
    sink = await sink_on(topic.arn)
    await sink.start()
    await sink.publish(a_report(a_run()))
    await sink.publish(a_report(a_run(), occurrence="another"))
    assert made == ["sns"]
    await sink.stop()
    await sink.start()
    await sink.publish(a_report(a_run(), occurrence="a third"))
    assert made == ["sns", "sns"]
    assert len(topic.received()) == 3


async def test_a_topic_that_is_gone_is_told_with_its_name(aws: FakeAws, sink_on: Publish) -> None:
    sink = await sink_on(f"{TOPIC}-gone")
    with pytest.raises(SpokeUnreachable, match=f"could not be published to {TOPIC}-gone: NotFound"):
        await sink.publish(a_report(a_run()))


async def test_a_hub_without_the_right_to_publish_is_told_so(hub_environment: FakeAws) -> None:
    topic = make_topic(hub_environment)
    sink = SnsSink(HubIdentity(Settings()), topic.arn, OutputMode.JSON)
    await sink.start()
    try:
        with pytest.raises(SpokeDenied, match="sns:Publish") as raised:
            await sink.publish(a_report(a_run()))
    finally:
        await sink.stop()
    assert raised.value.action == "sns:Publish"
    assert topic.received() == []


@pytest.mark.parametrize(
    "arn",
    [
        "remediationOutput",
        "arn:aws:sqs:us-east-1:111122223333:queue",
        "arn:aws:sns:us-east-1:1111:topic",
        "arn:aws:sns:us-east-1:111122223333:topic\n",
        "arn:aws:sns:us-east-1:111122223333:topic:0d9a8c1e-subscription",
    ],
)
def test_what_is_no_topic_is_refused_before_anything_runs(arn: str) -> None:
    with pytest.raises(SettingsWrong, match="HUB_REPORT_TOPIC_ARN"):
        SnsSink(HubIdentity(Settings()), arn, OutputMode.JSON)


@pytest.mark.parametrize("arn", ["arn:aws-cn:sns:cn-north-1:111122223333:topic", f"{TOPIC}.fifo"])
def test_topics_of_every_partition_and_kind_are_accepted(arn: str) -> None:
    assert SnsSink(HubIdentity(Settings()), arn, OutputMode.JSON).name == f"topic {arn}"


@pytest.mark.parametrize("subject", ["", " leading", "line\nbreak", "Prüfung", "x" * 100])
def test_a_subject_that_sns_would_refuse_is_refused_at_once(subject: str) -> None:
    with pytest.raises(SettingsWrong, match="subject"):
        SnsSink(HubIdentity(Settings()), TOPIC, OutputMode.JSON, subject=subject)


async def test_publishing_before_the_start_is_a_defect_and_said_so() -> None:
    sink = SnsSink(HubIdentity(Settings()), TOPIC, OutputMode.JSON)
    with pytest.raises(InternalError, match="started"):
        await sink.publish(a_report(a_run()))
