"""Scenes of `bots.iam_detach_policy`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix
from bots.iam_detach_policy import Attached, bot
from tests.bots import iam_plants as plants
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _attached(admin: Admin) -> Planted:
    iam = admin.client("iam")
    arn, other = plants.policy(admin, "wide", Path="/team/"), plants.policy(admin, "other")
    iam.create_group(GroupName="crew")
    plants.role(admin, "app", Path="/team/")
    plants.user(admin, "bob")
    for each in (arn, other):
        iam.attach_group_policy(GroupName="crew", PolicyArn=each)
        iam.attach_role_policy(RoleName="app", PolicyArn=each)
        iam.attach_user_policy(UserName="bob", PolicyArn=each)
    return Planted(entity={"arn": arn, "id": "ANPAEXAMPLE", "name": "wide", "type": "IamPolicy"})


def _observe(admin: Admin, _planted: Planted) -> Any:
    return plants.seen(admin)


def _missing(admin: Admin) -> Planted:
    return Planted(entity={"id": f"arn:aws:iam::{admin.account_id}:policy/never-made"})


def scenes() -> list[Scene]:
    return [
        Scene(name="on group, role and user", plant=_attached, observe=_observe, missing=_missing),
        Scene(
            name="named by something else",
            plant=lambda _admin: Planted(entity={"id": "ANPAEXAMPLE"}),
            observe=lambda _admin, _planted: None,
            refusal="not the ARN of a managed policy",
        ),
    ]


def _alone_role(admin: Admin, **more: Any) -> Planted:
    arn = plants.policy(admin, "wide")
    plants.role(admin, "app", **more)
    return Planted(entity={"arn": arn})


async def test_an_identity_that_only_has_it_as_its_boundary_keeps_it(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _alone_role(admin)
    arn = planted.entity["arn"]
    admin.client("iam").put_role_permissions_boundary(RoleName="app", PermissionsBoundary=arn)
    plants.user(admin, "bob")
    admin.client("iam").put_user_permissions_boundary(UserName="bob", PermissionsBoundary=arn)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.notes == ("the policy stays the permissions boundary of app, bob",)


@pytest.mark.parametrize("path", [plants.SSO, plants.SERVICE_LINKED])
async def test_roles_that_aws_keeps_are_left_and_reported(aws: FakeAws, path: str) -> None:
    admin = aws.fresh_account()
    planted = _attached(admin)
    arn = planted.entity["arn"]
    plants.role(admin, "AWSReservedSSO_Admin_1", Path=path)
    plants.backend(admin).get_role("AWSReservedSSO_Admin_1").managed_policies[arn] = plants.backend(
        admin
    ).get_policy(arn)
    async with alone(bot, aws, admin, planted) as one:
        assert ("AWS::IAM::Role", "AWSReservedSSO_Admin_1") not in (await one.check()).touches
        after = await one.fix()
    assert after.compliant
    assert after.why == f"{arn} is attached to nobody that may be changed"
    assert "AWSReservedSSO_Admin_1" in after.notes[0]
    bob = plants.seen(admin)["UserDetailList"]["bob"]
    assert [each["PolicyName"] for each in bob["AttachedManagedPolicies"]] == ["other"]


async def test_a_policy_of_aws_is_detached_in_every_account_it_is_used_in(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _alone_role(admin)
    # moto has AWS's own policies only when asked to load them all.
    known = plants.backend(admin).managed_policies
    policy = known.pop(planted.entity["arn"])
    policy.account_id = "aws"
    known[policy.arn] = policy
    admin.client("iam").attach_role_policy(RoleName="app", PolicyArn=policy.arn)
    async with alone(bot, aws, admin, Planted(entity={"arn": policy.arn})) as one:
        assert (await one.fix()).compliant


async def test_all_of_many_roles_lose_it_and_get_it_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _alone_role(admin)
    arn, known = planted.entity["arn"], plants.backend(admin)
    names = sorted(f"worker-{number:03}" for number in range(102))
    for name in names:
        made = known.create_role(name, plants.trusting(), "/", None, "", [], "3600")
        made.managed_policies[arn] = known.get_policy(arn)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert seen.before == Attached(groups=(), roles=tuple(names), users=())
        assert "97 more" in seen.why
        assert len(seen.touches) == 102


async def test_who_disappears_meanwhile_does_not_stop_the_rest(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _attached(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        admin.client("iam").detach_group_policy(GroupName="crew", PolicyArn=planted.entity["arn"])
        await one.bot.run_fix(one.account, one.target, one.params, was)
        assert (await one.check()).compliant


async def test_a_failure_in_between_puts_back_what_was_detached(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _attached(admin)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "iam:DetachUserPolicy", "AccessDenied", status=403)
        with pytest.raises(AwsError, match="AccessDenied"):
            await one.fix()
    assert _observe(admin, planted) == before


async def test_what_cannot_even_be_put_back_does_not_hide_what_went_wrong(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _attached(admin)) as one:
        aws.fail(admin.account_id, "iam:DetachUserPolicy", "AccessDenied", status=403)
        aws.fail(admin.account_id, "iam:AttachRolePolicy", "AccessDenied", status=403)
        with pytest.raises(AwsError, match="DetachUserPolicy"):
            await one.fix()


async def test_a_policy_of_another_account_is_not_even_looked_at(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = Planted(entity={"arn": "arn:aws:iam::222233334444:policy/theirs"})
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="belongs to account 222233334444"):
            await one.check()
    assert aws.calls(admin.account_id) == ()


async def test_an_error_of_aws_is_not_taken_for_a_missing_policy(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _alone_role(admin)) as one:
        aws.fail(admin.account_id, "iam:ListEntitiesForPolicy", "AccessDenied", status=403, times=7)
        with pytest.raises(AwsError, match="AccessDenied"):
            await one.check()
