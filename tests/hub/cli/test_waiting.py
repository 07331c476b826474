"""`hub waiting | approve | reject | resume`, as people on several machines would use them."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

import hub
from hub.cli import answer as answer_command
from hub.flow.resume import resumed_id
from hub.journals.choose import open_journal
from hub.settings import Settings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import HUB_ACCOUNT, HUB_ROLE, SPOKE_ROLE, FakeAws, allow, policy, trust
from tests.hub.cli.conftest import Say
from tests.hub.estate import make_estate
from tests.hub.flow.approvals import arn, credentials
from tests.hub.messages import finding

SayAs = Callable[..., Result]
RIGHTS = policy(allow("ec2:*"))


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke({"remediation": RIGHTS})


@pytest.fixture
def say_as(aws: FakeAws, say: Say, monkeypatch: pytest.MonkeyPatch) -> SayAs:
    """Run ``hub`` with these words in the name of a person; without, ``say`` speaks as the hub."""

    def run(name: str, *words: str, given: str | None = None) -> Result:
        with monkeypatch.context() as patch:
            for variable, value in credentials(aws, name).items():
                patch.setenv(variable, value)
            return say(*words, given=given)

    return run


@pytest.fixture
def queue(aws: FakeAws, spoke: Admin, monkeypatch: pytest.MonkeyPatch) -> str:
    """A queue, and a hub that knows it."""
    url = aws.admin(HUB_ACCOUNT).client("sqs").create_queue(QueueName=f"findings-{spoke.account_id}")
    monkeypatch.setenv("HUB_QUEUE_URL", url["QueueUrl"])
    return str(url["QueueUrl"])


def group(spoke: Admin, name: str = "old") -> str:
    made = spoke.client("ec2").create_security_group(GroupName=name, Description="unused")
    return str(made["GroupId"])


def is_there(spoke: Admin, group_id: str) -> bool:
    found = spoke.client("ec2").describe_security_groups(Filters=[{"Name": "group-id", "Values": [group_id]}])
    return bool(found["SecurityGroups"])


def waits(say: Say, spoke: Admin, name: str = "old") -> tuple[str, str]:
    """An unused security group, and the run that waits with its deletion."""
    group_id = group(spoke, name)
    told = finding(spoke.account_id, "sg_delete", key=name, id=group_id, region="us-east-1", type="SG")
    [report] = lines(say("run", "-", "--json", given=json.dumps(told)).stdout)
    [entry] = report["Rules violations found"]
    assert entry["Outcome"] == "waiting"
    return group_id, entry["Run"]


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_what_waits_is_listed_with_all_that_a_person_needs_to_know(say: Say, spoke: Admin) -> None:
    assert say("waiting").stdout == "nothing waits\n"
    assert say("waiting", "--json").stdout == ""
    group_id, run_id = waits(say, spoke)
    [told] = lines(say("waiting", "--json").stdout)
    assert (told["run"], told["bot"], told["resource"]) == (run_id, "sg_delete", group_id)
    assert (told["guard"], told["waits_for"], told["due_at"]) == ("approval", "a person", None)
    assert (told["account"], told["region"], told["finding_key"]) == (spoke.account_id, "us-east-1", "old")
    assert told["expires_at"] > told["since"]
    assert told["requested_by"].startswith(f"arn:aws:sts::{HUB_ACCOUNT}:assumed-role/")
    assert told["answer"] is None
    page = say("waiting").stdout
    assert run_id in page
    assert "waits for a person until" in " ".join(page.split())


def test_the_list_is_narrowed_by_account_and_bot(say: Say, spoke: Admin) -> None:
    _, run_id = waits(say, spoke)

    def found(*words: str) -> list[str]:
        return [each["run"] for each in lines(say("waiting", "--json", *words).stdout)]

    assert found("--account", spoke.account_id) == [run_id]
    assert found("--account", "222233334444") == []
    assert found("--bot", "sg_delete") == [run_id]
    assert found("--bot", "sg_delete", "--account", "222233334444") == []
    assert found("--bot", "s3_enable_versioning") == []


def test_what_is_approved_with_a_queue_is_left_to_its_workers(
    aws: FakeAws, say: Say, say_as: SayAs, spoke: Admin, queue: str
) -> None:
    group_id, run_id = waits(say, spoke)
    done = say_as("ada", "approve", run_id, "--because", "see OPS-17")
    assert done.exit_code == 0, done.output
    assert f"approved run {run_id}; a worker goes on with it" in done.stdout
    assert is_there(spoke, group_id)
    [listed] = lines(say("waiting", "--json").stdout)
    assert listed["answer"]["by"] == arn("ada")
    assert "approved by" in say("waiting").stdout
    found = aws.admin(HUB_ACCOUNT).client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    assert [json.loads(each["Body"]) for each in found["Messages"]] == [{"remediation-hub:resume": run_id}]


@pytest.fixture
def as_operator(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person who works with the hub's own role, in a session of another name."""
    role = f"arn:aws:iam::{HUB_ACCOUNT}:role/{HUB_ROLE}"
    for variable, value in aws.enter(HUB_ACCOUNT, role, session="operator").items():
        monkeypatch.setenv(variable, value)


