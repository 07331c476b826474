"""An organization in the fake AWS with the hub and the spoke roles deployed from the real templates."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiobotocore.session import get_session

from deploy.calls import Patience
from deploy.spokes import Rollout, deploy_spokes
from deploy.stack import deploy_hub, deploy_stack
from tests.fake_aws.principals import administrator_key
from tests.fake_aws.server import FakeAws
from tests.spoke_role.reading import ROOT

HUB_YAML = (ROOT / "deploy/hub.yaml").read_text(encoding="utf-8")
ROLE_YAML = (ROOT / "spoke_role/role.yaml").read_text(encoding="utf-8")
EXTERNAL_ID = "between-hub-and-spokes"
AT_ONCE = Patience(wait=5.0, poll=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Organization:
    """Accounts by where they are: ``upper`` in an OU, ``lower`` in an OU inside it, ``outside`` in neither."""

    id: str
    management: str
    unit: str
    hub: str
    upper: str
    lower: str
    outside: str


def organization(aws: FakeAws) -> Organization:
    management = aws.fresh_account()
    client = management.client("organizations")
    made = client.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    root = client.list_roots()["Roots"][0]["Id"]
    # Once by the console or this call; before, StackSets with permissions of the service are refused.
    management.client("cloudformation").activate_organizations_access()

    def unit(parent: str, name: str) -> str:
        return str(client.create_organizational_unit(ParentId=parent, Name=name)["OrganizationalUnit"]["Id"])

    def account(name: str, parent: str) -> str:
        answer = client.create_account(AccountName=name, Email=f"{name}@example.com")
        number = str(answer["CreateAccountStatus"]["AccountId"])
        if parent != root:
            client.move_account(AccountId=number, SourceParentId=root, DestinationParentId=parent)
        return number

    upper = unit(root, "Workloads")
    lower = unit(upper, "Production")
    return Organization(
        id=made,
        management=management.account_id,
        unit=upper,
        hub=account("security", root),
        upper=account("dev", upper),
        lower=account("prod", lower),
        outside=account("sandbox", root),
    )


@asynccontextmanager
async def cloudformation(aws: FakeAws, account_id: str) -> AsyncIterator[Any]:
    """An administrator's client of that account."""
    async with get_session().create_client(
        "cloudformation",
        region_name="us-east-1",
        endpoint_url=aws.endpoint,
        aws_access_key_id=administrator_key(account_id),
        aws_secret_access_key="administrator",
    ) as client:
        yield client


async def hub_stack(aws: FakeAws, account_id: str, **parameters: str) -> dict[str, str]:
    """Deploy the hub for a worker elsewhere; the outputs."""
    given = {"ExternalId": EXTERNAL_ID, "Compute": "none"} | parameters
    async with cloudformation(aws, account_id) as client:
        return await deploy_hub(
            client, template=HUB_YAML, stack_name="remediation-hub", parameters=given, patience=AT_ONCE
        )


async def spoke_stack(
    aws: FakeAws, account_id: str, *, hub: str, template: str = ROLE_YAML, **parameters: str
) -> dict[str, str]:
    """Deploy the spoke role as a plain stack; the committed one unless another template is given."""
    given = {"ExternalId": EXTERNAL_ID, "HubAccountId": hub} | parameters
    async with cloudformation(aws, account_id) as client:
        return await deploy_stack(
            client, template=template, stack_name="spoke", parameters=given, patience=AT_ONCE
        )


async def spokes(aws: FakeAws, where: Organization) -> Rollout:
    """Deploy the spoke role as a StackSet to the upper OU."""
    async with cloudformation(aws, where.management) as client:
        return await deploy_spokes(
            client,
            template=ROLE_YAML,
            name="remediation-hub-spokes",
            parameters={
                "HubAccountId": where.hub,
                "ExternalId": EXTERNAL_ID,
                "OrganizationId": where.id,
            },
            organizational_units=[where.unit],
            region="us-east-1",
            patience=AT_ONCE,
        )
