"""The Lambda entry: batches from SQS with partial failures, messages straight from SNS."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hub import flow, handler
from hub import sweep as sweeping
from hub.errors import FindingUnreadable, HubError, JournalUnwritable, SettingsWrong
from hub.flow import waiting
from hub.flow.answering import answer, question
from hub.flow.kit import Kit
from hub.journals import Lease
from hub.journals.memory import MemoryJournal
from hub.model import Message
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import EXTERNAL_ID, HUB_ACCOUNT, SPOKE_ROLE, FakeAws, allow, policy, trust
from tests.hub.flow.approvals import people
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


BY_THE_CLOCK = {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}


def a_minute_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the leases of the resident hub's journal, and for its sweeper."""
    kept = handler.resident()
    journal = kept.hub.kit.journal
    assert isinstance(journal, MemoryJournal)
    now = journal._now() + timedelta(seconds=61)
    monkeypatch.setattr(journal, "_now", lambda: now)
    kept.sweeper._last = None


@pytest.fixture
def queue(spoke: Admin, aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> str:
    """A queue, and a hub that may write to it."""
    for name, value in aws.hub_credentials(allow("sqs:SendMessage")).items():
        monkeypatch.setenv(name, value)
    url = aws.admin(HUB_ACCOUNT).client("sqs").create_queue(QueueName=f"findings-{spoke.account_id}")
    monkeypatch.setenv("HUB_QUEUE_URL", url["QueueUrl"])
    return str(url["QueueUrl"])


def test_what_a_person_approves_is_taken_up_by_the_clock_and_carried_out_by_the_queue(
    spoke: Admin, queue: str, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoke.client("iam").put_role_policy(
        RoleName=SPOKE_ROLE, PolicyName="groups", PolicyDocument=policy(allow("ec2:*"))
    )
    ec2, sqs = spoke.client("ec2"), aws.admin(HUB_ACCOUNT).client("sqs")
    group = ec2.create_security_group(GroupName="old", Description="unused")["GroupId"]
    told = finding(spoke.account_id, "sg_delete", id=group, region="us-east-1", type="SG")
    assert handler.handler(from_sqs(json.dumps(told)), None) == {"batchItemFailures": []}
    kept = handler.resident()

    async def approved() -> str:
        [waits] = [each async for each in waiting.everybody(kept.hub.kit.journal)]
        async with people(aws, kept.hub, "ada") as (ada,):
            await answer(ada.kit, await question(ada.kit, waits.run_id), approved=True, because="see OPS-17")
        return waits.run_id

    run_id = kept.run(approved())
    assert handler.handler(BY_THE_CLOCK, Context(900)) == {"batchItemFailures": []}
    assert "Messages" not in sqs.receive_message(QueueUrl=queue), "somebody looked within this minute"
    a_minute_passes(monkeypatch)
    assert handler.handler(BY_THE_CLOCK, Context(900)) == {"batchItemFailures": []}
    [sent] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(sent["Body"]) == {"remediation-hub:resume": run_id}
    for _ in range(2):
        assert handler.handler(from_sqs(sent["Body"]), None) == {"batchItemFailures": []}
    deleted = [call for call in aws.calls(spoke.account_id) if call.operation == "DeleteSecurityGroup"]
    assert len(deleted) == 1


def test_an_invocation_ends_with_a_sweep_once_a_minute_if_there_is_time(
    spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    sweeps: list[Kit] = []

    async def look(kit: Kit) -> int:
        sweeps.append(kit)
        return 0

    leased: list[str] = []
    lease = MemoryJournal.lease

    async def noted(journal: MemoryJournal, name: str, *, owner: str, seconds: float) -> Lease | None:
        leased.append(name)
        return await lease(journal, name, owner=owner, seconds=seconds)

    monkeypatch.setattr(sweeping, "sweep", look)
    monkeypatch.setattr(MemoryJournal, "lease", noted)
    event = from_sqs(versioning_finding(spoke, bucket(spoke)))
    for _ in range(3):
        handler.handler(event, Context(900))
    assert len(sweeps) == 1
    assert leased.count("sweep") == 1, "within the minute the journal is not even asked"
    a_minute_passes(monkeypatch)
    handler.handler(event, Context(handler.RESERVE_SECONDS + sweeping.LEAST_SECONDS - 1))
    assert len(sweeps) == 1, "there was no time"
    handler.handler(event, Context(900))
    assert len(sweeps) == 2


def test_a_sweep_that_fails_fails_no_message(
    spoke: Admin, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fails(_kit: Kit) -> int:
        raise JournalUnwritable("the table is away")

    monkeypatch.setattr(sweeping, "sweep", fails)
    name = bucket(spoke)
    answered = handler.handler(from_sqs(versioning_finding(spoke, name), "not JSON"), Context(900))
    assert answered == {"batchItemFailures": [{"itemIdentifier": "record-1"}]}
    assert versioning(spoke, name) == "Enabled"
    assert "the table is away" in capsys.readouterr().err
    a_minute_passes(monkeypatch)
    assert handler.handler(BY_THE_CLOCK, Context(900)) == {"batchItemFailures": []}
