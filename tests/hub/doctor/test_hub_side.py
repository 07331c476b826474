"""Doctor sees what the hub itself stands on, and each thing that is not as it should be."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub.doctor import Wish, look
from hub.doctor.words import Line, State
from hub.errors import SettingsWrong
from hub.journals.dynamodb_item import schema_item
from hub.journals.dynamodb_table import table_definition
from hub.journals.schema import SCHEMA, Schema
from hub.settings import Settings
from tests.bots.functions import CODE
from tests.conftest import MakeSettings
from tests.deploy.estate import hub_stack
from tests.fake_aws.server import FakeAws
from tests.hub.doctor.estate import about
from tests.hub.doctor.stand import LOOK, NAME, Stand, make_stand, publish, queue_policy, refuse_plain

RIGHT = {
    "accounts": State.UNKNOWN,  # the hub here may not list the organization's
    "hub": State.OK,
    "settings": State.OK,
    "queue": State.OK,
    "queue policy": State.OK,
    "dead-letter queue": State.OK,
    "oldest finding": State.OK,
    "topic of findings": State.OK,
    "topic of reports": State.OK,
    "subscription": State.OK,
    "delivery": State.OK,
    "journal": State.OK,
    "journal recovery": State.OK,
    "journal expiry": State.OK,
    "journal schema": State.OK,
    "function": State.OK,
    "event source": State.OK,
    "clock": State.OK,
}


@pytest.fixture
def stand(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Stand:
    made = make_stand(aws)
    made.be_the_hub(monkeypatch, *LOOK)
    return made


async def hub_lines(stand: Stand) -> tuple[Line, ...]:
    return (await look(stand.settings(), Wish(only=("222233334444",)))).hub


async def test_a_hub_as_its_stack_makes_it_is_right_in_every_respect(stand: Stand) -> None:
    assert {line.subject: line.state for line in await hub_lines(stand)} == RIGHT


async def test_the_rights_the_stack_gives_the_hub_are_enough_to_see_that_all_is_right(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = aws.fresh_account()
    code = f"code-of-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=code)
    admin.client("s3").put_object(Bucket=code, Key="remediation-hub.zip", Body=CODE)
    outputs = await hub_stack(
        aws, admin.account_id, Compute="lambda", CodeBucket=code, DeploymentMode="multi", DryRun="false"
    )
    role = aws.enter(admin.account_id, outputs["HubRoleArn"], session="hub")
    told = dict(line.split("=", 1) for line in outputs["WorkerSettings"].splitlines())
    for name, value in {**role, **told, "AWS_ENDPOINT_URL": aws.endpoint}.items():
        monkeypatch.setenv(name, value)
    health = await look(Settings.load(), Wish())
    # There is no organization to list the accounts of, and so none to enter.
    expected = RIGHT | {"accounts": State.FAILED}
    assert {line.subject: line.state for line in health.hub} == expected


async def test_what_may_not_be_read_is_unknown_and_names_the_right(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.be_the_hub(monkeypatch, "s3:ListAllMyBuckets")
    found = {line.subject: line for line in await hub_lines(stand)}
    rights = {
        "queue": "sqs:GetQueueAttributes",
        "topic of reports": "sns:GetTopicAttributes",
        "journal": "dynamodb:DescribeTable",
        "function": "lambda:GetFunctionConfiguration",
    }
    assert {name: found[name].seen for name in rights} == {
        name: f"not looked: right {right} missing" for name, right in rights.items()
    }
    assert {found[name].state for name in (*rights, "topic of findings")} == {State.UNKNOWN}


@pytest.mark.parametrize(
    ("right", "subject"),
    [
        ("cloudwatch:GetMetricStatistics", "oldest finding"),
        ("dynamodb:DescribeContinuousBackups", "journal recovery"),
        ("dynamodb:DescribeTimeToLive", "journal expiry"),
        ("dynamodb:GetItem", "journal schema"),
        ("lambda:ListEventSourceMappings", "event source"),
        ("sns:GetSubscriptionAttributes", "delivery"),
        ("sns:ListSubscriptionsByTopic", "subscription"),
        ("sqs:GetQueueUrl", "dead-letter queue"),
    ],
)
async def test_each_look_needs_its_right_and_the_others_do_not(
    right: str, subject: str, stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand.be_the_hub(monkeypatch, *(each for each in LOOK if each != right))
    lines = await hub_lines(stand)
    assert about(lines, subject).seen == f"not looked: right {right} missing"
    wrong = {line.subject for line in lines if line.state is not RIGHT[line.subject]}
    assert wrong == {subject}


# --- the queue


async def test_a_queue_that_is_not_there_is_told(stand: Stand) -> None:
    stand.client("sqs").delete_queue(QueueUrl=stand.queue)
    [line] = await stand.lines("queue")
    assert (line.state, line.seen) == (State.FAILED, "there is no such queue")


@pytest.mark.parametrize(
    ("policy", "state", "seen"),
    [
        (lambda stand: "", State.FAILED, "no topic may send"),
        (
            lambda stand: queue_policy(stand, anybody(stand)),
            State.FAILED,
            "everybody may send findings to the queue",
        ),
        (
            lambda stand: queue_policy(stand, anybody(stand, AWS="arn:aws:iam::999988887777:root")),
            State.WARNING,
            "others than the topic may send",
        ),
        (lambda stand: queue_policy(stand, without=["Tls"]), State.WARNING, "without TLS"),
        (
            lambda stand: queue_policy(stand, anybody(stand, Service="sns.amazonaws.com"), without=["Topic"]),
            State.WARNING,
            "no topic is named",
        ),
    ],
)
async def test_who_may_send_findings_to_the_queue_is_told(
    policy: Callable[[Stand], str], state: State, seen: str, stand: Stand
) -> None:
    stand.set_queue(Policy=policy(stand))
    assert any(line.state is state and seen in line.seen for line in await stand.lines("queue policy"))


def anybody(stand: Stand, **principal: str) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": principal or "*",
        "Action": "sqs:SendMessage",
        "Resource": stand.queue_arn(stand.queue),
    }


async def test_a_queue_that_forgets_early_is_told(stand: Stand) -> None:
    stand.set_queue(MessageRetentionPeriod="345600")
    stand.set_queue(stand.dead, MessageRetentionPeriod="86400")
    assert any("kept for 4.0 days" in line.seen for line in await stand.lines("queue"))
    assert any("kept for 1.0 days" in line.seen for line in await stand.lines("dead-letter queue"))


async def test_findings_that_were_set_aside_are_counted(stand: Stand) -> None:
    for body in "ab":
        stand.client("sqs").send_message(QueueUrl=stand.dead, MessageBody=body)
    [line] = await stand.lines("dead-letter queue")
    assert line.state is State.WARNING
    assert line.seen.startswith("2 findings are set aside")


async def test_a_dead_letter_queue_that_is_gone_or_never_was_is_told(stand: Stand) -> None:
    stand.client("sqs").delete_queue(QueueUrl=stand.dead)
    [line] = await stand.lines("dead-letter queue")
    assert (line.state, "does not exist any more" in line.seen) == (State.FAILED, True)
    stand.set_queue(RedrivePolicy="")
    [line] = await stand.lines("dead-letter queue")
    assert (line.state, "there is none" in line.seen) == (State.FAILED, True)


async def test_findings_set_aside_too_soon_are_told(stand: Stand) -> None:
    redrive = {"deadLetterTargetArn": stand.queue_arn(stand.dead), "maxReceiveCount": "3"}
    stand.set_queue(RedrivePolicy=json.dumps(redrive))
    assert "after 3 deliveries" in (await stand.lines("dead-letter queue"))[0].seen


async def test_an_old_finding_is_told(stand: Stand) -> None:
    point = {
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": f"{NAME}-findings"}],
        "Timestamp": datetime.now(UTC) - timedelta(minutes=2),
        "Value": 9000.0,
    }
    stand.client("cloudwatch").put_metric_data(Namespace="AWS/SQS", MetricData=[point])
    [line] = await stand.lines("oldest finding")
    assert (line.state, line.seen) == (State.WARNING, "waits for 2.5 hours")


# --- the topics


async def test_a_topic_that_is_not_there_is_told(stand: Stand) -> None:
    stand.client("sns").delete_topic(TopicArn=stand.reports)
    stand.client("sns").delete_topic(TopicArn=stand.findings)
    for subject in ("topic of reports", "topic of findings"):
        [line] = await stand.lines(subject)
        assert (line.state, line.seen) == (State.FAILED, "it does not exist")


async def test_publishers_are_named_and_everybody_is_too_many(stand: Stand) -> None:
    [line] = await stand.lines("topic of findings")
    assert line.seen == "publishers: arn:aws:iam::634729597623:root"
    stand.set_topic_policy(stand.findings, publish(stand.findings, "*"))
    found = await stand.lines("topic of findings")
    assert [(line.state, line.seen) for line in found] == [
        (State.FAILED, "everybody may publish to it"),
        (State.WARNING, "connections without TLS are not refused"),
    ]


async def test_a_topic_nobody_may_publish_to_is_told(stand: Stand) -> None:
    stand.set_topic_policy(stand.findings, refuse_plain("sns:Publish", stand.findings))
    [line] = await stand.lines("topic of findings")
    assert (line.state, line.seen) == (State.WARNING, "its policy lets nobody publish")


async def test_a_topic_that_does_not_deliver_is_told(stand: Stand) -> None:
    stand.client("sns").unsubscribe(SubscriptionArn=stand.subscription)
    [line] = await stand.lines("subscription")
    assert line.state is State.FAILED
    assert "findings are lost" in line.seen


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [
        ("RawMessageDelivery", "true", "raw, without the message's id"),
        ("FilterPolicy", '{"severity": ["High"]}', "a filter policy holds findings back"),
    ],
)
async def test_a_subscription_that_delivers_otherwise_is_told(
    name: str, value: str, seen: str, stand: Stand
) -> None:
    stand.client("sns").set_subscription_attributes(
        SubscriptionArn=stand.subscription, AttributeName=name, AttributeValue=value
    )
    [line] = await stand.lines("delivery")
    assert line.state is State.WARNING
    assert seen in line.seen


# --- the journal


async def test_a_table_that_is_not_there_is_told(stand: Stand) -> None:
    [line] = await stand.lines("journal", journal="dynamodb:another-table")
    assert (line.state, line.seen) == (State.FAILED, "there is no table another-table: nothing can be fixed")


async def test_a_table_of_another_shape_without_protection_is_told(stand: Stand) -> None:
    bare = table_definition()
    history, *_ = bare["GlobalSecondaryIndexes"]
    history["Projection"] = {"ProjectionType": "KEYS_ONLY"}
    bare["GlobalSecondaryIndexes"] = [history]
    keys = {each["AttributeName"] for each in (*bare["KeySchema"], *history["KeySchema"])}
    bare["AttributeDefinitions"] = [
        each for each in bare["AttributeDefinitions"] if each["AttributeName"] in keys
    ]
    stand.client("dynamodb").create_table(TableName="bare", **bare)
    health = await look(stand.settings(journal="dynamodb:bare"), Wish(only=("222233334444",)))
    found = [
        line.seen for line in health.hub if line.subject.startswith("journal") and line.state.needs_doing
    ]
    assert found == [
        "index by-finding is another than this hub's",
        "index by-account is missing: `hub history` cannot ask by it",
        "index by-month is missing: `hub history` cannot ask by it",
        "the table is not protected from deletion",
        "point-in-time recovery is off",
        "time to live by expires_at is off: runs are kept for ever",
    ]


async def test_a_journal_that_a_newer_hub_has_changed_is_told(stand: Stand) -> None:
    [line] = await stand.lines("journal schema")
    assert line.seen == "not noted yet: no hub has begun on it"
    newer = Schema(version=SCHEMA.version + 2, needs=SCHEMA.version + 1, needs_hub="9.0.0")
    for noted, state in ((SCHEMA, State.OK), (newer, State.FAILED)):
        stand.client("dynamodb").put_item(TableName=NAME, Item=schema_item(noted))
        [line] = await stand.lines("journal schema")
        assert line.state is state
    assert "9.0.0" in line.answer


# --- the function


async def test_a_hub_without_a_function_is_told_that_workers_cannot_be_seen(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand = make_stand(aws, function=False)
    stand.be_the_hub(monkeypatch, *LOOK)
    [line] = await stand.lines("function")
    assert line.state is State.UNKNOWN
    assert "workers elsewhere" in line.seen


async def test_the_function_is_told_by_version_runtime_and_hash(stand: Stand) -> None:
    [line] = await stand.lines("function")
    assert line.seen.startswith(f"{NAME} version $LATEST, python3.13 on arm64, changed 20")
    held = stand.client("lambda").get_function_configuration(FunctionName=NAME)
    assert held["CodeSha256"] in line.answer


async def test_a_function_with_other_settings_than_doctors_is_told(stand: Stand) -> None:
    other = {
        "HUB_QUEUE_URL": stand.queue,
        "HUB_EXTERNAL_ID": "of-another-hub",
        "CROSS_ACCOUNT_ROLE_NAME": "Other",
    }
    stand.client("lambda").update_function_configuration(FunctionName=NAME, Environment={"Variables": other})
    [_, line] = await stand.lines("function")
    assert line.state is State.WARNING
    assert line.seen == "it is told otherwise than doctor about HUB_EXTERNAL_ID, HUB_ROLE_NAME"
    assert "of-another-hub" not in line.answer


async def test_findings_that_come_back_while_the_function_is_at_work_are_told(stand: Stand) -> None:
    stand.set_queue(VisibilityTimeout="300")
    assert any("300 s, AWS advises 6 times" in line.seen for line in await stand.lines("queue"))


async def test_a_function_that_gets_no_findings_is_told(stand: Stand) -> None:
    client = stand.client("lambda")
    client.update_event_source_mapping(UUID=stand.mapping, Enabled=False)
    [line] = await stand.lines("event source")
    assert (line.state, line.seen) == (State.FAILED, "it is disabled: findings wait")
    client.delete_event_source_mapping(UUID=stand.mapping)
    [line] = await stand.lines("event source")
    assert (line.state, line.seen) == (State.FAILED, "the function gets no findings from the queue")


async def test_a_mapping_without_partial_answers_is_told(stand: Stand) -> None:
    client = stand.client("lambda")
    client.delete_event_source_mapping(UUID=stand.mapping)
    client.create_event_source_mapping(FunctionName=NAME, EventSourceArn=stand.queue_arn(stand.queue))
    [line] = await stand.lines("event source")
    assert (line.state, "whole batch" in line.seen) == (State.FAILED, True)


# --- who and with which settings


async def test_settings_that_miss_are_told_one_by_one(hub_settings: MakeSettings) -> None:
    health = await look(hub_settings("222233334444", external_id="", dry_run=True), Wish())
    told = [line.seen.split(" ")[0] for line in health.hub if line.subject == "settings"]
    names = ["QUEUE_URL", "REPORT_TOPIC_ARN", "EXTERNAL_ID", "DRY_RUN", "OWN_ACCOUNT_BY_ROLE"]
    assert told == [*(f"HUB_{name}" for name in names), "the"]


@pytest.mark.parametrize(
    ("setting", "value", "told"),
    [
        ("optional_bots", ("no_such_bot",), "HUB_OPTIONAL_BOTS"),
        ("bots_folder", "no-such-folder", "HUB_BOTS_FOLDER"),
    ],
)
async def test_bots_that_cannot_be_had_are_told_before_anything_is_looked_at(
    setting: str, value: object, told: str, hub_settings: MakeSettings
) -> None:
    with pytest.raises(SettingsWrong, match=told):
        await look(hub_settings("222233334444", **{setting: value}), Wish())


async def test_a_user_is_told_to_be_the_hubs_role(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    stand = make_stand(aws, function=False)
    iam = stand.client("iam")
    iam.create_user(UserName="jane")
    key = iam.create_access_key(UserName="jane")["AccessKey"]
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key["AccessKeyId"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key["SecretAccessKey"])
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    [line] = await stand.lines("hub")
    assert line.state is State.WARNING
    assert "HubRoleArn" in line.do
