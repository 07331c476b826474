"""The whole flow on the fake AWS: what each kind of finding comes to, and what is written where."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bots._aws import AwsError
from hub.app import Hub, open_hub
from hub.aws.account import SpokeAccount
from hub.errors import JournalUnwritable, NotNow
from hub.journals import Query
from hub.journals.memory import MemoryJournal
from hub.model import Message, Outcome, Report, Run
from tests.bots import buckets
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy, trust
from tests.hub.flow.cutting_off import cut_off
from tests.hub.messages import finding, message

BUCKETS = "arn:aws:s3:::*"
READS = (
    "s3:ListBucket",
    "s3:GetBucketVersioning",
    "s3:GetEncryptionConfiguration",
    "s3:GetBucketPolicy",
    "s3:GetBucketAcl",
)
RIGHTS = policy(
    allow(*READS, "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration", resource=BUCKETS),
    allow("kms:DescribeKey", resource="arn:aws:kms:*:*:key/*"),
)


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke({"remediation": RIGHTS})


def bucket(admin: Admin, name: str = "data") -> str:
    full = f"{name}-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=full)
    return full


def versioning(admin: Admin, name: str) -> str:
    return str(admin.client("s3").get_bucket_versioning(Bucket=name).get("Status", "Off"))


def only(report: Report | None) -> Run:
    assert report is not None
    assert len(report.runs) == 1
    return report.runs[0]


def writes(aws: FakeAws, admin: Admin) -> list[str]:
    return [call.operation for call in aws.calls(admin.account_id) if call.is_write]


@asynccontextmanager
async def hub_with(hub: Hub, **parts: Any) -> AsyncIterator[Hub]:
    """The same hub with other parts."""
    yield Hub(replace(hub.kit, **parts))


async def history(hub: Hub) -> list[Run]:
    return [run async for run in hub.kit.journal.runs(Query())]


async def test_two_bots_of_one_finding_make_one_report_with_two_proven_entries(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        sent = message(spoke.account_id, "s3_enable_encryption s3", "s3_enable_versioning", id=name)
        report = await hub.settle(sent)
    assert report is not None
    assert [run.bot for run in report.runs] == ["s3_enable_encryption", "s3_enable_versioning"]
    assert report.outcomes == (Outcome.COMPLIANT, Outcome.FIXED), "AWS encrypts every new bucket"
    assert versioning(spoke, name) == "Enabled"


async def test_a_finding_about_something_right_already_writes_nothing(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    spoke.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        run = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id=name)))
    assert run.outcome is Outcome.COMPLIANT
    assert not run.changed
    assert writes(aws, spoke) == []


@pytest.mark.parametrize("kind", ["passed", "no bot"])
async def test_nothing_is_run_or_reported_when_nothing_is_due(
    kind: str, aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    document = finding(spoke.account_id, "s3_enable_versioning", id=name)
    if kind == "passed":
        document["status"] = "Passed"
    else:
        document["remediationActions"] = []
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        assert await hub.settle(Message(body=json.dumps(document))) is None
        assert await history(hub) == []
    assert aws.calls(spoke.account_id) == ()


@pytest.mark.parametrize(
    ("changes", "action", "words"),
    [
        ({"account": {"id": "12345", "vendor": "AWS"}}, "s3_enable_versioning", "not 12 digits"),
        ({"account": {"id": "999900001111", "vendor": "AWS"}}, "s3_enable_versioning", "not listed"),
        ({"account": {"id": "222233334444", "vendor": "Azure"}}, "s3_enable_versioning", "Azure"),
        ({"entity": {"id": "b", "region": "atlantis-1"}}, "s3_enable_versioning", "atlantis-1"),
        ({"entity": {}}, "s3_enable_versioning", "no id or name"),
        ({"entity": {"id": "b\u0007ell"}}, "s3_enable_versioning", "control characters"),
        ({}, "s3_enable_versionin", "s3_enable_versioning"),
        ({}, "s3_enable_versioning extra", "extra"),
        ({}, "s3_enable_encryption", "encryption_type"),
        ({}, "s3_enable_encryption rot13", "rot13"),
        ({}, "../../etc/passwd", "no bot called"),
        ({}, "_bot", "no bot called"),
    ],
)
async def test_bad_input_gets_an_entry_that_says_what_is_wrong_and_nothing_is_touched(
    changes: dict[str, Any], action: str, words: str, aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    document = finding(spoke.account_id, action, id=bucket(spoke)) | changes
    seen = len(aws.calls())
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        run = only(await hub.settle(Message(body=json.dumps(document))))
        assert [each.run_id for each in await history(hub)] == [run.run_id]
    assert run.outcome is Outcome.INVALID
    assert words in run.message
    assert not run.changed
    assert {call.name for call in aws.calls()[seen:]} <= {"sts:GetCallerIdentity"}


async def test_a_resource_of_another_account_is_refused_before_any_account_is_entered(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    entity = {"id": "arn:aws:kms:us-east-1:999900001111:key/1234", "region": "us_east_1"}
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        run = only(await hub.settle(message(spoke.account_id, "kms_enable_rotation", **entity)))
    assert run.outcome is Outcome.INVALID
    assert "999900001111" in run.message
    assert aws.calls(spoke.account_id) == ()


async def test_an_unreadable_message_gives_a_report_with_the_reason(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        report = await hub.settle(Message(body="{ not json"))
        assert report is not None
        assert report.runs == ()
        assert report.error
        assert await hub.settle(Message(body="{ not json")) is None, "it is reported once"


async def test_an_account_that_cannot_be_entered_is_told_apart_and_the_others_finish(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    closed = aws.spoke({"remediation": RIGHTS}, trusts=trust("arn:aws:iam::999900001111:role/another"))
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id, closed.account_id)) as hub:
        refused, fixed = await asyncio.gather(
            hub.settle(message(closed.account_id, "s3_enable_versioning", id="somewhere")),
            hub.settle(message(spoke.account_id, "s3_enable_versioning", id=name)),
        )
    run = only(refused)
    assert run.outcome is Outcome.DENIED
    assert closed.account_id in run.message
    assert "spoke stack" in run.message
    assert only(fixed).outcome is Outcome.FIXED


async def test_a_denied_read_is_unknown_and_never_leads_to_a_write(
    aws: FakeAws, hub_settings: MakeSettings
) -> None:
    blind = aws.spoke({"remediation": policy(allow("s3:ListBucket", "s3:PutBucketVersioning"))})
    name = bucket(blind)
    async with open_hub(hub_settings(blind.account_id)) as hub:
        run = only(await hub.settle(message(blind.account_id, "s3_enable_versioning", id=name)))
    assert run.outcome is Outcome.DENIED
    assert "GetBucketVersioning" in run.message
    assert writes(aws, blind) == []
    assert versioning(blind, name) == "Off"


async def test_a_throttled_read_is_unknown_and_never_leads_to_a_write(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bucket(spoke)

    async def throttled(self: SpokeAccount, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        raise AwsError(
            service=service, operation=operation, region=self.region, code="SlowDown", message="please"
        )

    async with open_hub(hub_settings(spoke.account_id)) as hub:
        monkeypatch.setattr(SpokeAccount, "call", throttled)
        run = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id=name)))
    assert run.outcome is Outcome.THROTTLED
    assert writes(aws, spoke) == []


async def test_a_bot_that_raises_gives_a_failed_entry_without_its_text_and_the_others_finish(
    spoke: Admin, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bucket(spoke)
    real = SpokeAccount.call

    async def broken(self: SpokeAccount, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        if operation == "GetBucketEncryption":
            raise ZeroDivisionError("secret=hunter2")
        return await real(self, service, operation, **params)

    async with open_hub(hub_settings(spoke.account_id)) as hub:
        monkeypatch.setattr(SpokeAccount, "call", broken)
        sent = message(spoke.account_id, "s3_enable_encryption s3", "s3_enable_versioning", id=name)
        report = await hub.settle(sent)
    assert report is not None
    assert report.outcomes == (Outcome.FAILED, Outcome.FIXED)
    assert "ZeroDivisionError" in report.runs[0].message
    assert "hunter2" not in report.runs[0].message


async def test_a_write_that_aws_accepts_but_does_not_show_is_unproven(
    spoke: Admin, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bucket(spoke)
    real = SpokeAccount.call

    async def lost(self: SpokeAccount, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        return {} if operation.startswith("Put") else await real(self, service, operation, **params)

    async with open_hub(hub_settings(spoke.account_id)) as hub:
        monkeypatch.setattr(SpokeAccount, "call", lost)
        run = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id=name)))
    assert run.outcome is Outcome.UNPROVEN
    assert run.outcome.status == "failed"
    assert not run.changed


async def test_a_write_that_worked_although_its_answer_was_lost_is_fixed_and_says_so(
    spoke: Admin, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = bucket(spoke)
    real = SpokeAccount.call

    async def cut(self: SpokeAccount, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        answer = await real(self, service, operation, **params)
        if operation.startswith("Put"):
            raise AwsError(service=service, operation=operation, region="", code="Network", message="reset")
        return answer

    async with open_hub(hub_settings(spoke.account_id)) as hub:
        monkeypatch.setattr(SpokeAccount, "call", cut)
        run = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id=name)))
    assert run.outcome is Outcome.FIXED
    assert "reset" in run.message


class Unwritable(MemoryJournal):
    async def open(self, run: Run) -> Run:
        raise JournalUnwritable("the table is gone")


async def test_without_a_journal_nothing_is_changed(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with (
        open_hub(hub_settings(spoke.account_id)) as hub,
        hub_with(hub, journal=Unwritable()) as other,
    ):
        run = only(await other.settle(message(spoke.account_id, "s3_enable_versioning", id=name)))
    assert run.outcome is Outcome.FAILED
    assert "nothing was changed" in run.message
    assert writes(aws, spoke) == []


async def test_a_bucket_is_put_right_where_it_lives_whatever_region_the_finding_says(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = buckets.make(spoke, f"far-{spoke.account_id}", "eu-west-1")
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        sent = message(spoke.account_id, "s3_enable_versioning", id=name, region="eu_central_1")
        run = only(await hub.settle(sent))
        assert (run.outcome, run.region) == (Outcome.FIXED, "eu-west-1")
        undone = only(await hub.undo(run.run_id))
    assert (undone.outcome, versioning(spoke, name)) == (Outcome.RESTORED, "Suspended")
    asked = [call.region for call in aws.calls(spoke.account_id) if call.operation == "PutBucketVersioning"]
    assert asked == ["eu-west-1"] * 2
    assert not any(call.operation == "HeadBucket" for call in aws.calls(spoke.account_id))


class Sequence(MemoryJournal):
    """Writes down when a run was opened, between the calls to AWS."""

    def __init__(self, aws: FakeAws, account_id: str) -> None:
        super().__init__()
        self._aws, self._account_id = aws, account_id
        self.before_opening: list[str] | None = None

    async def open(self, run: Run) -> Run:
        assert run.before is not None
        self.before_opening = [call.operation for call in self._aws.calls(self._account_id)]
        return await super().open(run)


async def test_what_was_there_is_written_down_before_the_first_write(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    journal = Sequence(aws, spoke.account_id)
    async with open_hub(hub_settings(spoke.account_id)) as hub, hub_with(hub, journal=journal) as watched:
        await watched.settle(message(spoke.account_id, "s3_enable_versioning", id=name))
    assert journal.before_opening == ["GetBucketVersioning"]
    assert writes(aws, spoke) == ["PutBucketVersioning"]


async def test_a_message_is_settled_once_however_often_it_comes(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    sent = message(spoke.account_id, "s3_enable_versioning", id=name)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        results = await asyncio.gather(*(hub.settle(sent) for _ in range(5)), return_exceptions=True)
        again = await hub.settle(sent)
    reports = [each for each in results if isinstance(each, Report)]
    assert len(reports) == 1
    assert all(each is None or isinstance(each, NotNow | Report) for each in results)
    assert again is None
    assert writes(aws, spoke) == ["PutBucketVersioning"]


async def test_two_findings_about_one_bucket_are_worked_on_one_after_the_other(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        reports = await asyncio.gather(
            *(
                hub.settle(message(spoke.account_id, "s3_enable_versioning", key=f"key-{number}", id=name))
                for number in range(6)
            )
        )
    outcomes = sorted(str(only(report).outcome) for report in reports)
    assert outcomes == ["compliant"] * 5 + ["fixed"]
    assert writes(aws, spoke) == ["PutBucketVersioning"]


async def test_a_finding_that_comes_back_later_runs_again(spoke: Admin, hub_settings: MakeSettings) -> None:
    name = bucket(spoke)
    first = finding(spoke.account_id, "s3_enable_versioning", id=name)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        assert only(await hub.settle(Message(body=json.dumps(first)))).outcome is Outcome.FIXED
        spoke.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
        later = first | {"reportTime": "2026-12-02T08:14:27.318Z"}
        assert only(await hub.settle(Message(body=json.dumps(later)))).outcome is Outcome.FIXED


async def test_an_interrupted_fix_keeps_the_first_prior_state_and_is_finished_by_the_next_worker(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    sent = message(spoke.account_id, "s3_enable_versioning", id=name)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        await cut_off(hub, sent)
        (left,) = await history(hub)
        assert left.outcome is None, "an interrupted run is visible as open"
        assert left.before is not None
        run = only(await hub.settle(sent))
        assert run.run_id == left.run_id
        assert run.outcome is Outcome.FIXED
        assert run.before == left.before
        assert run.changed
        assert only(await hub.undo(run.run_id)).outcome is Outcome.RESTORED
    assert writes(aws, spoke) == ["PutBucketVersioning", "PutBucketVersioning"]
    assert versioning(spoke, name) == "Suspended"


async def test_a_dry_run_says_what_it_would_do_and_a_plan_leaves_no_trace(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    sent = message(spoke.account_id, "s3_enable_versioning", "no_such_bot", id=name)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        planned = await hub.preview(sent)
        assert [run.outcome for run in planned] == [Outcome.WOULD_FIX, Outcome.INVALID]
        assert await history(hub) == []
    async with open_hub(hub_settings(spoke.account_id, dry_run=True)) as hub:
        report = await hub.settle(sent)
        assert report is not None
        assert report.outcomes == (Outcome.WOULD_FIX, Outcome.INVALID)
    assert writes(aws, spoke) == []


async def test_single_mode_refuses_other_accounts_without_entering_them(
    aws: FakeAws, spoke: Admin, hub_settings: MakeSettings
) -> None:
    async with open_hub(hub_settings(deployment_mode="single")) as hub:
        run = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id="data")))
    assert run.outcome is Outcome.REFUSED
    assert "single" in run.message
    assert aws.calls(spoke.account_id) == ()
