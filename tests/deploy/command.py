"""``hub deploy`` in this process, as an administrator of an account of the fake AWS would run it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from typer.testing import CliRunner, Result

from deploy.calls import Patience
from hub.cli import app
from tests.fake_aws.principals import administrator_key
from tests.fake_aws.server import FakeAws

# Nothing is waited for but a machine that is busy.
WITHOUT_PAUSES = Patience(wait=120.0, poll=0.0)


@dataclass(frozen=True, slots=True)
class Deploy:
    """Run ``hub deploy`` with these words as the administrator of an account.

    With ``typed`` there is a person at a terminal who types that; without, there is no terminal.
    """

    monkeypatch: pytest.MonkeyPatch

    def __call__(self, account_id: str, *words: str, typed: str | None = None) -> Result:
        self.monkeypatch.setenv("AWS_ACCESS_KEY_ID", administrator_key(account_id))
        self.monkeypatch.setattr("hub.cli.deploy.conduct.at_a_terminal", lambda: typed is not None)
        return CliRunner().invoke(app, ["deploy", *words], input=typed)


def prepared(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    """The command line, pointed at the fake AWS by its environment."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "administrator")
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setattr("deploy.session.PATIENCE", WITHOUT_PAUSES)
    return Deploy(monkeypatch)
