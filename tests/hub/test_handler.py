"""The Lambda entry: batches from SQS with partial failures, messages straight from SNS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from hub import flow, handler
from hub.errors import FindingUnreadable, HubError, SettingsWrong
from hub.flow.kit import Kit
from hub.model import Message
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import EXTERNAL_ID, HUB_ACCOUNT, SPOKE_ROLE, FakeAws, allow, policy, trust
from tests.hub.flow.test_settle import RIGHTS, bucket, versioning
from tests.hub.messages import finding, notification


@pytest.fixture
def spoke(hub_environment: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[Admin]:
    admin = hub_environment.spoke({"remediation": RIGHTS})
    monkeypatch.setenv("HUB_DEPLOYMENT_MODE", "multi")
    monkeypatch.setenv("HUB_EXTERNAL_ID", EXTERNAL_ID)
    monkeypatch.setenv("HUB_ACCOUNTS", admin.account_id)
    monkeypatch.setenv("HUB_JOURNAL", "memory")
    handler.resident.cache_clear()
    yield admin
    if handler.resident.cache_info().currsize:
        handler.resident().close()
    handler.resident.cache_clear()


def from_sqs(*bodies: str) -> dict[str, Any]:
    return {
        "Records": [
            {"eventSource": "aws:sqs", "messageId": f"record-{number}", "body": body}
            for number, body in enumerate(bodies)
        ]
    }


def from_sns(body: str) -> dict[str, Any]:
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "m", "Message": body}}]}


def versioning_finding(admin: Admin, name: str) -> str:
    return json.dumps(finding(admin.account_id, "s3_enable_versioning", key=name, id=name))


def test_a_batch_is_settled_and_only_what_could_not_be_is_handed_back(spoke: Admin) -> None:
    names = [bucket(spoke, "one"), bucket(spoke, "two")]
    bodies = [
        notification(versioning_finding(spoke, names[0])),
        "not JSON",
        versioning_finding(spoke, names[1]),
    ]
    answer = handler.handler(from_sqs(*bodies), None)
    assert answer == {"batchItemFailures": [{"itemIdentifier": "record-1"}]}
    assert [versioning(spoke, name) for name in names] == ["Enabled", "Enabled"]


def test_a_message_straight_from_sns_is_settled(spoke: Admin) -> None:
    name = bucket(spoke)
    assert handler.handler(from_sns(versioning_finding(spoke, name)), None) == {"batchItemFailures": []}
    assert versioning(spoke, name) == "Enabled"


def test_what_sns_delivers_and_the_hub_cannot_settle_is_delivered_again(
    spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:111122223333:no-such-topic")
    with pytest.raises(HubError, match="deliver it again"):
        handler.handler(from_sns(versioning_finding(spoke, bucket(spoke))), None)


def test_what_must_wait_is_handed_back_and_comes_again_when_it_is_time(
    spoke: Admin, monkeypatch: pytest.MonkeyPatch, aws: FakeAws
) -> None:
    rights = allow("sqs:ChangeMessageVisibility")
    for name, value in aws.hub_credentials(rights, role="hub-with-a-queue").items():
        monkeypatch.setenv(name, value)
    trust_all = trust(f"arn:aws:iam::{HUB_ACCOUNT}:role/hub-with-a-queue")
    spoke.client("iam").update_assume_role_policy(RoleName=SPOKE_ROLE, PolicyDocument=trust_all)
    sqs = aws.admin(HUB_ACCOUNT).client("sqs")
    url = sqs.create_queue(QueueName=f"waiting-{spoke.account_id}")["QueueUrl"]
    monkeypatch.setenv("HUB_QUEUE_URL", url)
    at = datetime.now(UTC).replace(microsecond=0)
    document = finding(spoke.account_id, "acl_delete")
    logged = {"alertWindowStartTime": f"{at:%Y-%m-%dT%H:%M:%SZ}"}
    document["additionalFields"] = [{"name": "logic_data", "value": json.dumps(logged)}]
    sqs.send_message(QueueUrl=url, MessageBody=json.dumps(document))
    [taken] = sqs.receive_message(QueueUrl=url, VisibilityTimeout=1800)["Messages"]
    event = from_sqs(taken["Body"])
    event["Records"][0]["receiptHandle"] = taken["ReceiptHandle"]
    spoke.client("iam").put_role_policy(
        RoleName=SPOKE_ROLE, PolicyName="look", PolicyDocument=policy(allow("cloudtrail:LookupEvents"))
    )
    assert handler.handler(event, None) == {"batchItemFailures": [{"itemIdentifier": "record-0"}]}
    entries = [
        entry
        for call in aws.calls(HUB_ACCOUNT)
        if call.operation == "ChangeMessageVisibilityBatch"
        for entry in call.params["Entries"]
    ]
    [told] = [entry for entry in entries if entry["ReceiptHandle"] == taken["ReceiptHandle"]]
    assert told["VisibilityTimeout"] == 300


@dataclass(frozen=True, slots=True)
class Context:
    """Lambda's, with so much time left."""

    seconds: float

    def get_remaining_time_in_millis(self) -> int:
        return int(1000 * self.seconds)


