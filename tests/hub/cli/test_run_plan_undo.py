"""`hub run | plan | history | undo` on the fake AWS, as a person or a script would use them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws
from tests.hub.cli.conftest import Say
from tests.hub.flow.test_settle import bucket, versioning, writes
from tests.hub.messages import finding

SAMPLES = Path(__file__).parents[2] / "data" / "cloudguard"


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def wrong_bucket(spoke: Admin, name: str = "data") -> tuple[str, str]:
    """A bucket without versioning, and a file with a finding about it."""
    full = bucket(spoke, name)
    path = Path(f"{name}.json")
    path.write_text(json.dumps(finding(spoke.account_id, "s3_enable_versioning", key=name, id=full)))
    return full, str(path)


def test_a_finding_is_settled_from_a_file_and_undone_from_the_history(say: Say, spoke: Admin) -> None:
    name, path = wrong_bucket(spoke)
    done = say("run", path, "--json")
    assert done.exit_code == 0, done.output
    (report,) = lines(done.stdout)
    (entry,) = report["Rules violations found"]
    assert entry["Outcome"] == "fixed"
    assert entry["Execution status"] == "passed"
    assert versioning(spoke, name) == "Enabled"

    (listed,) = lines(say("history", "--outcome", "fixed", "--account", spoke.account_id, "--json").stdout)
    assert listed["run_id"] == entry["Run"]
    whole = json.loads(say("history", entry["Run"]).stdout)
    assert whole["before"]["status"] == "Off"

    back = say("undo", entry["Run"], "--json")
    assert back.exit_code == 0, back.output
    assert lines(back.stdout)[0]["Rules violations found"][0]["Outcome"] == "restored"
    assert versioning(spoke, name) == "Suspended"


def test_a_person_reads_a_table_and_a_summary(say: Say, spoke: Admin) -> None:
    name, path = wrong_bucket(spoke)
    done = say("run", path)
    assert done.exit_code == 0, done.output
    assert name in done.stdout
    assert "fixed" in done.stdout
    assert "1 finding: 1 fixed" in done.stdout


def test_running_a_file_again_looks_again(aws: FakeAws, say: Say, spoke: Admin) -> None:
    _, path = wrong_bucket(spoke)
    say("run", path)
    again = say("run", path, "--json")
    assert again.exit_code == 0
    assert lines(again.stdout)[0]["Rules violations found"][0]["Outcome"] == "compliant"
    assert writes(aws, spoke) == ["PutBucketVersioning"]


def test_the_same_finding_twice_in_one_file_runs_once(aws: FakeAws, say: Say, spoke: Admin) -> None:
    _, path = wrong_bucket(spoke)
    text = Path(path).read_text()
    done = say("run", "-", "--json", given=f"{text}\n{text}\n")
    assert done.exit_code == 0, done.output
    assert len(lines(done.stdout)) == 1
    assert writes(aws, spoke) == ["PutBucketVersioning"]


def test_a_plan_tells_without_writing_anywhere(aws: FakeAws, say: Say, spoke: Admin) -> None:
    name, path = wrong_bucket(spoke)
    told = say("plan", path, "--json")
    assert told.exit_code == 0, told.output
    (step,) = lines(told.stdout)
    assert step["outcome"] == "would-fix"
    assert name in say("plan", path).stdout
    assert writes(aws, spoke) == []
    assert list(Path().glob("*.sqlite*")) == []


def test_a_dry_run_changes_nothing_and_says_so(aws: FakeAws, say: Say, spoke: Admin) -> None:
    _, path = wrong_bucket(spoke)
    done = say("run", path, "--dry-run", "--json")
    assert done.exit_code == 0, done.output
    assert lines(done.stdout)[0]["Rules violations found"][0]["Execution status"] == "dry run"
    assert writes(aws, spoke) == []


def test_reports_are_appended_to_a_file(say: Say, spoke: Admin) -> None:
    _, path = wrong_bucket(spoke)
    say("run", path, "--report", "out.jsonl")
    say("run", path, "--report", "out.jsonl")
    outcomes = [
        report["Rules violations found"][0]["Outcome"] for report in lines(Path("out.jsonl").read_text())
    ]
    assert outcomes == ["fixed", "compliant"]


def test_something_that_failed_gives_exit_status_1(say: Say, spoke: Admin) -> None:
    text = json.dumps(finding(spoke.account_id, "no_such_bot", id="b"))
    assert say("run", "-", given=text).exit_code == 1
    assert say("plan", "-", given=text).exit_code == 1


def test_something_unreadable_gives_exit_status_2_and_the_rest_is_done(say: Say, spoke: Admin) -> None:
    name, path = wrong_bucket(spoke)
    done = say("run", "-", given=f"{Path(path).read_text()}\nthis is not JSON\n")
    assert done.exit_code == 2
    assert "standard input" in done.stderr
    assert versioning(spoke, name) == "Enabled"
    assert say("plan", "-", given="{ not JSON").exit_code == 2


def test_a_file_that_is_not_there_gives_exit_status_2(say: Say) -> None:
    done = say("run", "no-such-file.json")
    assert done.exit_code == 2
    assert "no-such-file.json" in done.stderr


def test_an_undo_that_does_not_restore_gives_exit_status_1(say: Say, spoke: Admin) -> None:
    _, path = wrong_bucket(spoke)
    (report,) = lines(say("run", path, "--json").stdout)
    spoke.client("iam").delete_role_policy(RoleName="Dome9CloudBots", PolicyName="remediation")
    done = say("undo", report["Rules violations found"][0]["Run"], "--json")
    assert done.exit_code == 1
    assert lines(done.stdout)[0]["Rules violations found"][0]["Outcome"] == "denied"


def test_ten_thousand_findings_in_one_file_are_all_looked_at(say: Say, spoke: Admin) -> None:
    name, path = wrong_bucket(spoke)
    passed = json.dumps(finding(spoke.account_id, "s3_enable_versioning", id=name) | {"status": "Passed"})
    with Path("many.jsonl").open("w") as many:
        for number in range(9_999):
            many.write(passed.replace('"key"', f'"key-{number}"') + "\n")
        many.write(Path(path).read_text() + "\n")
    done = say("run", "many.jsonl")
    assert done.exit_code == 0, done.output
    assert "10000 findings: 1 fixed, 9999 with nothing to do" in done.stdout


EXPECTED = {
    "00_sns_lambda_envelope.json": ["gone"],
    "00_sns_over_sqs_or_http_body.json": ["compliant", "fixed"],
    "01_s3_encryption_and_versioning.json": ["compliant", "fixed"],
    "02_sg_ssh_open.json": ["gone"],
    "03_iam_user_unused_key.json": ["gone"],
    "04_ec2_instance_stop_and_tag.json": ["gone", "gone"],
    "05_kms_key_rotation.json": ["gone"],
    "06_lambda_logic_alert.json": ["gone", "gone"],
    "07_rds_public_instance.json": ["gone"],
    "08_cloudtrail_account_level.json": ["fixed"],
    "09_passed.json": [],
    "10_no_bot.json": [],
    "11_region_display_name_oregon.json": ["gone"],
    "12_compliance_tags_only.json": ["gone", "gone"],
    "13_region_global.json": ["gone", "gone"],
    "14_feedback_endpoint.json": ["gone"],
    "15_ciem_suggested_role.json": ["gone"],
}


@pytest.fixture
def sampled(aws: FakeAws, say: Say, monkeypatch: pytest.MonkeyPatch) -> Admin:
    """The account the samples are about, with the walkthrough's bucket and none of the other resources."""
    account = "222233334444"
    admin = aws.admin(account)
    if not admin.client("iam").list_roles()["Roles"]:
        everything = json.dumps(
            {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
        )
        aws.spoke({"remediation": everything}, account_id=account)
        admin.client("s3").create_bucket(Bucket="my-dome9-test")
    admin.client("s3").put_bucket_versioning(
        Bucket="my-dome9-test", VersioningConfiguration={"Status": "Suspended"}
    )
    monkeypatch.setenv("HUB_ACCOUNTS", account)
    return admin


@pytest.mark.parametrize("sample", sorted(EXPECTED))
def test_every_sample_is_run_to_an_entry_for_each_due_bot(sample: str, say: Say, sampled: Admin) -> None:
    done = say("run", str(SAMPLES / sample), "--json")
    outcomes = [
        entry["Outcome"] for report in lines(done.stdout) for entry in report["Rules violations found"]
    ]
    assert outcomes == EXPECTED[sample], done.output
    assert done.exit_code == (1 if "invalid" in outcomes else 0)
    assert "EXAMPLE-not-a-real-key" not in done.output
