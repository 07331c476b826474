"""Scenes of `bots.iam_user_attach_policy`, and what is common to attaching policies to users and roles."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bots._attachments import own_policy
from bots._aws import AwsError
from bots._bot import CannotFix, TryLater
from bots._wide import makes_an_administrator
from bots._words import BadWords, parse
from bots.iam_user_attach_policy import Wish, bot
from hub.aws.account import SpokeAccount
from tests.bots.alone import alone
from tests.bots.identities import (
    ADMINISTRATOR,
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
from tests.fake_aws.moto_gaps.iam import aws_managed, inside
from tests.fake_aws.server import FakeAws

BASE = "policy_arn=arn:aws:iam::$ACCOUNT_ID:policy/team/base"


def _without(admin: Admin, *words: str, document: dict[str, Any] = READ_ONLY) -> Planted:
    policy(admin, "base", document, path="/team/")
    return user(admin, *(words or (BASE,)), path="/staff/")


def _aws_managed(admin: Admin) -> Planted:
    arn = aws_managed(admin.account_id, "IAMUserChangePassword", READ_ONLY)
    return user(admin, arn)


def _retired(admin: Admin) -> Planted:
    arn = aws_managed(admin.account_id, "OldAccess", READ_ONLY)
    inside(admin.account_id).managed_policies[arn].is_attachable = False
    return user(admin, arn)


def scenes() -> list[Scene]:
    def blocked(name: str, plant: Any, refusal: str) -> Scene:
        return Scene(name=name, plant=plant, observe=observe_user, refusal=refusal)

    return [
        Scene(
            name="policy of the account",
            plant=_without,
            observe=observe_user,
            missing=lambda admin: nobody(admin, BASE),
            region="global",
        ),
        Scene(name="policy of AWS", plant=_aws_managed, observe=observe_user),
        blocked("no such policy", lambda admin: user(admin, BASE), "create it first"),
        blocked("retired policy", _retired, "AWS has retired it"),
        blocked(
            "administrator",
            lambda admin: _without(admin, document=ADMINISTRATOR),
            "must not make administrators",
        ),
        Scene(
            name="root user",
            plant=lambda admin: root(admin, BASE),
            observe=lambda _admin, _planted: None,
            refusal="sign in as root",
        ),
    ]


@pytest.mark.parametrize(
    "word",
    [
        "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
        "policy_arn=arn:aws:iam::222233334444:policy/a=b",
        "PolicyArn:arn:aws-cn:iam::aws:policy/A",
        "arn:$PARTITION:iam::$ACCOUNT_ID:policy/base",
    ],
)
def test_the_policy_is_given_in_any_spelling(word: str) -> None:
    injected = "assumed_role_arn=arn:aws:iam::222233334444:role/spoke"
    assert parse(Wish, [word, injected]).policy_arn == word[word.index("arn:") :]


@pytest.mark.parametrize(
    "word",
    [
        "base",
        "arn:aws:iam::222233334444:role/base",
        "arn:aws:iam::2222:policy/base",
        "arn:aws:s3:::policy/base",
        "",
    ],
)
def test_what_is_no_policy_is_refused_before_anything_is_asked(word: str) -> None:
    with pytest.raises(BadWords):
        parse(Wish, [f"policy_arn={word}"])


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_is_looked_for_in_the_partition_and_account_of_the_finding(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, user(admin, BASE)) as one:
        china = replace(one.account, partition="aws-cn")
        assert isinstance(china, SpokeAccount)
        assert own_policy(china, "arn:aws:iam::aws:policy/A") == "arn:aws-cn:iam::aws:policy/A"
        mine = f"arn:aws:iam::{admin.account_id}:policy/team/base"
        assert own_policy(one.account, BASE.removeprefix("policy_arn=")) == mine
        with pytest.raises(CannotFix, match="belongs to account 222233334444"):
            await one.saying("arn:aws:iam::222233334444:policy/base").check()
    assert aws.calls(admin.account_id) == ()


@pytest.mark.parametrize(
    ("statement", "administrator"),
    [
        ({"Action": "*", "Resource": "*"}, True),
        ({"Action": ["s3:*", "IAM:*"], "Resource": ["*"]}, True),
        ({"NotAction": "s3:*", "Resource": "*"}, True),
        ({"NotAction": ["iam:*", "organizations:*"], "Resource": "*"}, False),
        ({"Action": "iam:GetUser", "Resource": "*"}, False),
        ({"Action": "*", "Resource": "arn:aws:s3:::reports/*"}, False),
        (
            {"Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}},
            False,
        ),
        ({"Effect": "Deny", "Action": "*", "Resource": "*"}, False),
    ],
)
def test_an_administrator_is_told_by_the_document_not_by_the_name(
    statement: dict[str, Any], administrator: bool
) -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | statement]}
    assert makes_an_administrator(json.dumps(document)) is administrator


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_that_is_attached_is_left_alone_whatever_became_of_it(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _retired(admin)
    inside(admin.account_id).users["alice"].managed_policies[planted.words[0]] = inside(
        admin.account_id
    ).managed_policies[planted.words[0]]
    for number in range(3):  # of many, and not on the first page
        arn = policy(admin, f"A-{number}")
        admin.client("iam").attach_user_policy(UserName="alice", PolicyArn=arn)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_full_user_is_told_with_its_count_and_stays_as_it_is(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = filled_to_the_quota(admin, _without(admin))
    was = observe_user(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="has 10 managed policies attached"):
            await one.fix()
    assert observe_user(admin, planted) == was


@pytest.mark.usefixtures("hub_environment")
async def test_what_iam_does_not_know_everywhere_yet_is_awaited(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    errors: tuple[tuple[str, type[Exception]], ...] = (("NoSuchEntity", TryLater), ("InvalidInput", AwsError))
    async with alone(bot, aws, admin, _without(admin)) as one:
        for named, raised in errors:
            aws.fail(admin.account_id, "iam:AttachUserPolicy", named)
            with pytest.raises(raised):
                await one.fix()
        assert (await one.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_user_is_found_by_its_arn(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _without(admin)
    async with alone(bot, aws, admin, replace(planted, entity={"arn": planted.entity["arn"]})) as one:
        seen = await one.check()
        assert seen.target_id == "alice"
        assert (await one.fix()).compliant
        assert not (await one.undo(seen.before)).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_what_cannot_be_a_user_of_the_account_is_not_asked_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, Planted(entity={"name": "alice"}, words=(BASE,))) as one:
        for name, said in (
            ("arn:aws:iam::222233334444:user/alice", "belongs to account 222233334444"),
            (f"arn:aws:iam::{admin.account_id}:root", "about the root user"),
            (f"arn:aws:iam::{admin.account_id}:role/alice", "is not the name of a user"),
            ("arn:", "belongs to account"),
            ("al ice", "is not the name of a user"),
        ):
            with pytest.raises(CannotFix, match=said):
                await replace(one, target=replace(one.target, id=name)).check()
    assert aws.calls(admin.account_id) == ()
