"""Workers as processes on one queue: redelivery, a killed worker, draining, what cannot be read."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from hub.app import open_hub
from hub.flow.answering import answer, question
from hub.flow.going_on import tell
from hub.flow.resume import body_for
from hub.model import Message
from hub.settings import Settings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy, trust
from tests.hub.estate import RECEIVES, Estate, make_estate, until, worker
from tests.hub.flow.approvals import people
from tests.hub.messages import finding, notification

VERSIONING = policy(
    allow("s3:ListBucket", "s3:GetBucketVersioning", "s3:PutBucketVersioning", resource="arn:aws:s3:::*")
)


@pytest.fixture
def estate(aws: FakeAws) -> Estate[FakeAws]:
    return make_estate(aws)


def spoke(estate: Estate[FakeAws]) -> Admin:
    """An account that lets this estate's workers turn versioning on."""
    estate.credentials()
    return estate.aws.spoke({"remediation": VERSIONING}, trusts=trust(estate.role_arn))


def bucket(admin: Admin, name: str) -> str:
    full = f"{name}-{admin.account_id}"
    admin.client("s3").create_bucket(Bucket=full)
    return full


def versioning_finding(admin: Admin, name: str) -> str:
    return json.dumps(finding(admin.account_id, "s3_enable_versioning", key=f"key-{name}", id=name))


def writes(estate: Estate[FakeAws], admin: Admin) -> Counter[str]:
    """How often each bucket of the account was changed by anybody but its administrator."""
    return Counter(call.params["Bucket"] for call in estate.aws.calls(admin.account_id) if call.is_write)


def test_one_message_delivered_five_times_to_two_workers_runs_once_and_is_reported_once(
    estate: Estate[FakeAws], tmp_path: Path
) -> None:
    admin = spoke(estate)
    name = bucket(admin, "data")
    for _ in range(5):
        estate.send(notification(versioning_finding(admin, name)))
    environment = estate.environment(admin.account_id)
    with worker(environment, tmp_path / "one"), worker(environment, tmp_path / "two"):
        until(lambda: bool(estate.read_reports()) and estate.waiting() == 0, "the queue is empty")
    assert len(estate.read_reports()) == 1
    assert [entry["Outcome"] for entry in estate.reports[0]["Rules violations found"]] == ["fixed"]
    assert writes(estate, admin) == {name: 1}
    assert admin.client("s3").get_bucket_versioning(Bucket=name)["Status"] == "Enabled"


def test_what_a_killed_worker_left_is_settled_by_another_none_twice_none_lost(
    estate: Estate[FakeAws], tmp_path: Path
) -> None:
    admins = [spoke(estate) for _ in range(3)]
    names = {admin.account_id: [bucket(admin, f"data-{n:02d}") for n in range(12)] for admin in admins}
    for admin in admins:
        for name in names[admin.account_id]:
            estate.send(versioning_finding(admin, name))
    environment = estate.environment(*(admin.account_id for admin in admins), HUB_CONCURRENCY="4")
    with worker(environment, tmp_path / "killed") as first:
        until(lambda: len(estate.read_reports()) >= 5, "the first reports")
        first.kill()
    assert len(estate.read_reports()) < 36, "the worker was killed in the middle"
    with worker(environment, tmp_path / "second") as second:
        until(lambda: len({r["findingKey"] for r in estate.read_reports()}) == 36, "all reports")
        until(lambda: estate.waiting() == 0, "the queue is empty")
        assert second.stop() == 0
    ids: dict[str, set[str]] = {}
    for report in estate.read_reports():
        ids.setdefault(report["findingKey"], set()).add(report["Report id"])
        assert [entry["Outcome"] for entry in report["Rules violations found"]] == ["fixed"]
    assert all(len(found) == 1 for found in ids.values()), "a report published again keeps its id"
    for admin in admins:
        assert writes(estate, admin) == dict.fromkeys(names[admin.account_id], 1)
    assert estate.waiting(estate.dead_letters) == 0


def test_sigterm_finishes_what_is_at_hand_and_leaves_the_rest_in_the_queue(
    estate: Estate[FakeAws], tmp_path: Path
) -> None:
    admin = spoke(estate)
    for number in range(30):
        estate.send(versioning_finding(admin, bucket(admin, f"data-{number:02d}")))
    environment = estate.environment(
        admin.account_id, HUB_CONCURRENCY="2", HUB_METRICS_NAMESPACE="Hub", HUB_LOG_LEVEL="INFO"
    )
    with worker(environment, tmp_path / "log") as running:
        until(lambda: bool(estate.read_reports()), "the first report")
        assert running.stop() == 0
    settled = len(estate.read_reports())
    lines = [json.loads(line) for line in (tmp_path / "log").read_text(encoding="utf-8").splitlines()]
    metrics = [line for line in lines if "_aws" in line]
    assert sum(line["Findings"] for line in metrics if "Findings" in line) == settled
    fixed = [line for line in metrics if "Bot" in line and line["Outcome"] == "fixed"]
    assert sum(line["Runs"] for line in fixed) == settled
    assert sum(writes(estate, admin).values()) == settled
    assert estate.waiting() == 30 - settled


