"""What rules do to a hub at work: bots they add run, bots they refuse do not, and the journal tells who decided."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hub.app import open_hub
from hub.errors import RulesWrong
from hub.model import Outcome
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws
from tests.hub.flow.test_settle import RIGHTS, bucket, history, only, versioning
from tests.hub.messages import message

RUNS = """\
version: 1
rules:
  - name: versioned
    comment: production keeps versions
    match: {rule: "a *", entity: {type: S3Bucket}}
    bots: [s3_enable_versioning]
"""
REFUSES = RUNS.replace("    bots:", "    action: refuse\n    bots:")


@pytest.fixture
def spoke(aws: FakeAws) -> Admin:
    return aws.spoke({"remediation": RIGHTS})


Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a rules file and tells its path."""

    def write(text: str) -> str:
        (tmp_path / "rules.yaml").write_text(text)
        return str(tmp_path / "rules.yaml")

    return write


async def test_a_finding_that_names_no_bot_is_fixed_by_a_rule(
    write: Write, spoke: Admin, hub_settings: MakeSettings
) -> None:
    file = write(RUNS)
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id, rules=file)) as hub:
        run = only(await hub.settle(message(spoke.account_id, id=name)))
        kept = await history(hub)
    assert run.outcome is Outcome.FIXED
    assert versioning(spoke, name) == "Enabled"
    assert [each.decided_by for each in kept] == [f"rule 'versioned' ({file} line 3)"]


async def test_what_a_rule_refuses_is_not_touched_and_the_report_names_the_rule(
    aws: FakeAws, write: Write, spoke: Admin, hub_settings: MakeSettings
) -> None:
    file = write(REFUSES)
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id, rules=file)) as hub:
        sent = message(spoke.account_id, "s3_enable_versioning", id=name)
        [planned] = await hub.preview(sent)
        run = only(await hub.settle(sent))
        [kept] = await history(hub)
    assert run.outcome is planned.outcome is Outcome.REFUSED
    assert run.message == planned.message
    assert run.message == (
        f"rule 'versioned' ({file} line 3) refuses s3_enable_versioning: production keeps versions"
    )
    assert kept.decided_by == f"rule 'versioned' ({file} line 3)"
    assert aws.calls(spoke.account_id) == ()


async def test_a_finding_that_no_rule_is_about_and_that_names_nothing_is_left_alone(
    write: Write, spoke: Admin, hub_settings: MakeSettings
) -> None:
    file = write(RUNS)
    async with open_hub(hub_settings(spoke.account_id, rules=file)) as hub:
        assert await hub.settle(message(spoke.account_id, id="q", type="SqsQueue")) is None
        assert await history(hub) == []


async def test_without_a_rules_file_the_default_decides(
    spoke: Admin, hub_settings: MakeSettings
) -> None:
    name = bucket(spoke)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        run = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id=name)))
    assert (run.outcome, run.decided_by) == (
        Outcome.FIXED,
        "trust_finding_actions: all (nobody wrote rules)",
    )


async def test_a_hub_does_not_start_on_a_broken_file_and_lists_every_mistake(
    write: Write, hub_settings: MakeSettings, spoke: Admin
) -> None:
    file = write(RUNS.replace("comment", "coment").replace("_versioning", "_versionin"))
    with pytest.raises(RulesWrong) as refused:
        async with open_hub(hub_settings(spoke.account_id, rules=file)):
            pass
    told = str(refused.value)
    assert f"{file}:3: rule 'versioned' has no comment" in told
    assert f"{file}:4: a rule has no key 'coment'; did you mean 'comment'?" in told
    assert f"{file}:6: rule 'versioned': there is no bot called 's3_enable_versionin'" in told