def test_without_a_queue_it_is_carried_out_at_once(
    say: Say, spoke: Admin, request: pytest.FixtureRequest
) -> None:
    group_id, run_id = waits(say, spoke)
    request.getfixturevalue("as_operator")
    done = say("approve", run_id, "--because", "see OPS-17")
    assert done.exit_code == 0, done.output
    page = " ".join(done.stdout.split())
    assert "Then it is carried out here, with the rights of whoever calls this" in page
    assert f"approved run {run_id}, and carried out here" in page
    assert not is_there(spoke, group_id)
    [run] = lines(say("history", "--outcome", "fixed", "--json").stdout)
    assert run["approved_by"].endswith(f"{HUB_ROLE}/operator")


def test_who_carries_out_without_the_rights_is_told_so(say: Say, say_as: SayAs, spoke: Admin) -> None:
    group_id, run_id = waits(say, spoke)
    done = say_as("ada", "approve", run_id, "--because", "see OPS-17", "--json")
    [told] = lines(done.stdout)
    assert (done.exit_code, told["answered"]) == (1, True)
    [entry] = told["report"]["Rules violations found"]
    assert entry["Outcome"] == "denied"
    assert is_there(spoke, group_id)


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_resume_goes_on_with_what_was_answered(
    form: tuple[str, ...],
    say: Say,
    say_as: SayAs,
    spoke: Admin,
    queue: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered, run_id = waits(say, spoke)
    unanswered, _ = waits(say, spoke, "other")
    monkeypatch.setenv("HUB_QUEUE_URL", f"{queue}-gone")
    assert say_as("ada", "approve", run_id, "--because", "see OPS-17").exit_code == 0
    monkeypatch.delenv("HUB_QUEUE_URL")
    done = say("resume", *form)
    assert done.exit_code == 0, done.output
    assert "fixed" in done.stdout
    assert not is_there(spoke, answered)
    assert is_there(spoke, unanswered)
    again = say("resume", *form)
    assert (again.exit_code, again.stdout) == (0, "" if form else "gone on with 0\n")


def test_resume_tells_what_could_not_go_on(
    say: Say, say_as: SayAs, spoke: Admin, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, run_id = waits(say, spoke)
    monkeypatch.setenv("HUB_QUEUE_URL", f"{queue}-gone")
    say_as("ada", "approve", run_id, "--because", "see OPS-17")
    failed = say_as("ada", "resume")
    assert failed.exit_code == 1
    assert f"could not be told to go on with run {run_id}" in failed.stderr
    monkeypatch.delenv("HUB_QUEUE_URL")
    denied = say_as("ada", "resume")
    assert denied.exit_code == 1
    assert "denied" in denied.stdout


def test_a_no_ends_it(say: Say, say_as: SayAs, spoke: Admin) -> None:
    group_id, run_id = waits(say, spoke)
    done = say_as("ada", "reject", run_id, "--because", "still used", "--json")
    assert done.exit_code == 0, done.output
    [told] = lines(done.stdout)
    assert told["answer"]["approved"] is False
    [entry] = told["report"]["Rules violations found"]
    assert (entry["Outcome"], entry["Bot message"]) == ("refused", f"rejected by {arn('ada')}: still used")
    assert lines(say("waiting", "--json").stdout) == []
    assert is_there(spoke, group_id)
    late = say_as("bob", "approve", run_id, "--because", "go")
    assert late.exit_code == 1
    assert f"rejected by {arn('ada')}: still used" in late.stderr


def test_what_would_be_done_is_shown_before_it_is_answered(say: Say, say_as: SayAs, spoke: Admin) -> None:
    group_id, run_id = waits(say, spoke)
    page = " ".join(say_as("ada", "reject", run_id, "--because", "still used").stdout.split())
    for word in (run_id, "sg_delete", spoke.account_id, group_id, "is destructive", "Asked for by"):
        assert word in page
    assert page.index("There now {") < page.index(f"rejected run {run_id}")


@pytest.mark.parametrize(("typed", "answered"), [("y\n", True), ("n\n", False)])
def test_on_a_terminal_it_is_asked_once_more(
    typed: str,
    answered: bool,
    say: Say,
    say_as: SayAs,
    spoke: Admin,
    queue: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(answer_command, "at_a_terminal", lambda: True)
    _, run_id = waits(say, spoke)
    done = say_as("ada", "approve", run_id, "--because", "see OPS-17", given=typed)
    assert "Approve it?" in done.stderr
    assert done.exit_code == (0 if answered else 1)
    [listed] = lines(say("waiting", "--json").stdout)
    assert (listed["answer"] is not None) is answered
    if not answered:
        assert say_as("ada", "approve", run_id, "--because", "see OPS-17", "--yes").exit_code == 0


def test_several_are_answered_at_once_and_one_that_cannot_be_keeps_none_of_the_others(
    say: Say, say_as: SayAs, spoke: Admin, queue: str
) -> None:
    ids = [waits(say, spoke, name)[1] for name in ("one", "two")]
    words = ("approve", ids[0], "never-heard-of", ids[1], ids[0], "--because", "see OPS-17", "--json")
    done = say_as("ada", *words)
    told = lines(done.stdout)
    assert done.exit_code == 1
    assert [(each["run"], each["answered"]) for each in told] == [
        (ids[0], True),
        ("never-heard-of", False),
        (ids[1], True),
    ]
    assert "knows no run" in told[1]["error"]
    assert [each["sent"] for each in told if each["answered"]] == [True, True]


def test_what_another_worker_is_at_is_answered_and_goes_on_later(
    say: Say, say_as: SayAs, spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    group_id, run_id = waits(say, spoke)

    async def lease() -> None:
        async with open_journal(Settings.load()) as journal:
            name = f"finding/{resumed_id(run_id)}"
            assert await journal.lease(name, owner="another", seconds=600) is not None

    asyncio.run(lease())
    done = say_as("ada", "approve", run_id, "--because", "see OPS-17", "--json")
    [told] = lines(done.stdout)
    assert (done.exit_code, told["answered"]) == (1, True)
    assert "another worker holds" in told["error"]
    assert f"approved run {run_id}, but it could not go on yet" in done.stderr
    assert is_there(spoke, group_id)


def test_who_asked_for_it_cannot_approve_it(say: Say, spoke: Admin, queue: str) -> None:
    _, run_id = waits(say, spoke)
    done = say("approve", run_id, "--because", "I am sure")
    assert done.exit_code == 1
    assert "four eyes are to see it" in done.stderr
    assert lines(say("waiting", "--json").stdout)[0]["answer"] is None


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_an_answer_that_the_queue_was_not_told_of_is_kept_and_told_later(
    form: tuple[str, ...],
    say: Say,
    say_as: SayAs,
    spoke: Admin,
    queue: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, run_id = waits(say, spoke)
    monkeypatch.setenv("HUB_QUEUE_URL", f"{queue}-gone")
    done = say_as("ada", "approve", run_id, "--because", "see OPS-17", *form)
    assert done.exit_code == 0, done.output
    assert "could not be told" in done.stderr
    if form:
        [told] = lines(done.stdout)
        assert (told["answered"], told["sent"]) == (True, False)
        assert "could not be told" in told["error"]
    else:
        assert (
            f"approved run {run_id}; the next sweep of a worker or `hub resume` goes on with it"
            in done.stdout
        )
    monkeypatch.setenv("HUB_QUEUE_URL", queue)
    assert lines(say_as("ada", "resume", "--json").stdout) == [{"run": run_id, "sent": True}]
    assert "the queue was told of" not in say_as("ada", "resume").stdout, "it was told once"


@pytest.mark.parametrize(
    "words",
    [
        ["approve"],
        ["approve", "run"],
        ["approve", "--because", "x"],
        ["reject", "run", "--because", " \x1b "],
        ["approve", "run", "--because", "x" * 1001],
    ],
)
def test_what_cannot_be_said_gives_exit_status_2(words: list[str], say: Say) -> None:
    assert say(*words).exit_code == 2
    assert list(Path().iterdir()) == []


def test_control_characters_of_a_finding_reach_no_terminal(say: Say, spoke: Admin) -> None:
    odd = finding(
        spoke.account_id, "sg_delete", key="\x1b[31mred", id=group(spoke), region="us-east-1", type="SG"
    )
    [report] = lines(say("run", "-", "--json", given=json.dumps(odd)).stdout)
    run_id = report["Rules violations found"][0]["Run"]
    for words in (("waiting",), ("waiting", "--json"), ("approve", run_id, "--because", "x")):
        said = say(*words)
        assert "\x1b" not in said.output
        assert "u001b" not in said.output


def test_why_tells_who_was_waited_for_who_said_yes_and_what_went_on(
    aws: FakeAws, say: Say, say_as: SayAs, spoke: Admin, queue: str
) -> None:
    _, run_id = waits(say, spoke)
    [waiting] = json.loads(say("why", run_id, "--json").stdout)["runs"]
    assert waiting["waits"]["for"] == "a person"
    assert waiting["waits"]["guard"] == "approval"
    assert f"hub approve {run_id} --because ..." in say("why", run_id).stdout
    say_as("ada", "approve", run_id, "--because", "see OPS-17")
    [answered] = json.loads(say("why", run_id, "--json").stdout)["runs"]
    assert answered["waits"]["answer"]["by"] == arn("ada")
    assert f"by {arn('ada')} at" in say("why", run_id).stdout
    [sent] = aws.admin(HUB_ACCOUNT).client("sqs").receive_message(QueueUrl=queue)["Messages"]
    [report] = lines(say("run", "-", "--json", given=sent["Body"]).stdout)
    went_on, waited = json.loads(say("why", run_id, "--json").stdout)["runs"]
    assert (waited["run"], waited["waits"], waited["resumed_by"]) == (run_id, None, went_on["run"])
    assert (went_on["resumes"], went_on["approved_by"]) == (run_id, arn("ada"))
    assert (went_on["outcome"], went_on["resumed_by"]) == ("fixed", None)
    assert went_on["report_id"] == report["Report id"] != waited["report_id"]
    for form in ((), ("--markdown",)):
        page = say("why", run_id, *form).stdout.replace("\\", "")
        for words in ("Went on as", "Goes on with", "Approved by"):
            assert words in page
        assert f"approved by {arn('ada')}: see OPS-17" in page


def test_the_rights_that_the_page_names_are_enough_to_answer(
    aws: FakeAws, say: Say, spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(hub.__file__).parents[1] / "docs" / "approval.md").read_text()
    [document] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    estate = make_estate(aws)
    _as_worker(monkeypatch, estate.environment(spoke.account_id))
    trusted = trust(estate.role_arn)
    spoke.client("iam").update_assume_role_policy(RoleName=SPOKE_ROLE, PolicyDocument=trusted)
    _, run_id = waits(say, spoke)
    rights = document.replace("table/remediation-hub", f"table/{estate.table}")
    role = f"approver-{estate.table}"
    _as_worker(monkeypatch, aws.role_credentials(HUB_ACCOUNT, role, [rights], session="ada"))
    listed = say("waiting", "--json")
    assert listed.exit_code == 0, listed.exception
    assert [each["run"] for each in lines(listed.stdout)] == [run_id]
    assert say("why", run_id).exit_code == 0
    done = say("approve", run_id, "--because", "see OPS-17", "--json")
    assert done.exit_code == 0, done.output
    [told] = lines(done.stdout)
    assert (told["answered"], told["sent"]) == (True, False), "it may not write to the queue"
    refused = {
        call.operation for call in aws.calls(HUB_ACCOUNT) if call.status == 403 and role in str(call.caller)
    }
    assert refused <= {"SendMessage"}


def _as_worker(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
