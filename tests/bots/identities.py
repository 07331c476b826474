"""Users and roles for the scenes of IAM's bots, and everything about them as the administrator sees it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.cloudtrail import log_call
from tests.fake_aws.moto_gaps.iam import ATTACHED_AT_MOST, inside

ALICE = "alice"
# A moment at which a scene's call was logged; CloudTrail keeps it for 90 days.
LOGGED = datetime(2026, 3, 20, 5, 40, 42, tzinfo=UTC)
LOGGED_AT = "2026-03-20T05:40:42Z"

ADMINISTRATOR = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
READ_ONLY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


def user(admin: Admin, *words: str, name: str = ALICE, path: str = "/", **notes: Any) -> Planted:
    """A user without anything."""
    admin.client("iam").create_user(UserName=name, Path=path)
    return Planted(entity=user_entity(admin, name, path), words=words, notes=notes)


def user_entity(admin: Admin, name: str, path: str = "/") -> dict[str, Any]:
    return {
        "type": "IamUser", "name": name, "id": f"AIDA{'X' * 17}",
        "arn": f"arn:aws:iam::{admin.account_id}:user{path}{name}", "accountNumber": admin.account_id,
    }  # fmt: skip


def role(admin: Admin, *words: str, name: str = "worker", path: str = "/", **notes: Any) -> Planted:
    """A role without anything."""
    admin.client("iam").create_role(
        RoleName=name, Path=path, AssumeRolePolicyDocument=json.dumps(TRUST), Description="a worker"
    )
    arn = f"arn:aws:iam::{admin.account_id}:role{path}{name}"
    return Planted(entity={"type": "IamRole", "name": name, "arn": arn}, words=words, notes=notes)


def policy(admin: Admin, name: str, document: dict[str, Any] = READ_ONLY, *, path: str = "/") -> str:
    """ARN of a new managed policy of the account."""
    made = admin.client("iam").create_policy(PolicyName=name, Path=path, PolicyDocument=json.dumps(document))
    return str(made["Policy"]["Arn"])


def filled_to_the_quota(admin: Admin, planted: Planted, kind: str = "user") -> Planted:
    """Ten managed policies attached."""
    moto = inside(admin.account_id)
    for number in range(ATTACHED_AT_MOST):
        made = moto.create_policy("", "/", json.dumps(READ_ONLY), f"rights-{number}", [])
        made.attach_to(getattr(moto, f"get_{kind}")(planted.entity["name"]))
    return planted


def root(_admin: Admin, *words: str) -> Planted:
    """What a finding about the root user says."""
    return Planted(entity={"type": "IamUser", "name": "<root_account>", "id": "<root_account>"}, words=words)


def nobody(admin: Admin, *words: str) -> Planted:
    """A user that never was."""
    return Planted(entity=user_entity(admin, "nobody"), words=words)


def log_key(admin: Admin, key_id: str, owner: str | None = ALICE, **more: Any) -> None:
    """CloudTrail saw that somebody made this key."""
    made = {"accessKeyId": key_id, "status": "Active"} | ({"userName": owner} if owner else {})
    log_call(
        admin.account_id, "us-east-1", "CreateAccessKey",
        **{"at": LOGGED, "request": {"userName": owner} if owner else None, "response": {"accessKey": made}} | more,
    )  # fmt: skip


def observe_user(admin: Admin, planted: Planted) -> Any:
    iam = admin.client("iam")
    name = planted.notes.get("user") or planted.entity["name"]
    words = {"UserName": name}
    return {
        "user": {key: iam.get_user(**words)["User"][key] for key in ("UserName", "Path", "Arn", "UserId")},
        "groups": [each["GroupName"] for each in iam.list_groups_for_user(**words)["Groups"]],
        "attached": [
            each["PolicyArn"] for each in iam.list_attached_user_policies(**words)["AttachedPolicies"]
        ],
        "inline": {
            each: iam.get_user_policy(PolicyName=each, **words)["PolicyDocument"]
            for each in sorted(iam.list_user_policies(**words)["PolicyNames"])
        },
        "keys": {
            each["AccessKeyId"]: each["Status"] for each in iam.list_access_keys(**words)["AccessKeyMetadata"]
        },
        "password": _password(admin, name),
    }


def _password(admin: Admin, name: str) -> str:
    iam = admin.client("iam")
    try:
        profile = iam.get_login_profile(UserName=name)["LoginProfile"]
    except iam.exceptions.NoSuchEntityException:
        return "none"
    return "to be changed" if profile["PasswordResetRequired"] else "good"


def observe_role(admin: Admin, planted: Planted) -> Any:
    iam = admin.client("iam")
    words = {"RoleName": planted.entity["name"]}
    found = iam.get_role(**words)["Role"]
    return {
        "role": {key: found.get(key) for key in ("RoleName", "Path", "Arn", "RoleId", "Description")},
        "trust": found["AssumeRolePolicyDocument"],
        "attached": [
            each["PolicyArn"] for each in iam.list_attached_role_policies(**words)["AttachedPolicies"]
        ],
        "inline": {
            each: iam.get_role_policy(PolicyName=each, **words)["PolicyDocument"]
            for each in sorted(iam.list_role_policies(**words)["PolicyNames"])
        },
    }
