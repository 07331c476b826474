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
from hub.rules.live import LiveRules
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import HUB_ACCOUNT, HUB_ROLE, FakeAws, allow, policy, trust
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
        assert isinstance(rules, LiveRules)
        rules._looked_at -= LOOK_AGAIN_SECONDS
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


# --- where accounts are


PROD_ONLY = RUNS.replace("match: {", "match: {ous: Workloads/Prod, account_tags: {stage: prod}, ")


class Organization:
    """An organization with this hub in its management account, and an account in Workloads/Prod."""

    def __init__(self, aws: FakeAws, monkeypatch: pytest.MonkeyPatch, *rights: str) -> None:
        self._aws = aws
        self._management = aws.fresh_account()
        self._client = self._management.client("organizations")
        self._client.create_organization(FeatureSet="ALL")
        self._root = unit = self._client.list_roots()["Roots"][0]["Id"]
        for name in ("Workloads", "Prod"):
            made = self._client.create_organizational_unit(ParentId=unit, Name=name)
            unit = made["OrganizationalUnit"]["Id"]
        entry = allow("sts:AssumeRole", "sts:SetSourceIdentity", "organizations:ListAccounts", *rights)
        keys = aws.role_credentials(self._management.account_id, HUB_ROLE, [policy(entry)])
        for name, value in keys.items():
            monkeypatch.setenv(name, value)
        self.prod = self.account(unit)

    def account(self, unit: str | None = None) -> Admin:
        """One more, with the spoke role and the tag stage=prod."""
        made = self._client.create_account(AccountName="one", Email="one@example.com")
        account = str(made["CreateAccountStatus"]["AccountId"])
        self._client.tag_resource(ResourceId=account, Tags=[{"Key": "stage", "Value": "prod"}])
        if unit:
            self._client.move_account(AccountId=account, SourceParentId=self._root, DestinationParentId=unit)
        trusts = trust(f"arn:aws:iam::{self._management.account_id}:role/{HUB_ROLE}")
        return self._aws.spoke({"remediation": RIGHTS}, account_id=account, trusts=trusts)


async def test_a_rule_about_ous_and_tags_of_accounts_runs_in_those_and_nowhere_else(
    write: Write, aws: FakeAws, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    rights = ("ListParents", "DescribeOrganizationalUnit", "ListTagsForResource")
    known = Organization(aws, monkeypatch, *(f"organizations:{each}" for each in rights))
    there, elsewhere = known.prod, known.account()
    async with open_hub(hub_settings(rules=write(PROD_ONLY))) as hub:
        run = only(await hub.settle(message(there.account_id, id=bucket(there))))
        assert await hub.settle(message(elsewhere.account_id, id=bucket(elsewhere))) is None
    assert run.outcome is Outcome.FIXED


async def test_where_organizations_does_not_answer_such_a_rule_runs_nothing_and_such_a_refusal_holds(
    write: Write, aws: FakeAws, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Organization(aws, monkeypatch, "organizations:ListParents").prod
    name = bucket(there)
    async with open_hub(hub_settings(rules=write(PROD_ONLY))) as hub:
        assert await hub.settle(message(there.account_id, id=name)) is None
    refuses = PROD_ONLY.replace("    bots:", "    action: refuse\n    bots:")
    async with open_hub(hub_settings(rules=write(refuses))) as hub:
        run = only(await hub.settle(message(there.account_id, "s3_enable_versioning", id=name)))
    assert run.outcome is Outcome.REFUSED
    assert "asks for OUs or tags of the account" in run.message
