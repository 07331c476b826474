"""What the command line says without any AWS: help, bots, bad settings, bad input."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bots._catalogue import names
from hub import __version__
from hub.cli import app, main
from hub.cli.ages import moment
from hub.errors import RemediationUnknown

COMMANDS = ("run", "plan", "apply", "work", "undo", "history", "why", "bots", "rules", "package", "demo")
runner = CliRunner()


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(command: str) -> None:
    result = runner.invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert "Examples" in result.output
    assert f"hub {command}" in result.output


def test_help_lists_every_command() -> None:
    result = runner.invoke(app, ["--help"])
    assert result.exit_code == 0
    assert all(command in result.output for command in COMMANDS)


def test_the_version_is_printed() -> None:
    assert runner.invoke(app, ["--version"]).output.strip() == __version__


def test_the_catalogue_lists_every_bot() -> None:
    result = runner.invoke(app, ["bots"])
    assert result.exit_code == 0
    assert all(name in result.output for name in names())


@pytest.mark.parametrize("name", names())
def test_everything_about_one_bot_is_told(name: str) -> None:
    shown = runner.invoke(app, ["bots", name])
    assert shown.exit_code == 0
    told = json.loads(runner.invoke(app, ["bots", name, "--json"]).output)
    assert told["name"] == name
    assert told["purpose"]
    assert told["undo"]["degree"] in ("exact", "nearest", "none")
    for action in (*told["reads"], *told["writes"]):
        assert action in shown.output


def test_an_unknown_bot_is_named_with_its_neighbours() -> None:
    result = runner.invoke(app, ["bots", "s3_enable_versionin"])
    assert isinstance(result.exception, RemediationUnknown)
    assert "s3_enable_versioning" in str(result.exception)


def test_bots_of_ones_own_are_listed_and_broken_ones_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUB_BOTS_FOLDER", str(tmp_path))
    text = '"""Paint it blue."""\ndef run_action(boto_session, rule, entity, params): ...\n'
    (tmp_path / "paint_blue.py").write_text(text, encoding="utf-8")
    (tmp_path / "torn.py").write_text("def broken(:", encoding="utf-8")
    result = runner.invoke(app, ["bots"])
    assert result.exit_code == 1
    assert "your bot torn cannot be loaded: SyntaxError" in result.output
    assert "Paint it blue." in result.output
    told = json.loads(runner.invoke(app, ["bots", "paint_blue", "--json"]).output)
    assert (told["purpose"], told["usage"], told["parameters"]) == ("Paint it blue.", "any words", [])
    assert runner.invoke(app, ["bots", "torn"]).exit_code == 1


def test_a_folder_of_bots_that_is_not_there_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_BOTS_FOLDER", "/nowhere/at/all")
    assert say(monkeypatch, "bots") == 2
    assert "HUB_BOTS_FOLDER: there is no folder /nowhere/at/all" in capsys.readouterr().err


def say(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    """Run the real entry point; its exit status."""
    monkeypatch.setattr("sys.argv", ["hub", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_an_error_is_one_line_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert say(monkeypatch, "bots", "no_such_bot") == 2
    said = capsys.readouterr().err
    assert said.startswith("error: there is no bot called 'no_such_bot'")
    assert "Traceback" not in said


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["hub", "bots", "no_such_bot", "--debug"])
    with pytest.raises(RemediationUnknown):
        main()


def test_a_setting_that_does_not_fit_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACCOUNT_MODE", "sometimes")
    assert say(monkeypatch, "history") == 2
    said = capsys.readouterr().err
    assert "ACCOUNT_MODE" in said
    assert "single" in said
    assert "multi" in said


def test_a_worker_without_a_queue_says_what_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HUB_JOURNAL", "memory")
    assert say(monkeypatch, "work") == 2
    assert "HUB_QUEUE_URL" in capsys.readouterr().err


def test_undoing_an_unknown_run_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert say(monkeypatch, "undo", "0123456789") == 2
    assert "knows no run '0123456789'" in capsys.readouterr().err


def test_an_empty_history_says_that_nothing_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    result = runner.invoke(app, ["history", "--since", "2h", "--json"])
    assert result.exit_code == 0
    assert result.output == ""
    assert "no run matches" in runner.invoke(app, ["history"]).output


NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", datetime(2026, 11, 24, 11, 30, tzinfo=UTC)),
        ("2h", datetime(2026, 11, 24, 10, 0, tzinfo=UTC)),
        ("7d", datetime(2026, 11, 17, 12, 0, tzinfo=UTC)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T08:00+02:00", datetime(2026, 11, 1, 6, 0, tzinfo=UTC)),
    ],
)
def test_since_takes_ages_and_dates(text: str, expected: datetime) -> None:
    assert moment(text, now=NOW) == expected


@pytest.mark.parametrize("text", ["yesterday", "2x", "-1h", ""])
def test_since_refuses_what_it_does_not_understand(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="neither an age"):
        moment(text, now=NOW)
