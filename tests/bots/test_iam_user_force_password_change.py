"""Scenes of `bots.iam_user_force_password_change`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._bot import TryLater
from bots.iam_user_force_password_change import Password, bot
from tests.bots.alone import alone
from tests.bots.identities import nobody, observe_user, root, user
from tests.bots.scene import Scene
from tests.bots.test_iam_user_disable_console_password import with_password
from tests.fake_aws.server import FakeAws


def scenes() -> list[Scene]:
    return [
        Scene(name="password", plant=with_password, observe=observe_user, missing=nobody, region="global"),
        Scene(name="root user", plant=root, observe=lambda _admin, _planted: None, refusal="sign in as root"),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_a_user_who_must_change_the_password_already_is_right(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, with_password(admin, to_be_changed=True)) as one:
        assert (await one.check()).before == Password(exists=True, to_be_changed=True)
        assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_where_there_is_no_password_there_is_nothing_to_change(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, user(admin)) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.why == "user alice has no console password, so there is none to change"


@pytest.mark.usefixtures("hub_environment")
async def test_who_may_not_change_passwords_is_warned_of(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, with_password(admin)) as one:
        assert "iam:ChangePassword of its own" in (await one.check()).notes[0]
        admin.client("iam").update_account_password_policy(AllowUsersToChangePassword=False)
        assert "iam:ChangePassword of its own" in (await one.check()).notes[0]
        admin.client("iam").update_account_password_policy(AllowUsersToChangePassword=True)
        assert (await one.check()).notes == ()


@pytest.mark.usefixtures("hub_environment")
async def test_a_password_made_moments_ago_is_changed_later(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, with_password(admin)) as one:
        aws.fail(admin.account_id, "iam:UpdateLoginProfile", "EntityTemporarilyUnmodifiable", status=409)
        with pytest.raises(TryLater):
            await one.fix()
