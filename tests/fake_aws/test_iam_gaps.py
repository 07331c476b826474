"""The fake AWS's IAM answers as AWS does where moto alone would not: roles, boundaries, instance profiles."""

from __future__ import annotations

from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from tests.bots import iam_plants as plants
from tests.fake_aws.admin import Admin, code


@pytest.mark.parametrize("path", [plants.SSO, plants.SERVICE_LINKED])
def test_roles_that_aws_keeps_cannot_be_changed(admin: Admin, path: str) -> None:
    iam, arn = admin.client("iam"), plants.policy(admin, "any")
    plants.role(admin, "theirs", Path=path)
    assert code(iam.attach_role_policy, RoleName="theirs", PolicyArn=arn) == "UnmodifiableEntity"
    assert code(iam.delete_role, RoleName="theirs") == "UnmodifiableEntity"
    bound = {"RoleName": "theirs", "PermissionsBoundary": arn}
    assert code(iam.put_role_permissions_boundary, **bound) == "UnmodifiableEntity"
    assert code(iam.get_role, RoleName="theirs") is None


def test_users_have_boundaries_too(admin: Admin) -> None:
    iam, arn = admin.client("iam"), plants.policy(admin, "limit")
    plants.user(admin, "bob")
    put = {"UserName": "bob", "PermissionsBoundary": arn}
    assert code(iam.put_user_permissions_boundary, **{**put, "UserName": "nobody"}) == "NoSuchEntity"
    iam.put_user_permissions_boundary(**put)
    shown = iam.get_user(UserName="bob")["User"]["PermissionsBoundary"]
    assert shown["PermissionsBoundaryArn"] == arn
    iam.delete_user_permissions_boundary(UserName="bob")
    assert code(iam.delete_user_permissions_boundary, UserName="bob") == "NoSuchEntity"
    assert "PermissionsBoundary" not in iam.get_user(UserName="bob")["User"]


def test_a_boundary_must_exist(admin: Admin) -> None:
    plants.role(admin, "app")
    arn = f"arn:aws:iam::{admin.account_id}:policy/never-made"
    put = admin.client("iam").put_role_permissions_boundary
    assert code(put, RoleName="app", PermissionsBoundary=arn) == "NoSuchEntity"


def test_who_has_a_policy_is_listed_by_kind_usage_and_path_in_pages(admin: Admin) -> None:
    iam, arn = admin.client("iam"), plants.policy(admin, "any")
    for name in ("a", "b", "c"):
        plants.role(admin, name, Path="/team/" if name == "a" else "/")
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    plants.user(admin, "bob")
    iam.put_user_permissions_boundary(UserName="bob", PermissionsBoundary=arn)

    def names(**narrowed: Any) -> list[str]:
        found = iam.list_entities_for_policy(PolicyArn=arn, **narrowed)
        return [each["RoleName"] for each in found["PolicyRoles"]] + [
            each["UserName"] for each in found["PolicyUsers"]
        ]

    assert names() == ["a", "b", "c", "bob"]
    assert names(EntityFilter="User") == names(PolicyUsageFilter="PermissionsBoundary") == ["bob"]
    assert names(PolicyUsageFilter="PermissionsPolicy", PathPrefix="/team/") == ["a"]
    first = iam.list_entities_for_policy(PolicyArn=arn, MaxItems=2)
    assert first["IsTruncated"]
    assert names(MaxItems=2, Marker=first["Marker"]) == ["c", "bob"]
    gone = f"arn:aws:iam::{admin.account_id}:policy/never-made"
    assert code(iam.list_entities_for_policy, PolicyArn=gone) == "NoSuchEntity"


def test_an_identity_holds_ten_policies_each_of_them_once(admin: Admin) -> None:
    iam = admin.client("iam")
    iam.create_group(GroupName="crew")
    arns = [plants.policy(admin, f"number-{number}") for number in range(11)]
    for arn in (*arns[:10], arns[0]):
        iam.attach_group_policy(GroupName="crew", PolicyArn=arn)
    assert iam.get_policy(PolicyArn=arns[0])["Policy"]["AttachmentCount"] == 1
    assert code(iam.attach_group_policy, GroupName="crew", PolicyArn=arns[10]) == "LimitExceeded"
    assert code(iam.attach_group_policy, GroupName="nobody", PolicyArn=arns[10]) == "NoSuchEntity"


def test_names_and_tags_that_iam_does_not_take_make_no_role(admin: Admin) -> None:
    create, trust = admin.client("iam").create_role, {"AssumeRolePolicyDocument": plants.trusting()}
    assert code(create, RoleName="r" * 65, **trust) == "ValidationError"
    assert code(create, RoleName="r", Tags=[{"Key": "aws:x", "Value": "y"}], **trust) == "InvalidInput"
    assert code(create, RoleName="app", **trust) is None
    assert code(create, RoleName="APP", **trust) == "EntityAlreadyExists"


def test_instance_profiles_know_who_is_in_them(admin: Admin) -> None:
    iam = admin.client("iam")
    plants.role(admin, "app")
    plants.profile(admin, "reach")
    assert code(iam.list_instance_profiles_for_role, RoleName="nobody") == "NoSuchEntity"
    out = {"InstanceProfileName": "reach", "RoleName": "app"}
    assert code(iam.remove_role_from_instance_profile, **out) == "NoSuchEntity"
    iam.add_role_to_instance_profile(**out)
    assert code(iam.remove_role_from_instance_profile, **out) is None


def test_instances_take_one_existing_profile_when_they_run_or_are_stopped(admin: Admin) -> None:
    ec2, arn = admin.client("ec2"), plants.profile(admin, "reach")
    instance = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]

    def associate(**profile: str) -> str | None:
        return code(ec2.associate_iam_instance_profile, InstanceId=instance, IamInstanceProfile=profile)

    assert associate(Arn=arn, Name="reach") == "InvalidParameterCombination"
    assert associate(Arn=arn.replace("/reach", "/team/reach")) == "InvalidParameterValue"
    inside = ec2_backends[admin.account_id]["us-east-1"].get_instance_by_id(instance)
    inside._state.name = "stopping"
    assert associate(Arn=arn) == "IncorrectState"
    inside._state.name = "stopped"
    assert associate(Name="reach") is None
