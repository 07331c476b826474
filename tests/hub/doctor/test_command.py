"""`hub doctor` as a person, a script and monitoring use it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from hub.cli import app
from hub.errors import SpokeError
from tests.fake_aws.server import EXTERNAL_ID, FakeAws
from tests.hub.doctor.estate import protected
from tests.hub.doctor.stand import LOOK, Stand, make_stand

Say = Callable[..., Result]


@pytest.fixture
def stand(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Stand:
    """A hub that is right, in the environment of this process."""
    made = make_stand(aws)
    made.be_the_hub(monkeypatch, *LOOK, "sts:AssumeRole", "sts:SetSourceIdentity")
    settings = made.settings()
    for name, value in {
        "HUB_DEPLOYMENT_MODE": "multi",
        "HUB_EXTERNAL_ID": EXTERNAL_ID,
        "HUB_OWN_ACCOUNT_BY_ROLE": "true",
        "HUB_QUEUE_URL": settings.queue_url,
        "HUB_REPORT_TOPIC_ARN": settings.report_topic_arn,
        "HUB_JOURNAL": settings.journal,
        "HUB_CALLS_PER_SECOND": "1000",
        "COLUMNS": "200",
    }.items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def say(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run ``hub doctor`` about some accounts."""

    def run(*words: str, accounts: list[str]) -> Result:
        monkeypatch.setenv("HUB_ACCOUNTS", ",".join(accounts))
        return CliRunner().invoke(app, ["doctor", *words])

    return run


def spoke(stand: Stand, **more: str) -> str:
    return asyncio.run(protected(stand.aws, hub=stand.account_id, **more))


def document(done: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_with_all_well_the_exit_status_is_0_and_nothing_needs_doing(say: Say, stand: Stand) -> None:
    done = say(accounts=[spoke(stand)])
    assert done.exit_code == 0, done.output
    assert "1 account: 1 protected, 0 not." in done.stdout
    # What could not be looked at is shown all the same.
    assert "the organization was not looked at" in done.stdout


def test_something_to_do_gives_exit_status_1_and_says_what(say: Say, stand: Stand) -> None:
    well, missing = spoke(stand), stand.aws.fresh_account().account_id
    done = say(accounts=[well, missing])
    assert done.exit_code == 1, done.output
    assert "2 accounts: 1 protected, 1 not." in done.stdout
    assert missing in done.stdout
    assert well not in done.stdout
    assert "hub deploy status" in done.stdout


def test_equal_problems_of_many_accounts_are_one_row(say: Say, stand: Stand) -> None:
    missing = sorted(stand.aws.fresh_account().account_id for _ in range(12))
    done = say(accounts=missing)
    assert "12 accounts:" in done.stdout
    assert [account for account in missing if account in done.stdout] == missing[:3]
    assert done.stdout.count("cannot be entered") == 1


def test_all_shows_every_line_of_every_account_with_awss_words(say: Say, stand: Stand) -> None:
    well, missing = spoke(stand), stand.aws.fresh_account().account_id
    done = say("--all", accounts=[well, missing])
    assert "can be entered" in done.stdout
    assert "opted in to no region" in done.stdout
    assert "is not authorized to perform: sts:AssumeRole" in " ".join(done.stdout.replace("│", " ").split())
    assert done.stdout.count(well) == 4


def test_json_is_one_document_with_a_schema_and_everything_in_it(say: Say, stand: Stand) -> None:
    well, missing = spoke(stand), stand.aws.fresh_account().account_id
    done = say("--json", accounts=[well, missing])
    assert done.exit_code == 1
    found = document(done)
    assert (found["schema"], found["well"]) == ("remediation-hub/doctor/1", False)
    assert found["hub"]["account"] == stand.account_id
    assert found["summary"]["standing"] == {
        "protected": 1,
        "not protected": 1,
        "not known": 0,
        "excluded": 0,
        "not active": 0,
    }
    accounts = {each["account"]: each for each in found["accounts"]}
    assert accounts[well]["permissions"]["not_allowed"] == {}
    assert accounts[well]["permissions"]["known_by"] == "version"
    assert accounts[well]["opt_in_regions"] == []
    assert accounts[missing]["permissions"] is None
    [line] = accounts[missing]["lines"]
    assert set(line) == {"subject", "state", "seen", "do", "answer"}
    assert line["state"] == "failed"


def test_only_the_accounts_asked_for_are_looked_at(say: Say, stand: Stand) -> None:
    accounts = [spoke(stand), *(stand.aws.fresh_account().account_id for _ in range(3))]
    done = say("--json", "--account", accounts[0], "--account", accounts[2], accounts=accounts)
    assert {each["account"] for each in document(done)["accounts"]} == {accounts[0], accounts[2]}


def test_deep_reads_what_the_tag_does_not_tell(say: Say, stand: Stand) -> None:
    account = spoke(stand)
    found = document(say("--json", "--deep", accounts=[account]))
    assert found["accounts"][0]["permissions"]["known_by"] == "documents"


def test_a_number_that_is_no_account_is_refused(say: Say) -> None:
    done = say("--account", "12345", accounts=[])
    assert done.exit_code == 2
    assert "not a 12-digit account id" in done.output


def test_without_credentials_doctor_cannot_look(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    done = say(accounts=["222233334444"])
    # `hub.cli.main` makes one line and exit status 2 of it.
    assert isinstance(done.exception, SpokeError)
    assert "who the hub itself is" in str(done.exception)
