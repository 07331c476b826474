"""Scenes of `bots.iam_delete_access_key`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots.iam_delete_access_key import Key, bot
from tests.bots.alone import alone
from tests.bots.identities import ALICE, observe_user
from tests.bots.scene import Planted, Scene
from tests.bots.test_iam_revoke_access_key import LATER, by_id, key_of, logged, of_root, two_made
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws


def _gone(admin: Admin) -> Planted:
    planted = logged(admin)
    for key in admin.client("iam").list_access_keys(UserName=ALICE)["AccessKeyMetadata"]:
        admin.client("iam").delete_access_key(UserName=ALICE, AccessKeyId=key["AccessKeyId"])
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(
            name="made by a logged call",
            plant=logged,
            observe=observe_user,
            region="eu-west-1",
        ),
        Scene(
            name="named by its id",
            plant=lambda admin: by_id(key_of(admin, path="/staff/")),
            observe=observe_user,
            missing=_gone,
            when_missing="compliant",
        ),
        Scene(
            name="key of the root user",
            plant=of_root,
            observe=lambda _admin, _planted: None,
            refusal="the key is the root user's",
        ),
        Scene(
            name="two keys made at the time",
            plant=two_made,
            observe=observe_user,
            refusal="2 CreateAccessKey",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_the_other_key_stays_and_what_is_known_of_the_deleted_one_is_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = logged(admin)
    async with alone(bot, aws, admin, planted, now=LATER) as one:
        seen = await one.check()
        assert isinstance(seen.before, Key)
        assert (seen.before.user, seen.before.status) == (ALICE, "Active")
        assert seen.before.created in seen.why
        assert (await one.fix()).compliant
    assert len(observe_user(admin, planted)["keys"]) == 1
    assert seen.before.key_id not in observe_user(admin, planted)["keys"]


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_somebody_deletes_at_the_same_time_is_done(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key_id = key_of(admin, status="Inactive")
    async with alone(bot, aws, admin, by_id(key_id)) as one:
        seen = await one.check()
        assert not seen.compliant
        admin.client("iam").delete_access_key(UserName=ALICE, AccessKeyId=key_id)
        await one.bot.run_fix(one.account, one.target, one.params, seen.before)
        assert (await one.check()).compliant
