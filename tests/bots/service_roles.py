"""What an administrator sees of the roles that bots make for AWS services."""

from __future__ import annotations

import json
from typing import Any

from botocore.exceptions import ClientError

from tests.fake_aws.admin import Admin


def trust(*services: str, **others: Any) -> str:
    """A trust policy for services and, by keyword, for other principals."""
    principal = {**({"Service": list(services)} if services else {}), **others}
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
        }
    )


def seen_role(admin: Admin, name: str) -> Any:
    """The role with everything on it, as far as it can differ; None if there is no such role."""
    iam = admin.client("iam")
    try:
        role = iam.get_role(RoleName=name)["Role"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return None
    names = iam.list_role_policies(RoleName=name)["PolicyNames"]
    return {
        "trust": role["AssumeRolePolicyDocument"],
        "path": role["Path"],
        "inline": {
            each: iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"] for each in names
        },
        "attached": iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"],
    }
