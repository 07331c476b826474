"""Scenes of `bots.iam_user_delete_inline_policies`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix
from bots._words import BadWords, parse
from bots.iam_user_delete_inline_policies import Rights, Wish, bot
from tests.bots.alone import alone
from tests.bots.identities import (
    ADMINISTRATOR,
    ALICE,
    READ_ONLY,
    filled_to_the_quota,
    nobody,
    observe_user,
    policy,
    root,
    user,
)
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

BASE = "arn:aws:iam::$ACCOUNT_ID:policy/base"
MORE = "arn:aws:iam::$ACCOUNT_ID:policy/team/more"
DENY = {"Effect": "Deny", "Action": "s3:Delete*", "Resource": "*"}
ONLY_DENY = {"Version": "2012-10-17", "Statement": DENY}
MIXED = {"Version": "2012-10-17", "Statement": [DENY, *READ_ONLY["Statement"]]}


def _with(admin: Admin, *words: str, **documents: Any) -> Planted:
    """A user with inline policies."""
    planted = user(admin, *words)
    for name, document in (documents or {"all": ADMINISTRATOR, "odd+=,.@-name": READ_ONLY}).items():
        admin.client("iam").put_user_policy(
            UserName=ALICE, PolicyName=name, PolicyDocument=json.dumps(document)
        )
    return planted


def _replaced(admin: Admin) -> Planted:
    base = policy(admin, "base")
    policy(admin, "more", path="/team/")
    planted = _with(admin, f"{MORE},{BASE}", all=ADMINISTRATOR, mfa=ONLY_DENY)
    # One of the two is there already, so an undo must leave it.
    admin.client("iam").attach_user_policy(UserName=ALICE, PolicyArn=base)
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(
            name="replaced", plant=_replaced, observe=observe_user, missing=lambda admin: nobody(admin, BASE)
        ),
        Scene(name="deleted", plant=_with, observe=observe_user, region="global"),
        Scene(
            name="no such replacement",
            plant=lambda admin: _with(admin, BASE),
            observe=observe_user,
            refusal="create it first",
        ),
        Scene(name="root user", plant=root, observe=lambda _admin, _planted: None, refusal="sign in as root"),
    ]


def test_policies_are_given_in_a_list_or_not_at_all() -> None:
    assert parse(Wish, []).managed_policies_arn == ()
    assert parse(Wish, [f"{BASE},{MORE}"]).managed_policies_arn == (BASE, MORE)
    assert parse(Wish, [f"managed_policies_arn={BASE}"]) == parse(Wish, [f"policyArn:{BASE}"])
    with pytest.raises(BadWords):
        parse(Wish, [f"{BASE},more"])


@pytest.mark.usefixtures("hub_environment")
async def test_policies_that_only_deny_stay_and_lost_denials_are_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _with(admin, mfa=ONLY_DENY, mixed=MIXED, all=ADMINISTRATOR)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert seen.notes == (
            "inline policy mfa stays: it only denies",
            "inline policy mixed also denies something, which nothing denies without it",
        )
        assert seen.why == "user alice has inline policies all, mixed"
        after = await one.fix()
    assert (after.compliant, after.why) == (True, "user alice has no inline policy that allows anything")
    assert observe_user(admin, planted)["inline"] == {"mfa": ONLY_DENY}


@pytest.mark.usefixtures("hub_environment")
async def test_a_user_without_room_for_the_replacement_keeps_everything(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    for name, path in (("base", "/"), ("more", "/team/")):
        policy(admin, name, path=path)
    planted = filled_to_the_quota(admin, _with(admin, f"{BASE},{MORE}"))
    admin.client("iam").detach_user_policy(
        UserName=ALICE, PolicyArn=f"arn:aws:iam::{admin.account_id}:policy/rights-9"
    )
    was = observe_user(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="has 10 managed policies attached"):
            await one.fix()
    assert observe_user(admin, planted) == was


@pytest.mark.usefixtures("hub_environment")
async def test_a_deletion_that_fails_halfway_leaves_everything_as_it_was(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    policy(admin, "base")
    planted = _with(admin, BASE)
    was = observe_user(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        before = (await one.check()).before
        assert isinstance(before, Rights)
        admin.client("iam").delete_user_policy(UserName=ALICE, PolicyName="all")
        aws.fail(admin.account_id, "iam:DeleteUserPolicy", "NoSuchEntity", status=404)
        aws.fail(admin.account_id, "iam:DeleteUserPolicy", "LimitExceeded", status=409)
        aws.fail(admin.account_id, "iam:DetachUserPolicy", "ServiceFailure", status=400)
        with pytest.raises(AwsError, match="LimitExceeded"):
            await one.bot.run_fix(one.account, one.target, one.params, before)
        # What could not be taken back is seen by the next look.
        arn = f"arn:aws:iam::{admin.account_id}:policy/base"
        assert observe_user(admin, planted) == was | {"attached": [arn]}
        assert (await one.fix()).compliant
        assert (await one.undo(before)).before == before
    assert observe_user(admin, planted) == was


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_that_fails_leaves_what_somebody_made_since(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    policy(admin, "base")
    planted = _with(admin, BASE)
    was = observe_user(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        before = (await one.check()).before
        await one.fix()
        document = json.dumps(READ_ONLY)
        admin.client("iam").put_user_policy(UserName=ALICE, PolicyName="all", PolicyDocument=document)
        meanwhile = observe_user(admin, planted)
        aws.fail(admin.account_id, "iam:DetachUserPolicy", "LimitExceeded", status=409)
        with pytest.raises(AwsError, match="LimitExceeded"):
            await one.undo(before)
        assert observe_user(admin, planted) == meanwhile
        assert (await one.undo(before)).before == before
    assert observe_user(admin, planted) == was
