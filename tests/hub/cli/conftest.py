"""The command line in this process, pointed at the fake AWS by its environment alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import EXTERNAL_ID, FakeAws
from tests.hub.flow.test_settle import RIGHTS

Say = Callable[..., Result]


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke({"remediation": RIGHTS})


@pytest.fixture
def say(hub_environment: FakeAws, spoke: Admin, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """Run ``hub`` with these words in an empty folder; the journal is a file there."""
    monkeypatch.setenv("HUB_DEPLOYMENT_MODE", "multi")
    monkeypatch.setenv("HUB_EXTERNAL_ID", EXTERNAL_ID)
    monkeypatch.setenv("HUB_ACCOUNTS", spoke.account_id)
    monkeypatch.setenv("HUB_CALLS_PER_SECOND", "1000")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def run(*words: str, given: str | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=given)

    return run
