"""An organization on the embedded AWS: accounts in nested OUs, the hub stack and the spoke roles,
deployed from the very templates a user deploys."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deploy.names import HUB_STACK, STACK_SET
from deploy.spokes import deploy_spokes
from deploy.stack import deploy_hub
from deploy.template import hub_template, role_template
from hub.demo.embedded import REGION, EmbeddedAws
from hub.demo.server import STACKSETS

MANAGEMENT = "999900001111"
EXTERNAL_ID = "demo-external-id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """The organization as deployed. ``accounts`` are id -> name of the workload accounts."""

    hub_account: str
    accounts: Mapping[str, str]
    outputs: Mapping[str, str]
    reports_queue: str
    external_id: str = EXTERNAL_ID


async def build(aws: EmbeddedAws, *, accounts: int, advance: Callable[[str], None]) -> Estate:
    """Create the organization with ``accounts`` workload accounts and deploy everything into it."""
    organizations = await aws.client("organizations", MANAGEMENT)
    organization = (await organizations.create_organization(FeatureSet="ALL"))["Organization"]["Id"]
    root = (await organizations.list_roots())["Roots"][0]["Id"]
    hub_account = await _account(organizations, "security")
    await organizations.register_delegated_administrator(AccountId=hub_account, ServicePrincipal=STACKSETS)
    workloads = await _unit(organizations, root, "Workloads")
    production = await _unit(organizations, workloads, "Production")
    made: dict[str, str] = {}
    for number in range(accounts):
        unit, kind = (production, "prod") if number % 2 else (workloads, "dev")
        name = f"workload-{kind}-{number + 1:02d}"
        account = await _account(organizations, name)
        await organizations.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
        made[account] = name
        advance(f"account {account} {name}")
    outputs = await _deploy(aws, organization, hub_account, workloads, advance)
    queue = await _listen(aws, hub_account, outputs["OutputTopicARN"])
    return Estate(hub_account=hub_account, accounts=made, outputs=outputs, reports_queue=queue)


async def _account(organizations: object, name: str) -> str:
    answer = await organizations.create_account(AccountName=name, Email=f"{name}@example.com")  # type: ignore[attr-defined]
    return str(answer["CreateAccountStatus"]["AccountId"])


async def _unit(organizations: object, parent: str, name: str) -> str:
    answer = await organizations.create_organizational_unit(ParentId=parent, Name=name)  # type: ignore[attr-defined]
    return str(answer["OrganizationalUnit"]["Id"])


async def _deploy(
    aws: EmbeddedAws, organization: str, hub_account: str, unit: str, advance: Callable[[str], None]
) -> Mapping[str, str]:
    cloudformation = await aws.client("cloudformation", hub_account)
    outputs = await deploy_hub(
        cloudformation,
        template=hub_template(),
        stack_name=HUB_STACK,
        parameters={
            "DeploymentMode": "multi",
            "OutputMode": "JSON",
            "ExternalId": EXTERNAL_ID,
            "OrganizationId": organization,
            "Compute": "none",
        },
    )
    advance("hub stack")
    await deploy_spokes(
        cloudformation,
        template=role_template(),
        name=STACK_SET,
        parameters={
            "HubAccountId": hub_account,
            "HubRoleName": outputs["HubRoleName"],
            "ExternalId": EXTERNAL_ID,
            "OrganizationId": organization,
        },
        organizational_units=[unit],
        region=REGION,
        call_as="DELEGATED_ADMIN",
    )
    advance("spoke roles")
    return outputs


async def _listen(aws: EmbeddedAws, hub_account: str, topic: str) -> str:
    """A queue subscribed to the reports, as a dashboard would have one."""
    sqs, sns = await aws.client("sqs", hub_account), await aws.client("sns", hub_account)
    url = str((await sqs.create_queue(QueueName="central-dashboard"))["QueueUrl"])
    answer = await sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn = answer["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    await sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    await sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"}
    )
    return url