def test_what_does_not_end_in_time_is_broken_off_and_handed_back(
    spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [bucket(spoke, "one"), bucket(spoke, "slow")]
    settle = flow.settle
    ends: list[str] = []

    async def slowly(kit: Kit, message: Message) -> flow.Settlement:
        try:
            if "slow" in message.body:
                await asyncio.Event().wait()
            return await settle(kit, message)
        finally:
            ends.append(message.body)

    monkeypatch.setattr(flow, "settle", slowly)
    event = from_sqs(*(versioning_finding(spoke, name) for name in names))
    answer = handler.handler(event, Context(handler.RESERVE_SECONDS + 5))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "record-1"}]}
    assert len(ends) == 2, "nothing goes on unwatched"
    assert [versioning(spoke, name) for name in names] == ["Enabled", "Off"]
    monkeypatch.setattr(flow, "settle", settle)
    assert handler.handler(event, Context(900)) == {"batchItemFailures": []}
    assert [versioning(spoke, name) for name in names] == ["Enabled", "Enabled"]


def test_the_hub_stays_open_for_the_next_invocation(spoke: Admin, aws: FakeAws) -> None:
    names = [bucket(spoke, "one"), bucket(spoke, "two")]
    for name in names:
        handler.handler(from_sqs(versioning_finding(spoke, name)), Context(900))
    assert [versioning(spoke, name) for name in names] == ["Enabled", "Enabled"]
    entries = [
        call
        for call in aws.calls(HUB_ACCOUNT)
        if call.operation == "AssumeRole" and spoke.account_id in call.params["RoleArn"]
    ]
    assert len(entries) == 1


def test_a_hub_that_cannot_be_opened_is_tried_again_next_time(
    spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bucket(spoke)
    event = from_sqs(versioning_finding(spoke, name))
    with monkeypatch.context() as patch:
        patch.setenv("HUB_BOTS_FOLDER", "/no/such/folder")
        with pytest.raises(SettingsWrong):
            handler.handler(event, None)
    assert handler.handler(event, None) == {"batchItemFailures": []}
    assert versioning(spoke, name) == "Enabled"


def test_throttles_are_told_once(
    spoke: Admin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_METRICS_NAMESPACE", "Remediation")
    event = from_sqs(versioning_finding(spoke, bucket(spoke)))
    handler.handler(event, None)
    handler.resident().hub.kit.accounts._pacer.throttles.count = 3
    for _ in range(2):
        handler.handler(event, None)
    told = map(json.loads, capsys.readouterr().err.splitlines())
    assert [line["Throttles"] for line in told if "Throttles" in line] == [0, 3, 0]


def test_without_time_nothing_is_begun(spoke: Admin) -> None:
    name = bucket(spoke)
    event = from_sqs(versioning_finding(spoke, name))
    assert handler.handler(event, Context(handler.RESERVE_SECONDS)) == {
        "batchItemFailures": [{"itemIdentifier": "record-0"}]
    }
    assert versioning(spoke, name) == "Off"


def test_an_event_of_another_kind_is_refused(spoke: Admin) -> None:
    with pytest.raises(FindingUnreadable):
        handler.handler({"detail-type": "EC2 Instance State-change Notification", "detail": {}}, None)
