"""How the commands end, and what they draw where there is a terminal."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from typing import Any

import pytest
import typer
from botocore.exceptions import EndpointConnectionError, NoCredentialsError
from typer.testing import CliRunner

from deploy.errors import DeploymentFailed, InputWrong
from hub.cli import app
from hub.cli.counting import counted
from hub.cli.deploy.conduct import Declined, conduct
from tests.deploy.told import refused


@pytest.mark.parametrize("command", ["", "hub", "spokes", "status", "remove"])
def test_every_command_explains_itself_with_examples_and_statuses(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(app, ["deploy", *filter(None, [command]), "--help"])
    assert shown.exit_code == 0
    assert "Examples" in shown.output
    assert f"hub deploy {command}".strip() in shown.output
    assert "Exit status: 0" in shown.output


def ending(error: BaseException) -> Coroutine[Any, Any, int]:
    async def command() -> int:
        raise error

    return command()


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (InputWrong("one\ntwo"), 2, "error: one\nerror: two\n"),
        (DeploymentFailed("AWS said no"), 1, "error: AWS said no\n"),
        (Declined(), 1, "nothing was changed\n"),
        (
            refused("Throttling", "Rate exceeded"),
            1,
            "error: DescribeStacks was refused: Throttling: Rate exceeded\n",
        ),
        (NoCredentialsError(), 2, "give --profile"),
        (EndpointConnectionError(endpoint_url="https://nowhere"), 1, "https://nowhere"),
        (KeyboardInterrupt(), 130, ""),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_every_end_has_its_status_and_its_words(
    error: BaseException, status: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        conduct(ending(error))
    assert ended.value.exit_code == status
    assert said in capsys.readouterr().err


def test_accounts_are_counted_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with counted("accounts", shown=True) as nobody:
        assert nobody is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    with counted("accounts", shown=False) as nobody:
        assert nobody is None
    with counted("accounts", shown=True) as count:
        assert count is not None
        count(3, 30)
    assert "3/30" in capsys.readouterr().err
