"""Scenes of `bots.iam_revoke_access_key`, and how both key bots find the key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moto.iam.models import AccessKeyLastUsed

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone, TryLater
from bots.iam_revoke_access_key import bot
from tests.bots.alone import Alone, alone
from tests.bots.identities import ALICE, LOGGED, LOGGED_AT, log_key, observe_user, user
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps.iam import inside
from tests.fake_aws.server import FakeAws

NEVER_MADE = "AKIA2222333344445555"
LATER = LOGGED + timedelta(hours=2)


def key_of(admin: Admin, *, status: str = "Active", path: str = "/") -> str:
    """A user with two keys; the id of the second."""
    user(admin, path=path)
    iam = admin.client("iam")
    iam.create_access_key(UserName=ALICE)
    made = str(iam.create_access_key(UserName=ALICE)["AccessKey"]["AccessKeyId"])
    if status != "Active":
        iam.update_access_key(UserName=ALICE, AccessKeyId=made, Status=status)
    return made


def by_id(key_id: str) -> Planted:
    return Planted(entity={"id": key_id, "type": "IamAccessKey"}, notes={"user": ALICE})


def by_event(name: str = "mallory") -> Planted:
    """The finding names who acted, never the key."""
    return Planted(entity={"id": "", "name": name}, event_time=LOGGED_AT, notes={"user": ALICE})


def logged(admin: Admin, **more: Any) -> Planted:
    log_key(admin, key_of(admin), **more)
    return by_event()


def of_root(admin: Admin) -> Planted:
    log_key(admin, NEVER_MADE, owner=None, caller=f"arn:aws:iam::{admin.account_id}:root")
    return by_event("<root_account>")


def two_made(admin: Admin) -> Planted:
    iam, planted = admin.client("iam"), logged(admin)
    iam.create_user(UserName="bob")
    log_key(admin, iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"], owner="bob")
    return planted


def _status(admin: Admin, key_id: str) -> str:
    keys = admin.client("iam").list_access_keys(UserName=ALICE)["AccessKeyMetadata"]
    return str(next(key["Status"] for key in keys if key["AccessKeyId"] == key_id))


def scenes() -> list[Scene]:
    return [
        Scene(name="made by a logged call", plant=logged, observe=observe_user, region="eu-west-1"),
        Scene(
            name="named by its id",
            plant=lambda admin: by_id(key_of(admin, path="/staff/")),
            observe=observe_user,
            missing=lambda _admin: by_id(NEVER_MADE),
            region="global",
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
        Scene(
            name="temporary key",
            plant=lambda _admin: by_id("ASIA2222333344445555"),
            observe=lambda _admin, _planted: None,
            refusal="revoke the sessions of its role",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_only_the_named_key_is_made_inactive_and_an_undo_by_its_id_finds_the_owner(
    aws: FakeAws,
) -> None:
    admin = aws.fresh_account()
    planted = logged(admin)
    was = observe_user(admin, planted)
    async with alone(bot, aws, admin, planted, now=LATER) as one:
        seen = await one.check()
        assert (await one.fix()).compliant
        assert seen.target_id is not None
        assert seen.touches == (("AWS::IAM::User", ALICE),)
        assert sorted(observe_user(admin, planted)["keys"].values()) == ["Active", "Inactive"]
        assert _status(admin, seen.target_id) == "Inactive"
        # The hub undoes on what check called the resource; the log may have forgotten the call by then.
        back = Alone(bot, one.account, replace(one.target, id=seen.target_id, event_time=None), ())
        assert (await back.undo(seen.before)).before == seen.before
    assert observe_user(admin, planted) == was


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("caller", ["root", "assumed-role/deploy/session"])
async def test_the_owner_is_whom_the_key_was_made_for_whoever_made_it(aws: FakeAws, caller: str) -> None:
    admin = aws.fresh_account()
    planted = logged(admin, caller=f"arn:aws:iam::{admin.account_id}:{caller}")
    async with alone(bot, aws, admin, planted, now=LATER) as one:
        after = await one.fix()
    assert after.target_id is not None
    assert _status(admin, after.target_id) == "Inactive"


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_whose_owner_was_renamed_since_is_found(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    log_key(admin, key_of(admin), owner="alice-of-old")
    async with alone(bot, aws, admin, by_event(), now=LATER) as one:
        assert (await one.fix()).touches == (("AWS::IAM::User", ALICE),)


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_that_does_not_work_is_left_as_it_is(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key_id = key_of(admin)
    async with alone(bot, aws, admin, by_id(key_id)) as one:
        for status in ("Inactive", "Expired"):
            inside(admin.account_id).users[ALICE].get_access_key_by_id(key_id).status = status
            assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_when_the_key_was_last_used_is_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key_id = key_of(admin)
    async with alone(bot, aws, admin, by_id(key_id)) as one:
        assert (await one.check()).notes == (f"key {key_id} was last used never",)
        used = AccessKeyLastUsed(
            timestamp=datetime(2026, 3, 1, 8, tzinfo=UTC), service="s3", region="us-east-1"
        )
        inside(admin.account_id).users[ALICE].get_access_key_by_id(key_id).last_used = used
        assert (await one.check()).notes == (f"key {key_id} was last used 2026-03-01T08:00:00Z for s3",)


@pytest.mark.usefixtures("hub_environment")
async def test_calls_that_failed_or_were_made_at_another_time_are_not_meant(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    log_key(admin, NEVER_MADE, error="LimitExceeded", response=None)
    log_key(admin, "AKIA9999888877776666", at=LOGGED - timedelta(minutes=2))
    log_key(admin, key := key_of(admin))
    async with alone(bot, aws, admin, by_event(), now=LATER) as one:
        assert (await one.check()).target_id == key


@pytest.mark.usefixtures("hub_environment")
async def test_a_call_the_log_does_not_show_yet_is_awaited_and_later_given_up(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, by_event(), now=LOGGED + timedelta(minutes=3)) as one:
        with pytest.raises(TryLater, match="shows no CreateAccessKey call"):
            await one.check()
        much_later = replace(one, account=replace(one.account, clock=lambda: LATER))
        with pytest.raises(CannotFix, match="shows no CreateAccessKey call"):
            await much_later.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_finding_that_names_neither_key_nor_time_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, Planted(entity={"id": "AIDA2222333344445555"})) as one:
        with pytest.raises(CannotFix, match="names neither the resource nor the time"):
            await one.check()
        for root in (replace(one.target, id="<root_account>"), replace(one.target, name="<root_account>")):
            with pytest.raises(CannotFix, match="the root user's"):
                await replace(one, target=root).check()
    assert aws.calls(admin.account_id) == ()


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_of_another_account_or_of_root_is_not_touched(aws: FakeAws) -> None:
    admin, stranger = aws.fresh_account(), aws.fresh_account()
    key_id = key_of(stranger)
    async with alone(bot, aws, admin, by_id(key_id)) as one:
        with pytest.raises(TargetGone, match=f"no user of account {admin.account_id} has the key {key_id}"):
            await one.check()
    async with alone(bot, aws, stranger, by_id(key_id)) as one:
        inside(stranger.account_id).users[ALICE].get_access_key_by_id(key_id).user_name = "<root_account>"
        with pytest.raises(CannotFix, match="the root user's"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_or_a_user_that_went_meanwhile_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key_id = key_of(admin)
    async with alone(bot, aws, admin, by_id(key_id)) as one:
        seen = await one.check()
        admin.client("iam").delete_access_key(UserName=ALICE, AccessKeyId=key_id)
        with pytest.raises(TargetGone, match="was deleted meanwhile"):
            await one.bot.run_fix(one.account, one.target, one.params, seen.before)
        aws.fail(admin.account_id, "iam:GetAccessKeyLastUsed", "NoSuchEntity", status=404)
        with pytest.raises(TargetGone):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_user_deleted_between_two_looks_has_no_key(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, by_id(key_of(admin))) as one:
        aws.fail(admin.account_id, "iam:ListAccessKeys", "NoSuchEntity", status=404)
        with pytest.raises(TargetGone):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_refusal_with_a_reason_is_no_missing_key(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, by_id(key_of(admin))) as one:
        for operation in ("GetAccessKeyLastUsed", "ListAccessKeys"):
            aws.fail(admin.account_id, f"iam:{operation}", "AccessDenied", status=403)
            with pytest.raises(AwsError, match="AccessDenied"):
                await one.check()
