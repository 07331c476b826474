"""With the rights and settings its stack gives, a hub has its rules and knows the accounts they ask about."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hub.app import open_hub
from hub.aws.accounts import HubIdentity
from hub.aws.directory import Directory
from hub.aws.organization_facts import OrganizationFacts
from hub.errors import RulesWrong
from hub.model import AccountFacts
from hub.settings import Settings
from tests.deploy.estate import hub_stack
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws
from tests.fake_aws.stack_set_estate import STACK_SETS, new_estate

RULES = "version: 1\ntrust_finding_actions: none\n"

Become = Callable[[str, dict[str, str]], Settings]


@pytest.fixture
def become(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Become:
    """The settings of a deployed hub's worker, in whose environment this process is from then on."""

    def become(account_id: str, outputs: dict[str, str]) -> Settings:
        told = dict(line.split("=", 1) for line in outputs["WorkerSettings"].splitlines())
        keys = aws.enter(account_id, outputs["HubRoleArn"], session="worker")
        for name, value in {**told, **keys, "AWS_ENDPOINT_URL": aws.endpoint}.items():
            monkeypatch.setenv(name, value)
        return Settings.load()

    return become


@pytest.fixture
def admin(aws: FakeAws) -> Admin:
    return aws.fresh_account()


@pytest.fixture(params=["s3", "ssm"])
def address(request: pytest.FixtureRequest, admin: Admin) -> str:
    """Where rules lie, with others beside them that are not the hub's to read."""
    if request.param == "ssm":
        for name in ("/hub/rules", "/hub/rules2"):
            admin.client("ssm").put_parameter(Name=name, Type="SecureString", Value=RULES)
        return "ssm:/hub/rules"
    bucket, s3 = f"rules-{admin.account_id}", admin.client("s3")
    s3.create_bucket(Bucket=bucket)
    for key in ("prod/rules.yaml", "prod/rules.yaml2"):
        s3.put_object(Bucket=bucket, Key=key, Body=RULES.encode())
    return f"s3://{bucket}/prod/rules.yaml"


@pytest.mark.parametrize("encryption", ["aws", "own-key"])
async def test_a_deployed_hub_starts_on_its_rules_and_can_read_nothing_beside_them(
    aws: FakeAws, admin: Admin, address: str, encryption: str, become: Become
) -> None:
    outputs = await hub_stack(aws, admin.account_id, Rules=address, Encryption=encryption)
    settings = become(admin.account_id, outputs)
    async with open_hub(settings) as hub:
        assert hub.kit.rules is not None
        told = hub.kit.rules.current().rules
        assert told.trust_place == f"trust_finding_actions: none ({address} line 2)"
    with pytest.raises(RulesWrong, match="AccessDenied"):
        async with open_hub(settings.model_copy(update={"rules": f"{address}2"})):
            pass


async def test_a_deployed_hub_of_an_organization_knows_ous_and_tags_of_its_accounts(
    aws: FakeAws, become: Become
) -> None:
    estate = new_estate(aws)
    organizations = estate.management.client("organizations")
    security, member = estate.account(), estate.account(estate.lower)
    organizations.register_delegated_administrator(AccountId=security, ServicePrincipal=STACK_SETS)
    organizations.tag_resource(ResourceId=member, Tags=[{"Key": "stage", "Value": "prod"}])
    organization = organizations.describe_organization()["Organization"]["Id"]
    outputs = await hub_stack(aws, security, DeploymentMode="multi", OrganizationId=organization)
    identity = HubIdentity(become(security, outputs))
    known = OrganizationFacts(identity, Directory(identity.settings, identity))
    found = await known.facts_of(member, ous=True, tags=True)
    await identity.close()
    assert found == AccountFacts(
        ous=(estate.root, estate.upper, "upper", estate.lower, "upper/lower"), tags={"stage": "prod"}
    )