def test_an_unreadable_message_is_reported_once_and_ends_in_the_dead_letter_queue(
    estate: Estate[FakeAws], tmp_path: Path
) -> None:
    admin = spoke(estate)
    name = bucket(admin, "data")
    estate.send("this is not JSON {")
    estate.send(versioning_finding(admin, name))
    with worker(estate.environment(admin.account_id), tmp_path / "log"):
        until(lambda: estate.waiting(estate.dead_letters) == 1, f"given up after {RECEIVES} receives")
        until(lambda: len(estate.read_reports()) >= 2, "both reports")
        until(lambda: estate.waiting() == 0, "the queue is empty")
    errors = [report for report in estate.read_reports() if "Handle event failed" in report]
    assert len(errors) == 1
    assert "JSON" in errors[0]["Handle event failed"]
    assert len(estate.reports) == 2
    assert writes(estate, admin) == {name: 1}


async def test_what_waits_goes_on_through_the_queue_and_what_was_cut_off_by_the_sweep(
    estate: Estate[FakeAws], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.credentials()
    admin = estate.aws.spoke({"remediation": policy(allow("ec2:*"))}, trusts=trust(estate.role_arn))
    groups = {name: _group(admin, name) for name in ("told", "untold", "fresh")}
    environment = estate.environment(admin.account_id)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    async with open_hub(Settings.load()) as hub, people(estate.aws, hub, "ada") as (ada,):
        ids = {}
        for name in ("told", "untold"):
            report = await hub.settle(Message(body=_deletion(admin, groups[name], name)))
            assert report is not None
            ids[name] = report.runs[0].run_id
            said = await answer(ada.kit, await question(ada.kit, ids[name]), approved=True, because="unused")
            if name == "told":
                assert await tell(ada.kit, said)
                estate.send(body_for(ids[name]))
        estate.send(_deletion(admin, groups["fresh"], "fresh"))
        for forged in (body_for("never-heard-of"), '{"remediation-hub:resume": 7}'):
            estate.send(forged)
        with worker(environment, tmp_path / "log") as running:
            until(lambda: _outcomes(estate, "fresh") == ["waiting"], "the fresh one waits")
            until(lambda: _outcomes(estate, "told") == ["waiting", "fixed"], "the queue was told")
            until(lambda: _outcomes(estate, "untold") == ["waiting", "fixed"], "the sweep found it")
            [run_id] = [
                entry["Run"]
                for report in estate.read_reports()
                if report["findingKey"] == "fresh"
                for entry in report["Rules violations found"]
            ]
            said = await answer(ada.kit, await question(ada.kit, run_id), approved=True, because="unused")
            assert await tell(ada.kit, said)
            until(lambda: _outcomes(estate, "fresh") == ["waiting", "fixed"], "the fresh one, approved")
            until(lambda: estate.waiting() == 0, "the queue is empty")
            assert running.stop() == 0
    deleted = [call.params["GroupId"] for call in estate.aws.calls(admin.account_id) if call.is_write]
    assert sorted(deleted) == sorted(groups.values()), "each once"


def _group(admin: Admin, name: str) -> str:
    made = admin.client("ec2").create_security_group(GroupName=name, Description="unused")
    return str(made["GroupId"])


def _deletion(admin: Admin, group: str, key: str) -> str:
    told = finding(admin.account_id, "sg_delete", key=key, id=group, region="us-east-1", type="SG")
    return json.dumps(told)


def _outcomes(estate: Estate[FakeAws], key: str) -> list[str]:
    """How the runs of a finding ended, as reported."""
    return [
        entry["Outcome"]
        for report in estate.read_reports()
        if report["findingKey"] == key
        for entry in report["Rules violations found"]
    ]


def test_a_worker_says_what_is_wrong_when_its_queue_does_not_exist(
    estate: Estate[FakeAws], tmp_path: Path
) -> None:
    environment = estate.environment(HUB_QUEUE_URL=f"{estate.queue}-missing", HUB_ACCOUNTS="222233334444")
    with worker(environment, tmp_path / "log") as running:
        assert running.process.wait(timeout=60) == 2
    said = (tmp_path / "log").read_text()
    assert "error: queue" in said
    assert "Traceback" not in said
