"""Scenes of `bots.iam_user_detach`, and what only this bot does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bots._bot import CannotFix, TryLater
from bots.iam_user_detach import Membership, bot
from tests.bots.alone import alone
from tests.bots.identities import ALICE, LOGGED, LOGGED_AT, nobody, observe_user, root, user
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.cloudtrail import log_call
from tests.fake_aws.server import FakeAws

LATER = LOGGED + timedelta(hours=2)


def _log(admin: Admin, name: str, group: str, error: str | None = None) -> None:
    request = {"userName": name, "groupName": group}
    log_call(admin.account_id, "us-east-1", "AddUserToGroup", at=LOGGED, request=request, error=error)


def _added(admin: Admin) -> Planted:
    """A member of two groups; one addition was logged, and others of people with longer names."""
    planted = user(admin)
    iam = admin.client("iam")
    for group in ("readers", "admins"):
        iam.create_group(GroupName=group)
        iam.add_user_to_group(GroupName=group, UserName=ALICE)
    _log(admin, "Alice", "admins")
    _log(admin, "alice2", "readers")
    return _at(planted)


def _at(planted: Planted) -> Planted:
    return replace(planted, event_time=LOGGED_AT)


def _twice(admin: Admin) -> Planted:
    planted = _added(admin)
    _log(admin, ALICE, "readers")
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(
            name="added to a group",
            plant=_added,
            observe=observe_user,
            missing=lambda admin: _at(nobody(admin)),
            region="eu-west-1",
        ),
        Scene(
            name="added to two groups", plant=_twice, observe=observe_user, refusal="2 AddUserToGroup calls"
        ),
        Scene(
            name="root user",
            plant=lambda admin: _at(root(admin)),
            observe=lambda _admin, _planted: None,
            refusal="sign in as root",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_only_the_logged_membership_ends_and_comes_back_with_an_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _added(admin)
    async with alone(bot, aws, admin, planted, now=LATER) as one:
        seen = await one.check()
        assert seen.before == Membership(group="admins", member=True)
        assert seen.touches == (("AWS::IAM::Group", "admins"),)
        assert "user/somebody added user alice to group admins" in seen.notes[0]
        assert (await one.fix()).compliant
        assert observe_user(admin, planted)["groups"] == ["readers"]
        assert (await one.undo(seen.before)).before == seen.before


@pytest.mark.usefixtures("hub_environment")
async def test_a_user_who_left_or_a_group_that_was_renamed_is_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _added(admin)
    async with alone(bot, aws, admin, planted, now=LATER) as one:
        seen = await one.check()
        admin.client("iam").remove_user_from_group(GroupName="admins", UserName=ALICE)
        await one.bot.run_fix(one.account, one.target, one.params, seen.before)
        after = await one.check()
    assert after.compliant
    assert "it left, or the group was renamed or deleted" in after.why


@pytest.mark.usefixtures("hub_environment")
async def test_a_call_not_logged_yet_is_awaited_and_a_failed_one_is_not_meant(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _at(user(admin))
    _log(admin, ALICE, "admins", error="NoSuchEntity")
    async with alone(bot, aws, admin, planted, now=LOGGED + timedelta(minutes=2)) as one:
        with pytest.raises(TryLater):
            await one.check()
    async with alone(bot, aws, admin, planted, now=LATER) as one:
        with pytest.raises(CannotFix, match="shows no AddUserToGroup call"):
            await one.check()
