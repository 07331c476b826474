"""`hub plan`, saved plans and `hub apply` on the fake AWS, as a person or a script would use them."""

from __future__ import annotations

import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from typer.testing import Result

from hub.aws.accounts import HubIdentity
from hub.cli import apply as command
from hub.errors import HubError, NotNow, PutOff
from hub.flow import saved
from hub.journals import Journal
from hub.journals.choose import open_journal
from hub.settings import Settings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws
from tests.hub.cli.conftest import Say
from tests.hub.cli.test_run_plan_undo import lines, wrong_bucket
from tests.hub.flow.test_settle import versioning, writes
from tests.hub.messages import finding


def refused(result: Result) -> str:
    """What is said by a command that ends with exit status 2."""
    if isinstance(result.exception, HubError):
        return str(result.exception)  # `hub.cli.main` makes that exit status of it
    assert result.exit_code == 2
    return " ".join(result.stderr.replace("│", " ").split())


def test_a_plan_tells_the_state_the_calls_the_guards_and_the_way_back(say: Say, spoke: Admin) -> None:
    name, path = wrong_bucket(spoke)
    (step,) = lines(say("plan", path, "--json").stdout)
    assert step["schema"] == "remediation-hub/plan/1"
    assert step["before"]["status"] == "Off"
    assert step["calls"] == [
        {
            "service": "s3",
            "operation": "PutBucketVersioning",
            "region": "us-east-1",
            "params": {
                "Bucket": name,
                "ExpectedBucketOwner": spoke.account_id,
                "VersioningConfiguration": {"Status": "Enabled"},
            },
        }
    ]
    assert step["calls_after_these"] is None
    assert step["undo"] == {"degree": "nearest", "why": step["undo"]["why"]}
    assert "suspend" in step["undo"]["why"]
    said = {each["guard"]: each["decision"] for each in step["guards"]}
    assert said["scope"] == said["own resources"] == "go"


