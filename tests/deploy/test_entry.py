"""The templates as deployed, under enforced IAM: who gets into a spoke account, and what can be done there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.deploy.estate import (
    EXTERNAL_ID,
    Organization,
    hub_stack,
    organization,
    spoke_stack,
    spokes,
)
from tests.fake_aws.server import Credentials, FakeAws, allow, policy

DENIED = {"AccessDenied", "AccessDeniedException", "AuthorizationError"}


@pytest.fixture
async def where(aws: FakeAws) -> Organization:
    """An organization with spoke roles, and a hub that may enter roles of that name anywhere."""
    made = organization(aws)
    await spokes(aws, made)
    await hub_stack(aws, made.hub, DeploymentMode="multi")
    return made


def client(aws: FakeAws, service: str, credentials: Credentials) -> Any:
    return boto3.session.Session(
        aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=credentials["AWS_SESSION_TOKEN"],
        region_name="us-east-1",
    ).client(service, endpoint_url=aws.endpoint)


def hub(aws: FakeAws, account_id: str) -> Credentials:
    """Credentials of the hub's role as its stack made it."""
    return aws.enter(account_id, f"arn:aws:iam::{account_id}:role/remediation-hub", session="hub")


def stranger(aws: FakeAws, account_id: str, role: str = "admin") -> Credentials:
    """Somebody with every right in an account."""
    return aws.role_credentials(account_id, role, [policy(allow("*"))])


def enter(
    aws: FakeAws,
    credentials: Credentials,
    account_id: str,
    *,
    external_id: str | None = EXTERNAL_ID,
    **more: str,
) -> Credentials:
    """Enter a spoke account as the hub does."""
    request: dict[str, Any] = {"SourceIdentity": "run-1"} | more
    if external_id is not None:
        request["ExternalId"] = external_id
    found: Mapping[str, str] = client(aws, "sts", credentials).assume_role(
        RoleArn=f"arn:aws:iam::{account_id}:role/Dome9CloudBots", RoleSessionName="hub.bot", **request
    )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": found["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": found["SecretAccessKey"],
        "AWS_SESSION_TOKEN": found["SessionToken"],
    }


def refusal(call: Any, **request: Any) -> str:
    """The error code and text a call ends with."""
    with pytest.raises(ClientError) as refused:
        call(**request)
    error = refused.value.response["Error"]
    assert error["Code"] in DENIED, error
    return str(error["Message"])


async def test_the_hub_enters_accounts_at_every_depth_and_works_there(
    aws: FakeAws, where: Organization
) -> None:
    for account in (where.upper, where.lower):
        bucket = f"b-{account}"
        aws.admin(account).client("s3").create_bucket(Bucket=bucket)
        s3 = client(aws, "s3", enter(aws, hub(aws, where.hub), account))
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


@pytest.mark.parametrize("external_id", [None, "a-guess"])
async def test_without_the_external_id_the_hub_stays_outside(
    external_id: str | None, aws: FakeAws, where: Organization
) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        enter(aws, hub(aws, where.hub), where.upper, external_id=external_id)


async def test_an_administrator_of_the_hubs_account_does_not_get_in(
    aws: FakeAws, where: Organization
) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        enter(aws, stranger(aws, where.hub), where.upper)


async def test_an_administrator_of_another_account_does_not_get_in(aws: FakeAws, where: Organization) -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        enter(aws, stranger(aws, where.outside, "remediation-hub"), where.upper)


async def test_a_spoke_account_is_no_way_into_the_next(aws: FakeAws, where: Organization) -> None:
    inside = enter(aws, hub(aws, where.hub), where.upper)
    with pytest.raises(ClientError, match="AccessDenied"):
        enter(aws, inside, where.lower)


async def test_a_hub_outside_the_organization_does_not_get_in(aws: FakeAws) -> None:
    member, other = organization(aws), organization(aws)
    await hub_stack(aws, other.hub, DeploymentMode="multi")
    given = {"hub": other.hub, "OrganizationId": member.id}
    await spoke_stack(aws, member.upper, **given)
    with pytest.raises(ClientError, match="AccessDenied"):
        enter(aws, hub(aws, other.hub), member.upper)


