"""The document and its pages about runs as journals may hold them, without any AWS."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from typing import Any, Literal

import pytest
from rich.console import Console

from hub.cli.why.document import MOST_CHANGES, Known, document
from hub.cli.why.markdown import markdown
from hub.cli.why.page import page
from hub.flow.report import report_id
from hub.flow.waiting import Waiting
from hub.model import Answer, Call, Decision, Outcome, PlannedCall, Run, Verdict
from tests.hub.journals.stores import NOON, a_run

LATER = NOON + timedelta(seconds=90)


def closed(run_id: str = "run-1", **given: Any) -> Run:
    facts = {
        "outcome": Outcome.FIXED,
        "changed": True,
        "undo": "exact",
        "closed_at": LATER,
        "after": {"status": "On"},
    }
    return a_run(run_id, **(facts | given))


def told(*runs: Run, **more: Any) -> dict[str, Any]:
    return document(Known(runs=runs, reports={}, **more), now=LATER)


def only(run: Run) -> dict[str, Any]:
    (entry,) = told(run)["runs"]
    assert isinstance(entry, dict)
    return entry


def printed(document: dict[str, Any], *, terminal: bool = False, width: int = 200) -> str:
    colours: Literal["standard"] | None = "standard" if terminal else None
    console = Console(file=io.StringIO(), force_terminal=terminal, width=width, color_system=colours)
    for part in page(document):
        console.print(part)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_a_terminal_gets_colours_and_a_file_gets_the_same_words_without_them() -> None:
    words = (Verdict(decision=Decision.REFUSE, guard="scope", why="not ours"),)
    document = told(closed(verdicts=words, calls=()))
    coloured = printed(document, terminal=True)
    assert "\x1b[1;32mfixed" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == printed(document)


def test_a_narrow_terminal_folds_what_is_long_and_keeps_ids_whole() -> None:
    call = Call(1.5, "secretsmanager", "GetResourcePolicy", "ap-southeast-2", "c" * 36, 200, "", shared=True)
    told_narrow = printed(told(closed(calls=(call,))), width=80)
    assert "c" * 36 in told_narrow
    assert max(len(line) for line in told_narrow.splitlines()) <= 80


def test_a_run_that_waits_for_aws_has_changed_nothing_and_cannot_be_undone() -> None:
    run = only(a_run(before=None, undo="exact"))
    assert run["open"]
    assert "waits for AWS and has changed nothing" in run["meaning"]
    assert (run["undo"]["command"], run["seconds"]) == (None, 90.0)
    assert re.search(r"Changed +no\b", printed(told(a_run(before=None))))


@pytest.mark.parametrize(
    ("run", "possible", "why"),
    [
        (closed(), True, "exactly what was there"),
        (closed(undo="nearest"), True, "hub bots s3_enable_versioning"),
        (closed(undo="none"), False, "cannot be undone"),
        (closed(before=None), False, "no state from before"),
        (closed(changed=False), False, "nothing was changed"),
        (closed(undone_by="run-2"), False, "undone by run run-2"),
        (closed(undo_of="run-0"), False, "the undo of run run-0"),
        (a_run(undo="exact"), True, "exactly what was there"),
    ],
)
def test_the_way_back_is_told_with_its_command_or_with_why_there_is_none(
    run: Run, possible: bool, why: str
) -> None:
    undo = only(run)["undo"]
    assert (undo["possible"], undo["command"]) == (possible, f"hub undo {run.run_id}" if possible else None)
    assert why in undo["why"]


def test_an_undo_that_failed_is_shown_and_can_be_tried_again() -> None:
    failed = closed("run-2", undo_of="run-1", outcome=Outcome.DENIED, changed=False)
    document = told(failed, closed())
    assert document["runs"][1]["undo"]["attempts"] == [{"run": "run-2", "outcome": "denied"}]
    assert "hub undo run-1; tried by run run-2 (denied)" in printed(document)


def test_changes_are_told_by_path() -> None:
    before = {"rules": [{"port": 22, "open": True}, {"port": 80}], "tags": ["a"], "gone": 1}
    after = {
        "rules": [{"port": 22, "open": False}, {"port": 80}],
        "tags": ["a", "b"],
        "new": None,
        "more": {"x": 1},
    }
    assert only(closed(before=before, after=after))["changes"] == [
        {"path": "rules[0].open", "before": True, "after": False},
        {"path": "tags", "before": ["a"], "after": ["a", "b"]},
        {"path": "gone", "before": 1, "after": None},
        {"path": "more", "before": None, "after": {"x": 1}},
    ]


def test_changes_beyond_measure_are_counted_and_the_snapshots_stay_whole() -> None:
    many = {str(number): number for number in range(MOST_CHANGES + 7)}
    run = only(closed(before=many, after={}))
    assert (len(run["changes"]), run["changes_left_out"]) == (MOST_CHANGES, 7)
    assert run["before"] == many
    assert "7 more, see --json" in printed(told(closed(before=many, after={})))


def test_calls_beyond_measure_are_said_to_have_been_made() -> None:
    call = Call(1764374065.1239, "s3", "PutObject", "eu-west-1", "", 0, "Network", shared=False)
    document = told(closed(calls=(call,), calls_left_out=12))
    assert document["runs"][0]["calls"] == [
        {
            "at": "2025-11-28T23:54:25.123Z",
            "service": "s3",
            "operation": "PutObject",
            "region": "eu-west-1",
            "request_id": None,
            "status": None,
            "error": "Network",
            "shared": False,
        }
    ]
    for text in (printed(document), markdown(document)):
        assert "no answer Network" in text
        assert "12 more, which CloudTrail has" in text


def test_a_state_cannot_end_the_block_it_is_shown_in() -> None:
    state = {"script": "```\n# not a heading\n````"}
    text = markdown(told(closed(before=state)))
    block = re.search(r"^(`{5,})json\n(.*?)\n\1$", text, re.DOTALL | re.MULTILINE)
    assert block is not None
    assert json.loads(block[2]) == state
    assert sum(line.startswith("# ") for line in text.splitlines()) == 1


def test_a_key_with_marks_stays_on_its_line() -> None:
    text = markdown(told(closed(finding_key="a`b\n## c")))
    assert text.startswith("# Finding `a'b ## c`\n")


def test_what_would_be_called_is_shown_with_its_parameters() -> None:
    planned = (PlannedCall("ec2", "DeleteSecurityGroup", "us-east-1", {"GroupId": "sg-1|2"}),)
    document = told(closed(outcome=Outcome.WAITING, changed=False, after=None, planned=planned))
    (run,) = document["runs"]
    assert run["planned"] == [
        {
            "service": "ec2",
            "operation": "DeleteSecurityGroup",
            "region": "us-east-1",
            "params": {"GroupId": "sg-1|2"},
        }
    ]
    assert '{"GroupId": "sg-1|2"}' in printed(document)
    assert r'| ec2 DeleteSecurityGroup | us-east-1 | {"GroupId": "sg-1\|2"} |' in markdown(document)
    for other in (told(closed()), told(closed(planned=()))):
        assert "What would be called" not in printed(other)
        assert "What would be called" not in markdown(other)


def test_a_run_that_waits_for_a_moment_tells_when_and_how_to_end_it() -> None:
    waits = Waiting(
        run_id="run-1",
        guard="window",
        why="the window is closed",
        since=NOON,
        due_at=LATER,
        expires_at=None,
        requested_by="arn:aws:sts::111122223333:assumed-role/hub/worker",
        finding_key="key",
        account_id="222233334444",
        region="us-east-1",
        bot="bot",
        target_id="data",
        given=Answer(approved=True, by="ada", because="see OPS-17", at=NOON),
    )
    run = closed(outcome=Outcome.WAITING, changed=False, after=None)
    page = printed(told(run, waiting={"run-1": waits}))
    assert re.search(r"Waits for +a moment until 20\d\d-", page)
    assert re.search(r"Approved +by ada at .*: see OPS-17", page)
    assert "hub reject run-1 --because ..." in page
    assert "hub approve" not in page
    assert "Waits for" not in printed(told(run))


def test_a_run_that_went_on_and_the_one_that_waited_name_each_other() -> None:
    waited = closed("waited", outcome=Outcome.WAITING, changed=False, after=None)
    went_on = closed("went-on", resumes="waited", approved_by="ada")
    document = told(went_on, waited)
    links = [(run["run"], run["resumes"], run["resumed_by"], run["approved_by"]) for run in document["runs"]]
    assert links == [("went-on", "waited", None, "ada"), ("waited", None, "went-on", None)]
    assert document["runs"][0]["report_id"] == report_id("went-on"), "it is reported by itself"
    assert document["runs"][1]["report_id"] == report_id(waited.occurrence)
    page = printed(document)
    for words in ("run waited, which waited", "run went-on", "Approved by"):
        assert words in page
