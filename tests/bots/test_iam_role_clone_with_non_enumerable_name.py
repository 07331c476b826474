"""Scenes of `bots.iam_role_clone_with_non_enumerable_name`, and what only this bot does."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone, TryLater
from bots._catalogue import bot_named
from bots.iam_role_clone_with_non_enumerable_name import bot
from tests.bots import iam_plants as plants
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

COPY_OF = "remediation-hub:copy-of"


def _role(admin: Admin, name: str = "app", **more: Any) -> Planted:
    iam = admin.client("iam")
    plants.role(
        admin,
        name,
        **{
            "Path": "/team/",
            "Description": "the shop",
            "MaxSessionDuration": 7200,
            "PermissionsBoundary": plants.policy(admin, "limit"),
            "Tags": [{"Key": "team", "Value": "shop"}],
            **more,
        },
    )
    iam.attach_role_policy(RoleName=name, PolicyArn=plants.policy(admin, "managed"))
    text = plants.document(plants.BUCKET)
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=text)
    return Planted(entity={"name": name, "id": "AROAEXAMPLE", "type": "IamRole"})


def _plain(admin: Admin, name: str = "app", **more: Any) -> Planted:
    plants.role(admin, name, **more)
    return Planted(entity={"name": name})


def _orphaned(admin: Admin) -> Planted:
    planted = _plain(admin)
    trust = json.dumps(
        {
            "Statement": {
                "Effect": "Allow",
                "Principal": {"AWS": "AROAEXAMPLEEXAMPLE12"},
                "Action": "sts:AssumeRole",
            }
        }
    )
    # As IAM shows a principal that was deleted; nobody can write such a policy.
    plants.backend(admin).get_role("app").assume_role_policy_document = trust
    return planted


def _observe(admin: Admin, _planted: Planted) -> Any:
    return plants.seen(admin)


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"name": "never-made"})


def scenes() -> list[Scene]:
    return [
        Scene(name="a role with everything", plant=_role, observe=_observe, missing=_missing),
        Scene(name="deleted principal", plant=_orphaned, observe=_observe, refusal="AROAEXAMPLEEXAMPLE12"),
        Scene(
            name="kept by AWS",
            plant=lambda admin: _plain(admin, Path=plants.SERVICE_LINKED),
            observe=_observe,
            refusal="kept by AWS",
        ),
    ]


def _copies(admin: Admin, name: str = "app") -> list[str]:
    roles = admin.client("iam").list_roles()["Roles"]
    return [role["RoleName"] for role in roles if role["RoleName"].startswith(f"{name}-")]


def _content(admin: Admin, name: str) -> dict[str, Any]:
    iam = admin.client("iam")
    role = iam.get_role(RoleName=name)["Role"]
    inline = iam.list_role_policies(RoleName=name)["PolicyNames"]
    kept = ("Path", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "PermissionsBoundary")
    return {
        **{key: role.get(key) for key in kept},
        "tags": [tag for tag in role["Tags"] if tag["Key"] != COPY_OF],
        "attached": iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"],
        "inline": [iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"] for each in inline],
    }


async def test_the_copy_is_the_role_again_under_a_name_nobody_can_guess(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    before = _content(admin, _role(admin).entity["name"])
    async with alone(bot, aws, admin, Planted(entity={"name": "app"})) as one:
        after = await one.fix()
    (copy,) = _copies(admin)
    assert re.fullmatch("app-[A-Za-z0-9]{20}", copy)
    assert copy in after.why
    assert after.notes == ()
    assert _content(admin, copy) == _content(admin, "app") == before


async def test_a_second_look_makes_no_second_copy_even_when_the_copy_was_changed(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _role(admin)) as one:
        await one.fix()
        (copy,) = _copies(admin)
        iam = admin.client("iam")
        iam.delete_role_policy(RoleName=copy, PolicyName="inline")
        iam.update_role(RoleName=copy, MaxSessionDuration=3600)
        iam.delete_role_permissions_boundary(RoleName=copy)
        iam.update_assume_role_policy(RoleName=copy, PolicyDocument=plants.trusting("ecs.amazonaws.com"))
        arn = f"arn:aws:iam::{admin.account_id}:policy/managed"
        iam.detach_role_policy(RoleName=copy, PolicyArn=arn)
        seen = await one.check()
    assert seen.compliant
    assert seen.notes == (
        f"{copy} differs from app by now: trust policy, session length, permissions boundary, inline policies, "
        "managed policies",
    )


async def test_a_copy_that_an_attempt_left_behind_is_finished(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _role(admin)) as one:
        was = (await one.check()).before
        aws.fail(admin.account_id, "iam:AttachRolePolicy", "NoSuchEntity", status=404)
        with pytest.raises(TryLater, match="does not find the new role app-"):
            await one.fix()
        left = _copies(admin)
        assert (await one.check()).before == was
        assert (await one.fix()).compliant
        assert _copies(admin) == left
        assert _content(admin, left[0]) == _content(admin, "app")
        assert (await one.undo(was)).before == was
    assert _copies(admin) == []


async def test_a_long_name_is_cut_to_what_iam_takes(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    name = "r" * 64
    async with alone(bot, aws, admin, _plain(admin, name)) as one:
        assert (await one.fix()).compliant
    (copy,) = _copies(admin, "r" * 43)
    assert len(copy) == 64


async def test_roles_that_only_look_like_copies_are_none(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _plain(admin)
    plants.role(admin, f"app-{'x' * 20}")
    other = [{"Key": COPY_OF, "Value": "AROASOMETHINGELSE"}]
    plants.role(admin, f"app-{'y' * 20}", Tags=other)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        assert (await one.fix()).compliant
        await one.undo(was)
    assert sorted(_copies(admin)) == [f"app-{'x' * 20}", f"app-{'y' * 20}"]


async def test_tags_that_only_aws_may_give_are_not_copied(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _plain(admin)
    plants.backend(admin).get_role("app").tags = [
        {"Key": "aws:cloudformation:stack-name", "Value": "shop"},
        {"Key": "team", "Value": "shop"},
    ]
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    (copy,) = _copies(admin)
    tags = admin.client("iam").list_role_tags(RoleName=copy)["Tags"]
    assert [tag["Key"] for tag in tags] == [COPY_OF, "team"]


async def test_a_role_full_of_tags_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    tags = [{"Key": f"tag-{number}", "Value": "x"} for number in range(50)]
    async with alone(bot, aws, admin, _plain(admin, Tags=tags)) as one:
        with pytest.raises(CannotFix, match="50 tags"):
            await one.check()


async def test_a_trust_policy_that_names_the_role_itself_is_pointed_out(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    arn = f"arn:aws:iam::{admin.account_id}:role/app"
    trust = plants.document({"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "sts:AssumeRole"})
    async with alone(bot, aws, admin, _plain(admin, AssumeRolePolicyDocument=trust)) as one:
        assert (await one.check()).notes == (
            "the trust policy names app itself; in the copy's, too, that means the original",
        )


async def test_a_failure_leaves_no_half_of_a_copy(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _role(admin)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "iam:AttachRolePolicy", "AccessDenied", status=403)
        with pytest.raises(AwsError, match="AttachRolePolicy"):
            await one.fix()
    assert _observe(admin, planted) == before


async def test_a_copy_that_was_used_is_not_deleted_by_an_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _role(admin)) as one:
        was = (await one.check()).before
        await one.fix()
        (copy,) = _copies(admin)
        plants.backend(admin).get_role(copy).last_used = datetime(2026, 3, 20, tzinfo=UTC)
        with pytest.raises(CannotFix, match="was used on 2026-03-20"):
            await one.undo(was)
    assert _copies(admin) == [copy]


async def test_a_copy_that_instances_have_by_now_is_left_whole(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _role(admin)) as one:
        was = (await one.check()).before
        await one.fix()
        (copy,) = _copies(admin)
        plants.profile(admin, "reach", role=copy)
        before = _content(admin, copy)
        with pytest.raises(AwsError, match="DeleteConflict"):
            await one.undo(was)
    assert _content(admin, copy) == before


async def test_a_role_deleted_meanwhile_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _missing(admin)) as one:
        with pytest.raises(TargetGone, match="role never-made does not exist"):
            await one.check()


def test_the_name_in_the_former_documentation_leads_here() -> None:
    assert bot_named("iam_role_clone_non_enumerable_name") is bot
