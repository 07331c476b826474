"""Scenes of `bots.iam_user_deactivate_unused_access_key`, and what only this bot does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.iam.models import AccessKeyLastUsed

from bots import _catalogue
from bots._words import BadWords, parse
from bots.iam_user_deactivate_unused_access_key import Wish, bot
from tests.bots.alone import alone
from tests.bots.identities import ALICE, nobody, observe_user, root, user
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.iam import inside
from tests.fake_aws.server import FakeAws

NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)


def _key(admin: Admin, made: timedelta, used: timedelta | None = None, *, now: datetime) -> Any:
    """A key of that age, last used that long ago."""
    key_id = admin.client("iam").create_access_key(UserName=ALICE)["AccessKey"]["AccessKeyId"]
    key = inside(admin.account_id).users[ALICE].get_access_key_by_id(key_id)
    key.create_date = (now - made).replace(tzinfo=None)
    if used is not None:
        key.last_used = AccessKeyLastUsed(timestamp=now - used, service="s3", region="us-east-1")
    return key


def _one_of_two(admin: Admin, *words: str) -> Planted:
    """One key was never used, the other one lately."""
    planted = user(admin, *words)
    now = datetime.now(UTC)
    _key(admin, timedelta(days=200), now=now)
    _key(admin, timedelta(days=400), timedelta(days=2), now=now)
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(name="never used", plant=_one_of_two, observe=observe_user, missing=nobody, region="global"),
        Scene(
            name="root user",
            plant=lambda admin: root(admin, "90"),
            observe=lambda _admin, _planted: None,
            refusal="sign in as root",
        ),
    ]


def test_days_are_a_whole_number_and_ninety_if_nobody_says() -> None:
    assert parse(Wish, []).days == 90
    assert parse(Wish, ["exec_function_arn=arn:aws:lambda:us-east-1:111122223333:function:x"]).days == 90
    assert parse(Wish, ["45"]) == parse(Wish, ["days=45"]) == Wish(days=45)
    for word in ("0", "-1", "ninety", "90.5"):
        with pytest.raises(BadWords):
            parse(Wish, [word])


def test_the_misspelt_name_finds_the_bot() -> None:
    assert _catalogue.bot_named("iam_user_inactivate_unused_access_key") is bot


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_is_unused_after_more_than_the_given_whole_days(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = user(admin)
    async with alone(bot, aws, admin, planted, now=NOW) as one:
        for made, used, unused in (
            (timedelta(days=91), None, True),
            (timedelta(days=90, hours=23), None, False),
            (timedelta(days=400), timedelta(days=91, minutes=1), True),
            (timedelta(days=400), timedelta(days=90, hours=23), False),
            (timedelta(days=400), timedelta(0), False),
        ):
            key_id = _key(admin, made, used, now=NOW).access_key_id
            seen = await one.check()
            assert seen.compliant is not unused
            assert seen.touches == ((("AWS::IAM::AccessKey", key_id),) if unused else ())
            admin.client("iam").delete_access_key(UserName=ALICE, AccessKeyId=key_id)


@pytest.mark.usefixtures("hub_environment")
async def test_keys_that_were_inactive_stay_so_and_an_undo_wakes_only_the_others(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = user(admin, "30")
    sleeping = _key(admin, timedelta(days=300), now=NOW)
    sleeping.status = "Inactive"
    awake = _key(admin, timedelta(days=300), timedelta(days=31), now=NOW)
    was = observe_user(admin, planted)
    async with alone(bot, aws, admin, planted, now=NOW) as one:
        seen = await one.check()
        assert seen.why == f"key {awake.access_key_id} of user alice was last used 31 days ago"
        await one.fix()
        assert set(observe_user(admin, planted)["keys"].values()) == {"Inactive"}
        # The key is as old as ever, and an undo compares nothing that time changes.
        assert (await one.undo(seen.before)).before == seen.before
        assert observe_user(admin, planted) == was
        admin.client("iam").delete_access_key(UserName=ALICE, AccessKeyId=awake.access_key_id)
        assert (await one.undo(seen.before)).before != seen.before


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_used_between_the_look_and_the_fix_goes_on_working(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = user(admin)
    key = _key(admin, timedelta(days=300), now=NOW)
    async with alone(bot, aws, admin, planted, now=NOW) as one:
        seen = await one.check()
        key.last_used = AccessKeyLastUsed(timestamp=NOW, service="s3", region="us-east-1")
        await one.bot.run_fix(one.account, one.target, one.params, seen.before)
    assert key.status == "Active"
