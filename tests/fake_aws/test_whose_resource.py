"""Conditions on whose a resource is: its account's number, and its account's organization."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fake_aws.admin import client, code
from tests.fake_aws.server import Credentials, FakeAws, allow, policy, trust
from tests.fake_aws.stack_set_estate import Estate


def calling(aws: FakeAws, service: str, keys: Credentials) -> Any:
    return client(
        aws.endpoint,
        service,
        "us-east-1",
        access_key=keys["AWS_ACCESS_KEY_ID"],
        secret_key=keys["AWS_SECRET_ACCESS_KEY"],
        token=keys["AWS_SESSION_TOKEN"],
    )


@pytest.mark.parametrize(
    ("key", "wrong"), [("aws:ResourceOrgID", "o-elsewhere"), ("aws:ResourceAccount", "1")]
)
def test_roles_are_entered_by_whose_they_are(estate: Estate, key: str, wrong: str) -> None:
    aws, hub, spoke = estate.aws, estate.account(), estate.account(estate.lower)
    arn = f"arn:aws:iam::{spoke}:role/door"
    aws.spoke(account_id=spoke, role="door", trusts=trust(f"arn:aws:iam::{hub}:root", external_id=None))
    organization = estate.management.client("organizations").describe_organization()["Organization"]["Id"]
    right = {"aws:ResourceOrgID": organization, "aws:ResourceAccount": spoke}[key]

    def entering(value: str) -> str | None:
        statement = allow("sts:AssumeRole", Condition={"StringEquals": {key: value}})
        keys = aws.role_credentials(hub, f"hub-{value}", [policy(statement)])
        sts = calling(aws, "sts", keys)
        return code(sts.assume_role, RoleArn=arn, RoleSessionName="test")

    assert entering(right) is None
    assert entering(wrong) == "AccessDenied"


def test_an_account_outside_every_organization_has_no_organization(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    somewhere = {"Null": {"aws:ResourceOrgID": "false"}}
    keys = aws.role_credentials(
        admin.account_id, "worker", [policy(allow("iam:ListRoles", Condition=somewhere))]
    )
    iam = calling(aws, "iam", keys)
    assert code(iam.list_roles) == "AccessDenied"


def test_a_bucket_is_its_owners(aws: FakeAws) -> None:
    owner, other = aws.fresh_account(), aws.fresh_account()
    bucket = f"mine-{owner.account_id}"
    owner.client("s3").create_bucket(Bucket=bucket)
    mine = {"StringEquals": {"aws:ResourceAccount": owner.account_id}}
    keys = aws.role_credentials(owner.account_id, "worker", [policy(allow("s3:*", Condition=mine))])
    s3 = calling(aws, "s3", keys)
    assert code(s3.get_bucket_versioning, Bucket=bucket) is None
    theirs = f"theirs-{other.account_id}"
    other.client("s3").create_bucket(Bucket=theirs)
    assert code(s3.get_bucket_versioning, Bucket=theirs) == "AccessDenied"
