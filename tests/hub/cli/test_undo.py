"""`hub undo` of many runs and `hub lift`, as a person or a script would use them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import typer
from typer.testing import Result

from hub.cli.ages import length, moment
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws
from tests.hub.cli.conftest import Say
from tests.hub.cli.test_run_plan_undo import lines, wrong_bucket
from tests.hub.flow.test_settle import versioning, writes

Fixed = Callable[..., tuple[str, str]]
BOT = "s3_enable_versioning"


@pytest.fixture
def fixed(say: Say, spoke: Admin) -> Fixed:
    """A bucket of that name is fixed; its whole name and the run's id."""

    def fix(name: str) -> tuple[str, str]:
        full, path = wrong_bucket(spoke, name)
        [report] = lines(say("run", path, "--json").stdout)
        [entry] = report["Rules violations found"]
        assert entry["Outcome"] == "fixed"
        return full, entry["Run"]

    return fix


def flat(text: str) -> str:
    """Without line breaks, and without the frame that help puts around errors."""
    return " ".join(text.replace("│", " ").split())


def outcomes(done: Result) -> list[str]:
    return [entry["Outcome"] for report in lines(done.stdout) for entry in report["Rules violations found"]]


def test_many_runs_are_taken_back_with_yes(say: Say, spoke: Admin, fixed: Fixed) -> None:
    one, two = fixed("one")[0], fixed("two")[0]
    done = say("undo", "--account", spoke.account_id, "--yes")
    assert done.exit_code == 0, done.output
    assert "2 of 2 runs taken back" in done.stdout
    assert one in done.stdout
    assert [versioning(spoke, name) for name in (one, two)] == ["Suspended"] * 2
    again = say("undo", "--account", spoke.account_id, "--yes")
    assert again.exit_code == 2
    assert "no run matches that changed something and is not taken back yet" in flat(again.stderr)


def test_only_what_matches_is_taken_back(say: Say, spoke: Admin, fixed: Fixed) -> None:
    one, two = fixed("one")[0], fixed("two")[0]
    done = say("undo", "--finding", "one", "--bot", BOT, "--since", "1h", "--yes")
    assert done.exit_code == 0, done.output
    assert [versioning(spoke, name) for name in (one, two)] == ["Suspended", "Enabled"]


def test_with_json_each_report_is_a_line_and_nothing_else_is_said(say: Say, fixed: Fixed) -> None:
    ids = {fixed("one")[1], fixed("two")[1]}
    done = say("undo", "--bot", BOT, "--yes", "--json")
    assert done.exit_code == 0, done.output
    assert outcomes(done) == ["restored"] * 2
    undone = lines(say("history", "--json", "--outcome", "restored").stdout)
    assert {run["undo_of"] for run in undone} == ids


def test_without_a_terminal_many_runs_are_not_taken_back_unless_it_is_sure(
    aws: FakeAws, say: Say, spoke: Admin, fixed: Fixed
) -> None:
    fixed("one")
    fixed("two")
    before = writes(aws, spoke)
    done = say("undo", "--bot", BOT)
    assert done.exit_code == 2
    assert "2 runs would be taken back; look with --dry-run, then say --yes" in flat(done.stderr)
    assert writes(aws, spoke) == before
    assert say("history", "--outcome", "restored", "--json").stdout == ""


