"""`hub why` on the fake AWS: what somebody reads who asks months later what was done, and on whose word."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hub.app import open_hub
from hub.cli import app
from hub.settings import Settings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy
from tests.hub.cli.conftest import Say
from tests.hub.flow.cutting_off import cut_off
from tests.hub.flow.test_settle import BUCKETS, READS, bucket, versioning, writes
from tests.hub.messages import finding, message

BOT = "s3_enable_versioning"
GUARDS = ["rules", "scope", "optional", "own resources", "opted out", "mode", "approval"]  # and others


def send(say: Say, spoke: Admin, key: str = "key", **entity: Any) -> tuple[str, dict[str, Any]]:
    """Settle a finding about a new bucket; the bucket and the report."""
    name = bucket(spoke, key.lower())
    done = say(
        "run", "-", "--json", given=json.dumps(finding(spoke.account_id, BOT, key=key, id=name, **entity))
    )
    report = json.loads(done.stdout)
    assert isinstance(report, dict)
    return name, report


def told(say: Say, key: str) -> dict[str, Any]:
    said = say("why", key, "--json")
    assert said.exit_code == 0, said.output
    document = json.loads(said.stdout)
    assert isinstance(document, dict)
    assert document["schema"] == "remediation-hub/why/1"
    return document


def everybody() -> list[str]:
    """The names of all guards of the hub that the environment describes."""

    async def names() -> list[str]:
        async with open_hub(Settings.load()) as hub:
            before = [guard.name for guard in hub.kit.guards]
            return before + [guard.name for guard in hub.kit.change_guards]

    return asyncio.run(names())


def operations(run: dict[str, Any]) -> list[str]:
    return [call["operation"] for call in run["calls"]]


def test_a_fixed_finding_tells_who_let_it_pass_what_was_called_and_what_proves_it(
    aws: FakeAws, say: Say, spoke: Admin
) -> None:
    name, report = send(say, spoke)
    document = told(say, "key")
    assert document["finding"]["account"] == spoke.account_id
    (came,) = document["occurrences"]
    assert came["report_id"] == report["Report id"]
    assert came["report_published"]
    (run,) = document["runs"]
    assert (run["outcome"], run["changed"], run["open"]) == ("fixed", True, False)
    assert run["target"] == {"type": "AWS::S3::Bucket", "id": name}
    assert sorted(word["guard"] for word in run["guards"]) == sorted(everybody())
    assert set(GUARDS) < set(everybody())
    assert {word["decision"] for word in run["guards"]} == {"go"}
    assert run["changes"] == [{"path": "status", "before": "Off", "after": "Enabled"}]
    assert operations(run) == [call.operation for call in aws.calls(spoke.account_id)][-len(run["calls"]) :]
    (write,) = [call for call in run["calls"] if call["operation"] == "PutBucketVersioning"]
    assert (write["status"], write["error"], write["shared"]) == (200, None, False)
    assert operations(run)[-1] != "PutBucketVersioning", "the proof is read last"
    assert len({call["request_id"] for call in run["calls"]}) == len(run["calls"])
    moments = [datetime.fromisoformat(call["at"]) for call in run["calls"]]
    assert moments == sorted(moments)
    assert datetime.fromisoformat(run["opened_at"]) <= moments[0]
    assert run["session"].startswith("hub.s3_enable_versioning.")
    assert run["undo"]["command"] == f"hub undo {run['run']}"


def test_a_call_is_told_by_name_and_never_by_what_was_asked(say: Say, spoke: Admin) -> None:
    send(say, spoke)
    (run,) = told(say, "key")["runs"]
    names = {"at", "service", "operation", "region", "request_id", "status", "error", "shared"}
    assert {name for call in run["calls"] for name in call} == names


def test_a_denied_finding_names_the_call_that_aws_refused(aws: FakeAws, say: Say, spoke: Admin) -> None:
    aws.allow_only(spoke, policy(allow(*READS, resource=BUCKETS)))
    name, _ = send(say, spoke)
    (run,) = told(say, "key")["runs"]
    assert (run["outcome"], run["changed"], run["needs_person"]) == ("denied", False, True)
    (refused,) = [call for call in run["calls"] if call["operation"] == "PutBucketVersioning"]
    assert (refused["status"], refused["error"]) == (403, "AccessDenied")
    assert refused["request_id"]
    assert run["undo"]["command"] is None
    assert run["undo"]["why"] == "nothing was changed"
    assert versioning(spoke, name) == "Off"


def test_a_refused_finding_names_the_guard_and_no_call(aws: FakeAws, say: Say, spoke: Admin) -> None:
    send(say, spoke, tags={"remediation-hub:opt-out": "true"})
    (run,) = told(say, "key")["runs"]
    assert run["outcome"] == "refused"
    (no,) = [word for word in run["guards"] if word["decision"] != "go"]
    assert (no["guard"], no["decision"]) == ("opted out", "refuse")
    assert "remediation-hub:opt-out=true" in no["why"]
    assert run["guards"][-1] == no, "nobody is asked after a no"
    assert run["calls"] == []
    assert writes(aws, spoke) == []
    assert "the account was not entered" in say("why", "key").stdout


@pytest.mark.parametrize(
    ("action", "outcome", "said"), [("run", "fixed", "go"), ("refuse", "refused", "refuse")]
)
def test_the_remediation_rule_that_decided_is_named_with_its_line(
    action: str, outcome: str, said: str, say: Say, spoke: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = {
        "name": "versioned",
        "comment": "keep versions",
        "match": {"rule": "a *"},
        "bots": [BOT],
        "action": action,
    }
    Path("rules.yaml").write_text(json.dumps({"version": 1, "rules": [rule]}))
    monkeypatch.setenv("HUB_RULES", "rules.yaml")
    send(say, spoke)
    (run,) = told(say, "key")["runs"]
    assert (run["outcome"], run["decided_by"]) == (outcome, "rule 'versioned' (rules.yaml line 1)")
    assert {word["guard"]: word["decision"] for word in run["guards"]}["rules"] == said
    for form in ((), ("--markdown",)):
        assert "Decided by" in say("why", "key", *form).stdout


def test_a_finding_that_cannot_be_acted_on_was_put_to_no_guard(say: Say, spoke: Admin) -> None:
    say("run", "-", given=json.dumps(finding(spoke.account_id, "no_such_bot", id="b")))
    (run,) = told(say, "key")["runs"]
    assert (run["outcome"], run["guards"], run["calls"]) == ("invalid", [], [])
    assert "none was asked" in say("why", "key").stdout


def test_an_undone_finding_shows_both_runs_and_offers_no_second_undo(say: Say, spoke: Admin) -> None:
    _, report = send(say, spoke)
    fixed_id = report["Rules violations found"][0]["Run"]
    undone = json.loads(say("undo", fixed_id, "--json").stdout)
    undo, fixed = told(say, "key")["runs"]
    assert (fixed["run"], fixed["outcome"]) == (fixed_id, "fixed")
    assert fixed["undo"]["undone_by"] == undo["run"]
    assert fixed["undo"]["attempts"] == [{"run": undo["run"], "outcome": "restored"}]
    assert fixed["undo"]["command"] is undo["undo"]["command"] is None
    assert undo["undo"]["undo_of"] == fixed_id
    assert undo["report_id"] == undone["Report id"] != fixed["report_id"]
    assert "PutBucketVersioning" in operations(undo)
    assert undo["changes"] == [{"path": "status", "before": "Enabled", "after": "Suspended"}]


def test_an_open_run_is_told_as_open_with_what_was_there_and_the_way_back(say: Say, spoke: Admin) -> None:
    name = bucket(spoke)

    async def die_in_the_middle() -> None:
        async with open_hub(Settings.load()) as hub:
            await cut_off(hub, message(spoke.account_id, BOT, id=name))

    asyncio.run(die_in_the_middle())
    document = told(say, "key")
    (run,) = document["runs"]
    assert document["open_runs"] == [run["run"]]
    assert (run["open"], run["outcome"], run["closed_at"]) == (True, None, None)
    assert run["before"]["status"] == "Off"
    assert run["calls"], "what was read before the change is kept with the open record"
    assert run["undo"]["command"] == f"hub undo {run['run']}"
    assert not document["occurrences"][0]["report_published"]
    page = say("why", "key").stdout
    assert f"Run {run['run']}: open" in page
    assert re.search(r"Changed +may have been", page)
    # The next delivery goes on with the same record.
    say("run", "-", given=json.dumps(finding(spoke.account_id, BOT, id=name)))


def test_a_record_of_an_older_hub_says_what_was_not_kept(say: Say, spoke: Admin) -> None:
    send(say, spoke)
    with closing(sqlite3.connect("hub-journal.sqlite")) as file, file:
        ((run_id, text),) = file.execute("SELECT run_id, record FROM run").fetchall()
        record = json.loads(text)
        for name in ("verdicts", "calls", "calls_left_out"):
            del record[name]
        file.execute("UPDATE run SET record = ? WHERE run_id = ?", (json.dumps(record), run_id))
    (run,) = told(say, "key")["runs"]
    assert (run["guards"], run["calls"], run["outcome"]) == (None, None, "fixed")
    page = say("why", "key").stdout
    assert page.count("not kept: an older hub wrote this record") == 2


def test_a_finding_that_came_back_shows_how_often_and_a_run_leads_to_all_of_them(
    say: Say, spoke: Admin
) -> None:
    name, first = send(say, spoke)
    spoke.client("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})
    say("run", "-", given=json.dumps(finding(spoke.account_id, BOT, id=name)))
    first_run = first["Rules violations found"][0]["Run"]
    document = told(say, first_run)
    assert document["asked_run"] == first_run
    assert document["occurrences"][0]["runs"] == [first_run]
    assert len(document["occurrences"]) == len(document["runs"]) == 2
    page = say("why", first_run).stdout
    assert "It came 2 times" in page
    assert f"Run {first_run}: fixed (asked for)" in page
    newest = json.loads(say("why", "key", "--limit", "1", "--json").stdout)
    assert [run["run"] for run in newest["runs"]] == [document["runs"][0]["run"]]
    assert newest["older_runs_left_out"]
    one = json.loads(say("why", first_run, "--limit", "1", "--json").stdout)
    assert [run["run"] for run in one["runs"]] == [first_run], "what was asked for is never left out"


def test_the_page_is_plain_without_a_terminal_and_says_it_all(say: Say, spoke: Admin) -> None:
    name, report = send(say, spoke)
    (run,) = told(say, "key")["runs"]
    page = say("why", "key").stdout
    assert "\x1b" not in page
    (write,) = [call for call in run["calls"] if call["operation"] == "PutBucketVersioning"]
    for word in (name, BOT, *GUARDS, "s3 PutBucketVersioning", write["request_id"], run["session"]):
        assert word in page
    assert report["Report id"] in page
    assert f"hub undo {run['run']}" in page


def test_a_ticket_shows_odd_names_as_they_are(say: Say, spoke: Admin) -> None:
    odd = "a|b\n# [link](https://evil.example) @all <img src=x> `code`"
    send(say, spoke, name=odd)
    said = say("why", "key", "--markdown")
    assert said.exit_code == 0, said.output
    (line,) = [line for line in said.stdout.splitlines() if "evil" in line]
    assert line.startswith("* Resource: ")
    assert r"a\|b \# \[link\](https\://evil.example) \@all \<img src=x\> \`code\`" in line
    assert said.stdout.startswith("# Finding `key`\n")
    rows = [line for line in said.stdout.splitlines() if line.startswith("| ")]
    assert {line.count(" | ") for line in rows} == {2, 4}
    block = re.search(r"\*\*Before\*\*\n\n```json\n(.*?)\n```\n", said.stdout, re.DOTALL)
    assert block is not None
    assert json.loads(block[1])["status"] == "Off"


def test_secrets_and_control_characters_of_a_finding_are_not_shown(say: Say, spoke: Admin) -> None:
    secret = "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    send(say, spoke, name=f"{secret} \x1b[31mred")
    for form in ((), ("--json",), ("--markdown",)):
        said = say("why", "key", *form).stdout
        assert "wJalrXUtnFEMI" not in said
        assert "\x1b" not in said
        assert "u001b" not in said


def test_a_key_nobody_knows_gives_exit_status_1_and_what_to_try(say: Say) -> None:
    said = say("why", "never-heard-of")
    assert said.exit_code == 1
    assert said.stdout == ""
    assert "knows no finding and no run 'never-heard-of'" in said.stderr
    assert "hub history --since" in said.stderr


@pytest.mark.parametrize("words", [[""], ["key", "--json", "--markdown"], ["key", "--limit", "0"], []])
def test_what_cannot_be_asked_gives_exit_status_2(words: list[str], tmp_path: Path) -> None:
    assert CliRunner().invoke(app, ["why", *words]).exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_findings_without_a_key_are_not_taken_for_one(say: Say, spoke: Admin) -> None:
    _, first = send(say, spoke, key="one")
    with closing(sqlite3.connect("hub-journal.sqlite")) as file, file:
        for run_id, text in file.execute("SELECT run_id, record FROM run").fetchall():
            record = json.loads(text) | {"finding_key": ""}
            file.execute(
                "UPDATE run SET finding = '', record = ? WHERE run_id = ?", (json.dumps(record), run_id)
            )
            file.execute(
                "INSERT INTO run SELECT 'another', finding, account, bot, outcome, session, opened_at, ? FROM run",
                (json.dumps(record | {"run_id": "another"}),),
            )
    run_id = first["Rules violations found"][0]["Run"]
    assert [run["run"] for run in told(say, run_id)["runs"]] == [run_id]
