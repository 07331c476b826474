"""What rules do to a hub at work: bots they add run, bots they refuse do not, and the journal tells who decided."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.app import open_hub
from hub.aws.rules_sources import LOOK_AGAIN_SECONDS
from hub.errors import RulesWrong
from hub.model import Outcome
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import HUB_ACCOUNT, FakeAws, allow
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


async def test_without_a_rules_file_the_default_decides(spoke: Admin, hub_settings: MakeSettings) -> None:
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


# --- rules that lie elsewhere


@pytest.fixture
def far(aws: FakeAws, hub_environment: FakeAws) -> tuple[Any, str, str]:
    """A client of S3, a bucket and a key the hub may read."""
    bucket, key = f"rules-{secrets.token_hex(6)}", "hub/rules.yaml"
    s3 = aws.admin(HUB_ACCOUNT).client("s3")
    s3.create_bucket(Bucket=bucket)
    aws.hub_credentials(allow("s3:GetObject", resource=f"arn:aws:s3:::{bucket}/{key}"))
    return s3, bucket, key


async def test_a_hub_follows_an_object_in_s3_and_decisions_name_it_and_the_line(
    far: tuple[Any, str, str], spoke: Admin, hub_settings: MakeSettings
) -> None:
    s3, bucket_of_rules, key = far
    s3.put_object(Bucket=bucket_of_rules, Key=key, Body=RUNS)
    address, name = f"s3://{bucket_of_rules}/{key}", bucket(spoke)
    s3_of_rules = f"rule 'versioned' ({address} line 3)"
    async with open_hub(hub_settings(spoke.account_id, rules=address)) as hub:
        ran = only(await hub.settle(message(spoke.account_id, id=name)))
        s3.put_object(Bucket=bucket_of_rules, Key=key, Body=REFUSES)
        rules = hub.kit.rules
        assert rules is not None
        rules._looked_at -= LOOK_AGAIN_SECONDS
        await rules.refresh()
        again = message(spoke.account_id, "s3_enable_versioning", id=name, key="another")
        refused = only(await hub.settle(again))
        kept = await history(hub)
    assert (ran.outcome, refused.outcome) == (Outcome.FIXED, Outcome.REFUSED)
    assert [run.decided_by for run in kept] == [s3_of_rules] * 2


async def test_a_hub_reads_a_parameter(aws: FakeAws, spoke: Admin, hub_settings: MakeSettings) -> None:
    name = f"/hub/{secrets.token_hex(6)}"
    aws.hub_credentials(
        allow("ssm:GetParameter", resource=f"arn:aws:ssm:us-east-1:{HUB_ACCOUNT}:parameter{name}")
    )
    aws.admin(HUB_ACCOUNT).client("ssm").put_parameter(Name=name, Type="SecureString", Value=REFUSES)
    async with open_hub(hub_settings(spoke.account_id, rules=f"ssm:{name}")) as hub:
        run = only(await hub.settle(message(spoke.account_id, "s3_enable_versioning", id=bucket(spoke))))
    assert run.outcome is Outcome.REFUSED
    assert f"rule 'versioned' (ssm:{name} line 3) refuses" in run.message


async def test_a_hub_does_not_start_on_an_object_with_mistakes_or_without_one(
    far: tuple[Any, str, str], spoke: Admin, hub_settings: MakeSettings
) -> None:
    s3, bucket_of_rules, key = far
    address = f"s3://{bucket_of_rules}/{key}"

    async def told() -> str:
        with pytest.raises(RulesWrong) as refused:
            async with open_hub(hub_settings(spoke.account_id, rules=address)):
                pass
        return str(refused.value)

    assert f"{address} could not be read" in await told()
    s3.put_object(Bucket=bucket_of_rules, Key=key, Body=RUNS.replace("comment", "coment"))
    wrong = await told()
    assert f"{address}:3: rule 'versioned' has no comment" in wrong
    assert f"{address}:4: a rule has no key 'coment'; did you mean 'comment'?" in wrong