@pytest.mark.parametrize(("answer", "status", "state"), [("n", 2, "Enabled"), ("y", 0, "Suspended")])
def test_on_a_terminal_it_is_shown_what_would_be_put_back_and_then_asked(
    answer: str,
    status: int,
    state: str,
    say: Say,
    spoke: Admin,
    fixed: Fixed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, _ = fixed("one")
    monkeypatch.setattr("hub.cli.undo.at_a_terminal", lambda: True)
    done = say("undo", "--bot", BOT, "--json", given=f"{answer}\n")
    assert done.exit_code == status, done.output
    assert "What would be put back" in done.stderr
    assert "Take back 1 run?" in done.stderr
    assert versioning(spoke, name) == state
    # What is typed is echoed by the runner, not by the command.
    printed = [line for line in done.stdout.splitlines() if line.strip() != answer]
    assert [line[0] for line in printed] == (["{"] if answer == "y" else []), "only reports among the lines"


@pytest.mark.parametrize(("answer", "status", "state"), [("n", 2, "Enabled"), ("y", 0, "Suspended")])
def test_on_a_terminal_one_run_is_shown_and_asked_about_too(
    answer: str,
    status: int,
    state: str,
    say: Say,
    spoke: Admin,
    fixed: Fixed,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name, run_id = fixed("one")
    monkeypatch.setattr("hub.cli.undo.at_a_terminal", lambda: True)
    done = say("undo", run_id, given=f"{answer}\n")
    assert done.exit_code == status, done.output
    assert 'status: "Enabled" becomes "Suspended"' in done.stdout
    assert "Take back 1 run?" in done.stderr
    assert versioning(spoke, name) == state


def test_a_dry_run_shows_what_would_be_put_back_and_changes_nothing(
    aws: FakeAws, say: Say, spoke: Admin, fixed: Fixed
) -> None:
    (one, run_id), (two, _) = fixed("one"), fixed("two")
    before, known = writes(aws, spoke), say("history", "--json").stdout
    for words in ((run_id,), ("--bot", BOT)):
        done = say("undo", *words, "--dry-run")
        assert done.exit_code == 0, done.output
        assert "What would be put back" in done.stdout
        assert 'status: "Enabled" becomes "Suspended"' in done.stdout
        assert one in done.stdout
    told = lines(say("undo", "--bot", BOT, "--dry-run", "--json").stdout)
    assert {each["target_id"] for each in told} == {one, two}
    assert {each["outcome"] for each in told} == {"would-fix"}
    assert writes(aws, spoke) == before
    assert say("history", "--json").stdout == known


def test_a_dry_run_of_what_would_not_be_restored_gives_exit_status_1(
    say: Say, spoke: Admin, fixed: Fixed
) -> None:
    name, run_id = fixed("one")
    fixed("two")
    spoke.client("s3").delete_bucket(Bucket=name)
    assert say("undo", run_id, "--dry-run").exit_code == 1
    done = say("undo", "--bot", BOT, "--dry-run", "--json")
    assert done.exit_code == 1
    assert sorted(each["outcome"] for each in lines(done.stdout)) == ["gone", "would-fix"]


def test_some_that_are_not_restored_give_exit_status_1_and_the_rest_is(
    say: Say, spoke: Admin, fixed: Fixed
) -> None:
    gone, kept = fixed("one")[0], fixed("two")[0]
    spoke.client("s3").delete_bucket(Bucket=gone)
    done = say("undo", "--account", spoke.account_id, "--yes")
    assert done.exit_code == 1
    assert "1 of 2 runs taken back" in done.stdout
    assert versioning(spoke, kept) == "Suspended"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "give the id of a run, or some of --finding, --account, --bot and --since"),
        (("0123456789", "--bot", BOT), "give the id of a run, or some of"),
        (
            ("--bot", BOT, "--hold", "soon"),
            "'soon' is no length of time like 30m, 12h, 7d or 2w, or 0 for none",
        ),
        (("--bot", BOT, "--hold", "3651d"), "'3651d' is no length of time"),
        (("--since", "yesterday"), "'yesterday' is neither an age like 2h or 7d nor a date like 2026-11-24"),
        (("--since", "999999w"), "'999999w' is neither an age"),
        # What a script passes on when its variable is not set.
        (("--since", ""), "must not be empty"),
        (("--account", "", "--bot", BOT), "must not be empty"),
        (("--bot", BOT, "--finding", " "), "must not be empty"),
    ],
)
def test_words_that_do_not_fit_are_told_and_nothing_is_taken_back(
    words: tuple[str, ...], said: str, say: Say, spoke: Admin, fixed: Fixed
) -> None:
    name, _ = fixed("one")
    done = say("undo", *words, "--yes")
    assert done.exit_code == 2
    assert said in flat(done.stderr)
    assert versioning(spoke, name) == "Enabled"


def test_what_is_taken_back_without_a_hold_is_fixed_by_the_next_finding(say: Say, fixed: Fixed) -> None:
    _, run_id = fixed("one")
    assert say("undo", run_id, "--hold", "0").exit_code == 0
    assert outcomes(say("run", "one.json", "--json")) == ["fixed"]


def test_what_is_held_is_refused_until_it_is_lifted(say: Say, spoke: Admin, fixed: Fixed) -> None:
    name, run_id = fixed("one")
    resource = f"{spoke.account_id}/AWS::S3::Bucket/{name}"
    assert say("undo", run_id, "--because", "  it broke\nthe shop ").exit_code == 0
    refused = say("run", "one.json", "--json")
    assert outcomes(refused) == ["refused"]
    assert f"hub lift {resource} {BOT}" in refused.stdout
    lifted = say("lift", resource, BOT)
    assert lifted.exit_code == 0, lifted.output
    assert f"{BOT} may work on {resource} again;" in flat(lifted.stdout)
    assert flat(lifted.stdout).endswith("had taken it back: it broke the shop")
    assert outcomes(say("run", "one.json", "--json")) == ["fixed"]


def test_lifting_what_is_not_held_gives_exit_status_1(say: Say) -> None:
    done = say("lift", "222233334444/AWS::S3::Bucket/invoices", BOT)
    assert done.exit_code == 1
    assert f"{BOT} is not kept off '222233334444/AWS::S3::Bucket/invoices'" in flat(done.stderr)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", timedelta(minutes=30)),
        (" 12h ", timedelta(hours=12)),
        ("2w", timedelta(days=14)),
        ("3650d", timedelta(days=3650)),
        ("0", timedelta()),
        ("0d", timedelta()),
    ],
)
def test_a_hold_takes_lengths_of_time(text: str, expected: timedelta) -> None:
    assert length(text) == expected


@pytest.mark.parametrize("text", ["", "7", "-1d", "1.5h", "7 days", "2026-11-24", "1234567m"])
def test_a_hold_refuses_what_it_does_not_understand(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is no length of time"):
        length(text)


@pytest.mark.parametrize("text", ["999999w", "0001-01-01T00:00+14:00", "9999-12-31T23:59-14:00"])
def test_an_age_or_a_date_out_of_all_bounds_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="neither an age"):
        moment(text, now=datetime(2026, 11, 24, tzinfo=UTC))