def test_a_person_reads_a_plan_in_100_columns(
    say: Say, spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    name, path = wrong_bucket(spoke, "a-bucket-with-a-name-that-is-rather-long")
    told = say("plan", path)
    assert told.exit_code == 0, told.output
    assert max(map(len, told.stdout.splitlines())) <= 100
    joined = "".join(told.stdout.split())
    for part in (
        name,
        "would-fix",
        "PutBucketVersioning",
        'VersioningConfiguration:{"Status":"Enabled"}',
        "ownresources",
        "nearest:",
        "1step:1would-fix",
    ):
        assert part in joined, told.stdout


def test_a_plan_uses_the_journal_that_is_there_and_leaves_it_as_it_was(
    say: Say, spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = wrong_bucket(spoke)
    opened: list[str] = []

    def remember(settings: Settings, identity: HubIdentity) -> AbstractAsyncContextManager[Journal]:
        opened.append(settings.journal)
        return open_journal(settings, identity)

    monkeypatch.setattr("hub.app.open_journal", remember)
    say("plan", path)
    say("run", path)
    known = say("history", "--json").stdout
    say("plan", path)
    assert [where.partition(":")[0] for where in opened] == ["memory", "sqlite", "sqlite"]
    assert say("history", "--json").stdout == known


def test_why_not_all_calls_are_told_stands_beside_those_that_are(
    say: Say, spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("bots").mkdir()
    Path("bots/team_bot.py").write_text(
        "def run_action(boto_session, rule, entity, params):\n    return 'done'\n"
    )
    monkeypatch.setenv("HUB_BOTS_FOLDER", "bots")
    given = json.dumps(finding(spoke.account_id, "team_bot", id="b", region="us-east-1"))
    (step,) = lines(say("plan", "-", "--json", given=given).stdout)
    assert (step["outcome"], step["calls"]) == ("waiting", [])
    assert step["calls_after_these"].startswith("a bot in the old shape calls AWS by itself")
    assert step["notes"] == []
    assert "maybe more" in say("plan", "-", given=given).stdout
    assert (
        "**Maybe more calls:** a bot in the old shape" in say("plan", "-", "--markdown", given=given).stdout
    )


def test_a_finding_that_is_there_twice_is_planned_once(say: Say, spoke: Admin) -> None:
    _, path = wrong_bucket(spoke)
    text = Path(path).read_text()
    assert len(lines(say("plan", "-", "--json", given=f"{text}\n{text}\n").stdout)) == 1


def test_a_change_ticket_gets_markdown_that_marks_up_nothing_of_the_findings(
    say: Say, spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, path = wrong_bucket(spoke)
    document = json.loads(Path(path).read_text())
    document["rule"]["name"] = "![x](https://evil.example) | @all\n# Approved"
    told = say("plan", "-", "--markdown", given=json.dumps(document))
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("# Remediation plan\n\n1 step: 1 would-fix\n")
    assert f"## 1. `s3_enable_versioning` on `{name}`: would-fix" in told.stdout
    assert '"operation": "PutBucketVersioning"' in told.stdout
    assert '"status": "Off"' in told.stdout
    assert "![x](" not in told.stdout
    assert "\n# Approved" not in told.stdout
    assert r"\@all" in told.stdout
    nothing = say("plan", "-", "--markdown", given=json.dumps(document | {"remediationActions": []}))
    assert nothing.stdout == "# Remediation plan\n\nNothing to do.\n"


def test_secrets_of_a_finding_are_not_shown(say: Say, spoke: Admin) -> None:
    _, path = wrong_bucket(spoke)
    document = json.loads(Path(path).read_text()) | {
        "logsHttpEndpoint": "https://logs.example.com",
        "logsHttpEndpointKey": "a-key-that-nobody-shall-see",
        "logsHttpEndpointStreamName": "s",
        "logsHttpEndpointStreamPartitionKey": "p",
    }
    document["entity"]["name"] = "a-key-that-nobody-shall-see"
    document["rule"]["name"] = "a-key-that-nobody-shall-see"
    for form in ((), ("--json",), ("--markdown",), ("--save",)):
        told = say("plan", "-", *form, given=json.dumps(document))
        assert told.exit_code == 0, told.output
        assert "nobody-shall-see" not in told.output
        assert "[secret removed]" in told.output.replace("\\", "")


def test_a_saved_plan_is_shown_carried_out_once_and_told_from_then_on(
    aws: FakeAws, say: Say, spoke: Admin
) -> None:
    name, path = wrong_bucket(spoke)
    right, other = wrong_bucket(spoke, "right")
    spoke.client("s3").put_bucket_versioning(Bucket=right, VersioningConfiguration={"Status": "Enabled"})
    made = say("plan", path, other, "--save", "--keep", "3d", "--json")
    assert made.exit_code == 0, made.output
    *steps, head = lines(made.stdout)
    assert [step["outcome"] for step in steps] == ["would-fix", "compliant"]
    assert (head["steps"], head["to_carry_out"], head["applied"]) == (2, 1, None)
    plan = head["plan"]

    shown = say("plan", "--saved", plan, "--json")
    assert lines(shown.stdout) == [*steps, head]
    page = say("plan", "--saved", plan)
    assert "not yet" in page.stdout
    assert f"hub apply {plan}" in page.stdout
    assert f"`hub apply {plan}`" in say("plan", "--saved", plan, "--markdown").stdout
    assert writes(aws, spoke) == []

    done = say("apply", plan, "--json")
    assert done.exit_code == 0, done.output
    report, summary = lines(done.stdout)
    assert report["Rules violations found"][0]["Outcome"] == "fixed"
    assert summary["outcomes"] == {"fixed": 1}
    assert [each["target"] for each in summary["left_alone"]] == [right]
    assert versioning(spoke, name) == "Enabled"

    assert "carried out before" in refused(say("apply", plan))
    assert writes(aws, spoke) == ["PutBucketVersioning"]
    assert "Carried out" in (after := say("plan", "--saved", plan).stdout)
    assert "not yet" not in after


def test_a_person_sees_what_was_done_and_what_was_left_alone(say: Say, spoke: Admin) -> None:
    changed, path = wrong_bucket(spoke)
    right, other = wrong_bucket(spoke, "right")
    s3 = spoke.client("s3")
    s3.put_bucket_versioning(Bucket=right, VersioningConfiguration={"Status": "Enabled"})
    plan = lines(say("plan", path, other, "--save", "--json").stdout)[-1]["plan"]
    s3.put_bucket_versioning(Bucket=changed, VersioningConfiguration={"Status": "Suspended"})
    done = say("apply", plan)
    assert done.exit_code == 0, done.output
    assert "not as it was when the plan was made" in " ".join(done.stdout.replace("│", " ").split())
    assert "Not carried out, as planned:" in done.stdout
    assert right in done.stdout
    assert done.stdout.endswith(f"plan {plan}: 1 refused\n")
    assert versioning(spoke, changed) == "Suspended"


def test_a_plan_of_nothing_is_not_saved(say: Say, spoke: Admin) -> None:
    passed = json.dumps(finding(spoke.account_id, "s3_enable_versioning", id="b") | {"status": "Passed"})
    told = say("plan", "-", "--save", given=passed)
    assert told.exit_code == 0, told.output
    assert "nothing to do" in told.stdout
    assert "hub apply" not in told.stdout


def test_a_plan_of_another_hub_is_carried_out_with_a_remark(
    say: Say, spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = wrong_bucket(spoke)
    plan = lines(say("plan", path, "--save", "--json").stdout)[-1]["plan"]
    monkeypatch.setattr("hub.__version__", "99.0.0")
    done = say("apply", plan)
    assert done.exit_code == 0, done.output
    assert "and this is hub 99.0.0" in done.stderr


def test_a_step_that_fails_gives_exit_status_1(say: Say, spoke: Admin) -> None:
    _, path = wrong_bucket(spoke)
    plan = lines(say("plan", path, "--save", "--json").stdout)[-1]["plan"]
    spoke.client("iam").delete_role_policy(RoleName="Dome9CloudBots", PolicyName="remediation")
    done = say("apply", plan, "--json")
    assert done.exit_code == 1
    assert lines(done.stdout)[0]["Rules violations found"][0]["Outcome"] == "denied"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("apply", "4be1c0ffee01"), "knows no plan"),
        (("plan", "--saved", "4be1c0ffee01"), "knows no plan"),
        (("plan",), "--saved"),
        (("plan", "f.json", "--saved", "x"), "--saved"),
        (("plan", "--saved", "x", "--save"), "saved already"),
        (("plan", "f.json", "--json", "--markdown"), "exclude each other"),
        (("plan", "f.json", "--save", "--keep", "soon"), "no length of time"),
        (("plan", "f.json", "--save", "--keep", "0"), "not between"),
        (("plan", "f.json", "--save", "--keep", "91d"), "not between"),
    ],
)
def test_what_cannot_be_meant_gives_exit_status_2(words: tuple[str, ...], told: str, say: Say) -> None:
    assert told in refused(say(*words))


def test_apply_waits_for_aws_and_for_others_but_not_for_ever(
    say: Say, spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, path = wrong_bucket(spoke)
    plan = lines(say("plan", path, "--save", "--json").stdout)[-1]["plan"]
    real, hindrances = saved.carry_out, [PutOff("a key to appear", seconds=0.0), NotNow("busy", seconds=0.0)]

    async def hindered(*given: object) -> object:
        if hindrances:
            raise hindrances.pop()
        return await real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(saved, "carry_out", hindered)
    done = say("apply", plan, "--json")
    assert done.exit_code == 0, done.output
    assert "waiting 0 s: a key to appear" in done.stderr
    assert lines(done.stdout)[0]["Rules violations found"][0]["Outcome"] == "fixed"

    _, path = wrong_bucket(spoke, "second")
    plan = lines(say("plan", path, "--save", "--json").stdout)[-1]["plan"]
    hindrances.extend(NotNow("busy", seconds=0.0) for _ in range(command.TRIES_WHEN_BUSY))
    assert refused(say("apply", plan)) == "busy"
    gone_on = say("apply", plan, "--json")
    assert lines(gone_on.stdout)[0]["Rules violations found"][0]["Outcome"] == "fixed"
