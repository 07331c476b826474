"""Scenes of `bots.iam_quarantine_user`, and what quarantines of users and roles have in common."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TryLater
from bots._deny_all import NAME, Barred, denies_everything
from bots.iam_quarantine_user import bot
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
from tests.fake_aws import admin as clients_of
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

DENY_ALL = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": ["*"], "Resource": "*"}}


def free(admin: Admin) -> Planted:
    """A user with rights."""
    planted = user(admin, path="/staff/")
    iam = admin.client("iam")
    iam.put_user_policy(UserName=ALICE, PolicyName="all", PolicyDocument=json.dumps(ADMINISTRATOR))
    return planted


def _after_another(admin: Admin) -> Planted:
    """The shared policy is there from an earlier quarantine."""
    policy(admin, NAME, DENY_ALL)
    return free(admin)


def _tampered(admin: Admin) -> Planted:
    """The shared policy is attached, and allows everything in its newest version."""
    arn, planted = policy(admin, NAME, DENY_ALL), free(admin)
    iam = admin.client("iam")
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=json.dumps(ADMINISTRATOR), SetAsDefault=True)
    iam.attach_user_policy(UserName=ALICE, PolicyArn=arn)
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(name="after another quarantine", plant=_after_another, observe=observe_user, missing=nobody),
        Scene(
            name="first quarantine of the account, no room for it",
            plant=lambda admin: filled_to_the_quota(admin, free(admin)),
            observe=observe_user,
            region="global",
        ),
        Scene(name="root user", plant=root, observe=lambda _admin, _planted: None, refusal="sign in as root"),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_the_user_can_do_nothing_and_afterwards_what_it_could(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = free(admin)
    key = admin.client("iam").create_access_key(UserName=ALICE)["AccessKey"]
    iam = clients_of.client(
        aws.endpoint,
        "iam",
        "us-east-1",
        access_key=key["AccessKeyId"],
        secret_key=key["SecretAccessKey"],
    )
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        iam.list_users()
        assert (await one.fix()).compliant
        with pytest.raises(iam.exceptions.ClientError, match="AccessDenied"):
            iam.list_users()
        assert (await one.undo(was)).before == was
        iam.list_users()


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_that_only_has_the_name_is_no_quarantine_and_is_reported(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _tampered(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert not seen.compliant
        assert "tampered" in seen.notes[0]
        assert (await one.fix()).why == f"user {ALICE} is denied everything by its inline policy {NAME}"
    assert denies_everything(json.dumps(observe_user(admin, planted)["inline"][NAME]))


@pytest.mark.usefixtures("hub_environment")
async def test_a_user_without_any_room_is_refused_with_other_ways(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = filled_to_the_quota(admin, user(admin))
    long = json.loads(json.dumps(READ_ONLY))
    long["Statement"][0]["Resource"] = [f"arn:aws:s3:::reports/{number}/*" for number in range(68)]
    admin.client("iam").put_user_policy(UserName=ALICE, PolicyName="long", PolicyDocument=json.dumps(long))
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="make its access keys inactive"):
            await one.fix()


@pytest.mark.usefixtures("hub_environment")
async def test_somebodys_own_inline_policy_of_that_name_comes_back_with_an_undo(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _tampered(admin)
    admin.client("iam").put_user_policy(UserName=ALICE, PolicyName=NAME, PolicyDocument=json.dumps(READ_ONLY))
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert not seen.compliant
        await one.fix()
        assert (await one.undo(seen.before)).before == seen.before
    assert observe_user(admin, planted)["inline"][NAME] == READ_ONLY


@pytest.mark.usefixtures("hub_environment")
async def test_an_inline_quarantine_is_enough_and_an_undo_takes_both_kinds_away(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _after_another(admin)
    async with alone(bot, aws, admin, planted) as one:
        free_of_all = (await one.check()).before
        await one.fix()
        admin.client("iam").put_user_policy(
            UserName=ALICE, PolicyName=NAME, PolicyDocument=json.dumps(DENY_ALL)
        )
        assert (await one.undo(free_of_all)).before == free_of_all == Barred(attached=False, inline=None)


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_made_by_somebody_else_in_the_same_moment_is_looked_at(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _after_another(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        aws.fail(admin.account_id, "iam:GetPolicy", "NoSuchEntity", status=404)
        await one.bot.run_fix(one.account, one.target, one.params, seen.before)
        assert (await one.check()).compliant
    assert [call.error for call in aws.calls(admin.account_id) if call.operation == "CreatePolicy"] == [
        "EntityAlreadyExists"
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_a_new_policy_iam_does_not_know_everywhere_is_awaited_and_used(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, free(admin)) as one:
        aws.fail(admin.account_id, "iam:AttachUserPolicy", "NoSuchEntity", status=404)
        with pytest.raises(TryLater):
            await one.fix()
        assert (await one.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("operation", ["AttachUserPolicy", "PutUserPolicy"])
async def test_other_refusals_of_aws_are_told_as_they_are(aws: FakeAws, operation: str) -> None:
    admin = aws.fresh_account()
    planted = free(admin) if operation == "AttachUserPolicy" else _tampered(admin)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, f"iam:{operation}", "InvalidInput")
        with pytest.raises(AwsError, match="InvalidInput"):
            await one.fix()


@pytest.mark.parametrize(
    ("statements", "sound"),
    [
        ([{"Effect": "Deny", "Action": "*", "Resource": "*"}], True),
        ({"Sid": "x", "Effect": "Deny", "Action": ["s3:*", "*"], "Resource": ["*"]}, True),
        ([{"Effect": "Deny", "Action": "*", "Resource": "*"}, *ADMINISTRATOR["Statement"]], False),
        ([{"Effect": "Deny", "Action": "s3:*", "Resource": "*"}], False),
        ([{"Effect": "Deny", "NotAction": "s3:*", "Resource": "*"}], False),
        ([{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::x"}], False),
        ([{"Effect": "Deny", "Action": "*", "NotResource": "arn:aws:s3:::x"}], False),
        ([{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"a:b": "true"}}}], False),
        ([], False),
    ],
)
def test_only_a_document_that_denies_everything_always_is_trusted(statements: Any, sound: bool) -> None:
    assert denies_everything(json.dumps({"Version": "2012-10-17", "Statement": statements})) is sound
