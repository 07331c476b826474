"""Scenes of `bots.iam_user_disable_console_password`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._bot import TryLater
from bots.iam_user_disable_console_password import Password, bot
from tests.bots.alone import alone
from tests.bots.identities import ALICE, nobody, observe_user, root, user
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws


def with_password(admin: Admin, *, to_be_changed: bool = False) -> Planted:
    """A user with a console password, a key and a group."""
    planted = user(admin, path="/staff/")
    iam = admin.client("iam")
    iam.create_login_profile(UserName=ALICE, Password="correct-horse-battery")
    if to_be_changed:
        iam.update_login_profile(UserName=ALICE, PasswordResetRequired=True)
    iam.create_access_key(UserName=ALICE)
    iam.create_group(GroupName="staff")
    iam.add_user_to_group(GroupName="staff", UserName=ALICE)
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(name="password", plant=with_password, observe=observe_user, missing=nobody, region="global"),
        Scene(name="root user", plant=root, observe=lambda _admin, _planted: None, refusal="sign in as root"),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_only_the_password_goes_and_what_it_was_like_is_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = with_password(admin, to_be_changed=True)
    was = observe_user(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).before == Password(exists=True, to_be_changed=True)
        after = await one.fix()
    assert after.before == Password(exists=False, to_be_changed=False)
    assert observe_user(admin, planted) == was | {"password": "none"}


@pytest.mark.usefixtures("hub_environment")
async def test_a_user_without_password_is_right_and_not_missing(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, user(admin)) as one:
        seen = await one.check()
    assert (seen.compliant, seen.why) == (True, "user alice has no console password")


@pytest.mark.usefixtures("hub_environment")
async def test_a_password_that_somebody_else_is_changing_is_looked_at_again_later(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, with_password(admin)) as one:
        for code in ("EntityTemporarilyUnmodifiable", "NoSuchEntity"):
            aws.fail(admin.account_id, "iam:DeleteLoginProfile", code, status=409)
            with pytest.raises(TryLater, match="an earlier change of the password of user alice"):
                await one.fix()
        assert (await one.fix()).compliant
