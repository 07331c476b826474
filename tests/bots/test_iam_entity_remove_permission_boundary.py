"""Scenes of `bots.iam_entity_remove_permission_boundary`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone
from bots._boundaries import Bound
from bots._words import BadWords, parse
from bots.iam_entity_remove_permission_boundary import Boundaries, Wish, bot
from tests.bots import iam_plants as plants
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

ROLE = "entity_arn=arn:aws:iam::$ACCOUNT_ID:role/team/app"


def _bound(admin: Admin, *words: str, **entity: str) -> Planted:
    arn = plants.policy(admin, "limit")
    plants.role(admin, "app", Path="/team/", PermissionsBoundary=arn)
    plants.user(admin, "bob")
    admin.client("iam").put_user_permissions_boundary(UserName="bob", PermissionsBoundary=arn)
    return Planted(entity={"id": "whatever", **entity}, words=words)


def _everybody(admin: Admin) -> Planted:
    plants.role(admin, "free")
    return _bound(admin, "entity_arn=all", f"cloud_account_id={admin.account_id}")


def _kept_by_aws(admin: Admin) -> Planted:
    arn = plants.policy(admin, "limit")
    plants.role(admin, "AWSReservedSSO_Admin_1", Path=plants.SSO, PermissionsBoundary=arn)
    return Planted(entity={"arn": f"arn:aws:iam::{admin.account_id}:role{plants.SSO}AWSReservedSSO_Admin_1"})


def _observe(admin: Admin, _planted: Planted) -> Any:
    return plants.seen(admin)


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"name": "never-made", "type": "IamUser"})


def scenes() -> list[Scene]:
    return [
        Scene(name="everybody", plant=_everybody, observe=_observe, missing=_missing),
        Scene(name="a role", plant=lambda admin: _bound(admin, ROLE), observe=_observe),
        Scene(
            name="a user",
            plant=lambda admin: _bound(admin, name="bob", type="IamUser"),
            observe=_observe,
        ),
        Scene(name="kept by AWS", plant=_kept_by_aws, observe=_observe, refusal="IAM Identity Center"),
        Scene(
            name="meant for another account",
            plant=lambda admin: _bound(admin, "entity_arn=all", "cloud_account_id=222233334444"),
            observe=_observe,
            refusal="the words mean 222233334444",
        ),
    ]


# --- the words


@pytest.mark.parametrize(
    ("words", "sweeps", "dry"),
    [
        ([ROLE], False, False),
        (["arn:aws-cn:iam::222233334444:user/bob"], False, False),
        (["entityArn:arn:$PARTITION:iam::222233334444:user/team/bob", "--dryRun"], False, True),
        (["entity_arn=ALL", "cloud_account_id=222233334444", "dryRun"], True, True),
        ([], False, False),
    ],
)
def test_words_are_read_in_every_spelling(words: list[str], sweeps: bool, dry: bool) -> None:
    found = parse(Wish, words)
    assert (found.sweeps, found.dry_run) == (sweeps, dry)


@pytest.mark.parametrize(
    "words",
    [
        ["entity_arn=all"],
        ["entity_arn=everybody", "cloud_account_id=222233334444"],
        ["entity_arn=app"],
        ["entity_arn=arn:aws:iam::222233334444:group/crew"],
        ["entity_arn=arn:aws:sts::222233334444:assumed-role/app/session"],
        ["entity_arn=all", "cloud_account_id=2222"],
    ],
)
def test_words_that_could_mean_too_much_are_refused_before_anything_is_asked(words: list[str]) -> None:
    with pytest.raises(BadWords):
        parse(Wish, words)


# --- one identity


async def test_only_the_named_identity_is_freed(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _bound(admin, ROLE)) as one:
        seen = await one.check()
        assert seen.target_id == f"arn:aws:iam::{admin.account_id}:role/team/app"
        assert seen.touches == (("AWS::IAM::Role", "app"),)
        assert (await one.fix()).why == "there is no permissions boundary on role app"
    found = plants.seen(admin)
    assert "PermissionsBoundary" not in found["RoleDetailList"]["app"]
    assert "PermissionsBoundary" in found["UserDetailList"]["bob"]


async def test_without_words_the_finding_says_who_is_meant(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _bound(admin, arn=f"arn:aws:iam::{admin.account_id}:user/bob")
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).why == "there is no permissions boundary on user bob"


async def test_when_nobody_is_named_nobody_is_touched(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _bound(admin)) as one:
        with pytest.raises(CannotFix, match="neither the words nor the finding"):
            await one.check()


@pytest.mark.parametrize(
    ("arn", "why"),
    [
        ("arn:aws:iam::222233334444:role/app", "belongs to account 222233334444"),
        ("arn:aws:iam::{}:group/crew", "not the ARN of a role or user"),
    ],
)
async def test_what_cannot_have_a_boundary_here_is_refused(aws: FakeAws, arn: str, why: str) -> None:
    admin = aws.fresh_account()
    planted = Planted(entity={"arn": arn.format(admin.account_id)})
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match=why):
            await one.check()
    assert aws.calls(admin.account_id) == ()


async def test_a_role_that_does_not_exist_is_gone(aws: FakeAws) -> None:
    async with alone(bot, aws, aws.fresh_account(), Planted(entity={}, words=(ROLE,))) as one:
        with pytest.raises(TargetGone, match="role app does not exist"):
            await one.check()


# --- everybody


async def test_a_sweep_leaves_what_aws_keeps_and_names_all_others(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    _kept_by_aws(admin)
    planted = Planted(entity={}, words=("entity_arn=all", f"cloud_account_id={admin.account_id}"))
    limit = f"arn:aws:iam::{admin.account_id}:policy/limit"
    plants.role(admin, "app", PermissionsBoundary=limit)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert seen.before == Boundaries(identities=(Bound("Role", "app", limit),))
        assert seen.touches == (("AWS::IAM::Role", "app"),)
        assert seen.target_id == admin.account_id
        assert (await one.fix()).why == "there is no permissions boundary on any role or user"
    assert plants.seen(admin)["RoleDetailList"]["AWSReservedSSO_Admin_1"]["PermissionsBoundary"]


async def test_when_one_identity_cannot_be_freed_none_is(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _everybody(admin)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "iam:DeleteUserPermissionsBoundary", "AccessDenied", status=403)
        with pytest.raises(AwsError, match="AccessDenied"):
            await one.fix()
    assert _observe(admin, planted) == before


async def test_who_was_deleted_since_does_not_keep_the_others_from_their_boundaries(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _everybody(admin)) as one:
        was = (await one.check()).before
        await one.fix()
        admin.client("iam").delete_role(RoleName="app")
        await one.undo(was)
    assert "PermissionsBoundary" in plants.seen(admin)["UserDetailList"]["bob"]
