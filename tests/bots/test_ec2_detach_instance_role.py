"""Scenes of `bots.ec2_detach_instance_role`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import TargetGone
from bots.ec2_detach_instance_role import InProfiles, bot
from tests.bots import iam_plants as plants
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _in_profiles(admin: Admin) -> Planted:
    plants.role(admin, "app", Path="/team/")
    for name in ("first", "second"):
        plants.profile(admin, name, role="app")
    return Planted(entity={"name": "app", "id": "AROAEXAMPLE", "type": "IamRole"})


def _observe(admin: Admin, _planted: Planted) -> Any:
    profiles = admin.client("iam").list_instance_profiles()["InstanceProfiles"]
    held = {each["Arn"]: [role["RoleName"] for role in each["Roles"]] for each in profiles}
    return {"profiles": held, **plants.seen(admin)}


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"name": "never-made"})


def scenes() -> list[Scene]:
    return [Scene(name="in two profiles", plant=_in_profiles, observe=_observe, missing=_missing)]


async def test_the_profiles_are_told_beforehand_and_so_are_the_credentials_that_live_on(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _in_profiles(admin)) as one:
        seen = await one.check()
        after = await one.fix()
    assert seen.touches == (
        ("AWS::IAM::InstanceProfile", "first"),
        ("AWS::IAM::InstanceProfile", "second"),
    )
    assert "six hours" in seen.notes[0]
    assert after.compliant
    assert after.notes == ()


async def test_a_role_is_found_by_its_arn_where_the_finding_has_no_name(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _in_profiles(admin)
    planted.entity.update(name=None, id=f"arn:aws:iam::{admin.account_id}:role/team/app")
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).why == "role app is in no instance profile"


async def test_a_profile_emptied_meanwhile_is_no_failure(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _in_profiles(admin)) as one:
        was = (await one.check()).before
        admin.client("iam").remove_role_from_instance_profile(InstanceProfileName="first", RoleName="app")
        await one.bot.run_fix(one.account, one.target, one.params, was)
        assert (await one.check()).compliant


async def test_an_undo_fills_only_the_profiles_that_lack_the_role(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _in_profiles(admin)) as one:
        was = (await one.check()).before
        await one.fix()
        admin.client("iam").add_role_to_instance_profile(InstanceProfileName="first", RoleName="app")
        assert (await one.undo(was)).before == was == InProfiles(profiles=("first", "second"))


async def test_a_profile_that_has_another_role_by_now_keeps_it(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _in_profiles(admin)
    plants.role(admin, "other")
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        admin.client("iam").add_role_to_instance_profile(InstanceProfileName="second", RoleName="other")
        before = _observe(admin, planted)
        with pytest.raises(AwsError, match="LimitExceeded"):
            await one.undo(was)
    assert _observe(admin, planted) == before


async def test_a_role_deleted_meanwhile_is_gone_and_other_errors_are_not_taken_for_that(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _missing(admin)) as one:
        with pytest.raises(TargetGone, match="role never-made does not exist"):
            await one.check()
        aws.fail(admin.account_id, "iam:ListInstanceProfilesForRole", "AccessDenied", status=403)
        with pytest.raises(AwsError, match="AccessDenied"):
            await one.check()
