"""What the tests of IAM bots plant and look at, over and over."""

from __future__ import annotations

import json
from typing import Any

from moto.iam.models import iam_backends

from tests.fake_aws.admin import Admin
from tests.fake_aws.server import SPOKE_ROLE

BUCKET = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::invoices/*"}
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
NOTHING = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
OWN = ("bot-alone", SPOKE_ROLE)
SSO = "/aws-reserved/sso.amazonaws.com/"
SERVICE_LINKED = "/aws-service-role/ecs.amazonaws.com/"


def document(*statements: dict[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trusting(service: str = "ec2.amazonaws.com") -> str:
    """The trust policy of a role for a service."""
    return document({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})


def policy(admin: Admin, name: str, *statements: dict[str, Any], **more: Any) -> str:
    """ARN of a new customer managed policy."""
    text = document(*(statements or (BUCKET,)))
    made = admin.client("iam").create_policy(PolicyName=name, PolicyDocument=text, **more)
    return str(made["Policy"]["Arn"])


def role(admin: Admin, name: str, **more: Any) -> str:
    """ARN of a new role."""
    made = admin.client("iam").create_role(RoleName=name, **{"AssumeRolePolicyDocument": trusting(), **more})
    return str(made["Role"]["Arn"])


def user(admin: Admin, name: str, **more: Any) -> str:
    """ARN of a new user."""
    return str(admin.client("iam").create_user(UserName=name, **more)["User"]["Arn"])


def profile(admin: Admin, name: str, *, role: str = "", path: str = "/") -> str:
    """ARN of a new instance profile that holds the role."""
    iam = admin.client("iam")
    made = iam.create_instance_profile(InstanceProfileName=name, Path=path)["InstanceProfile"]
    if role:
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
    return str(made["Arn"])


def backend(admin: Admin) -> Any:
    """moto's own IAM, for states that nobody can bring about from outside."""
    return iam_backends[admin.account_id]["aws"]


def seen(admin: Admin) -> dict[str, Any]:
    """Everything in the account's IAM but ids, dates and the roles that the tests themselves work with."""
    found = admin.client("iam").get_account_authorization_details()
    names = {"RoleDetailList": "RoleName", "UserDetailList": "UserName", "GroupDetailList": "GroupName"}
    holders = {
        listed: {each[name]: _plain(each) for each in found[listed] if each[name] not in OWN}
        for listed, name in names.items()
    }
    return {**holders, "Policies": {each["Arn"]: _plain(each) for each in found["Policies"]}}


def _plain(value: Any) -> Any:
    """As JSON, without what moves by itself, lists of names and versions in order."""
    if isinstance(value, dict):
        return {
            key: _plain(inner)
            for key, inner in value.items()
            if not key.endswith(("Id", "Date", "LastUsed")) or key in ("VersionId", "DefaultVersionId")
        }
    if isinstance(value, list):
        return sorted((_plain(inner) for inner in value), key=lambda inner: json.dumps(inner, sort_keys=True))
    return value