async def test_the_role_can_neither_change_itself_nor_make_new_powers(
    aws: FakeAws, where: Organization
) -> None:
    admin = aws.admin(where.upper).client("iam")
    # The worst case: somebody attached all rights to the role.
    admin.put_role_policy(RoleName="Dome9CloudBots", PolicyName="too-much", PolicyDocument=policy(allow("*")))
    admin.create_user(UserName="jane")
    before = admin.get_account_authorization_details()["RoleDetailList"]
    iam = client(aws, "iam", enter(aws, hub(aws, where.hub), where.upper))
    own = f"arn:aws:iam::{where.upper}:policy/Dome9CloudBots-limits"
    document = policy(allow("*"))
    itself = {"RoleName": "Dome9CloudBots"}
    for told in (
        refusal(iam.delete_role_policy, **itself, PolicyName="too-much"),
        refusal(iam.put_role_policy, **itself, PolicyName="more", PolicyDocument=document),
        refusal(iam.detach_role_policy, **itself, PolicyArn=own),
        refusal(iam.update_assume_role_policy, **itself, PolicyDocument=document),
        refusal(iam.create_policy_version, PolicyArn=own, PolicyDocument=document, SetAsDefault=True),
        refusal(iam.create_access_key, UserName="jane"),
        refusal(iam.create_user, UserName="john"),
        refusal(
            iam.attach_user_policy, UserName="jane", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess"
        ),
    ):
        assert "explicit deny" in told
    assert admin.get_account_authorization_details()["RoleDetailList"] == before
    assert iam.get_role(**itself)["Role"]["RoleName"] == "Dome9CloudBots"


async def test_in_the_hubs_own_account_the_role_cannot_touch_what_the_hub_stands_on(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    account = admin.account_id
    outputs = await hub_stack(aws, account)
    await spoke_stack(aws, account, hub=account)
    admin.client("iam").put_role_policy(
        RoleName="Dome9CloudBots", PolicyName="too-much", PolicyDocument=policy(allow("*"))
    )
    inside = enter(aws, hub(aws, account), account)
    queue, table, hub_role = outputs["QueueUrl"], outputs["TableName"], outputs["HubRoleName"]
    sns, sqs, dynamodb, iam = (client(aws, name, inside) for name in ("sns", "sqs", "dynamodb", "iam"))
    for told in (
        refusal(sns.delete_topic, TopicArn=outputs["InputTopicARN"]),
        refusal(sns.publish, TopicArn=outputs["OutputTopicARN"], Message="all is well"),
        refusal(sqs.purge_queue, QueueUrl=queue),
        refusal(sqs.set_queue_attributes, QueueUrl=queue, Attributes={"MessageRetentionPeriod": "60"}),
        refusal(dynamodb.delete_table, TableName=table),
        refusal(iam.put_role_policy, RoleName=hub_role, PolicyName="x", PolicyDocument=policy(allow("*"))),
    ):
        assert "explicit deny" in told


async def test_the_hubs_role_can_do_its_own_work_and_nothing_else(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    outputs = await hub_stack(aws, admin.account_id)
    credentials = hub(aws, admin.account_id)
    sns, sqs, dynamodb = (client(aws, name, credentials) for name in ("sns", "sqs", "dynamodb"))
    admin.client("sns").publish(TopicArn=outputs["InputTopicARN"], Message="{}")
    [message] = sqs.receive_message(QueueUrl=outputs["QueueUrl"])["Messages"]
    told = {"QueueUrl": outputs["QueueUrl"], "ReceiptHandle": message["ReceiptHandle"]}
    sqs.change_message_visibility(**told, VisibilityTimeout=60)
    sqs.delete_message(**told)
    dynamodb.put_item(TableName=outputs["TableName"], Item={"pk": {"S": "run#1"}})
    assert "Item" in dynamodb.get_item(TableName=outputs["TableName"], Key={"pk": {"S": "run#1"}})
    sns.publish(TopicArn=outputs["OutputTopicARN"], Message="report")
    refusal(sns.publish, TopicArn=outputs["InputTopicARN"], Message="{}")
    refusal(sqs.purge_queue, QueueUrl=outputs["QueueUrl"])
    refusal(dynamodb.delete_table, TableName=outputs["TableName"])
    refusal(client(aws, "iam", credentials).list_users)
    refusal(client(aws, "s3", credentials).list_buckets)
