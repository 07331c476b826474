"""Scenes of `bots.iam_entity_create_and_attach_permission_boundary`, and what only this bot does."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone, TryLater
from bots._words import BadWords, parse
from bots.iam_entity_create_and_attach_permission_boundary import Wish, bot
from tests.bots import iam_plants as plants
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

SUGGESTED: dict[str, Any] = {"Version": "2012-10-17", "Statement": [plants.BUCKET]}
OURS = "remediation-hub:boundary-of"


def _role(admin: Admin, *words: str, boundary: bool = False) -> Planted:
    bound = {"PermissionsBoundary": plants.policy(admin, "landing-zone")} if boundary else {}
    plants.role(admin, "app", Path="/team/", **bound)
    entity = {"name": "app", "id": "AROAEXAMPLE", "type": "IamRole"}
    return Planted(entity=entity, words=words, suggested_policy=SUGGESTED)


def _user(admin: Admin) -> Planted:
    arn = plants.user(admin, "bob", Path="/team/")
    return Planted(entity={"arn": arn, "type": "IamUser"}, suggested_policy=SUGGESTED)


def _full(admin: Admin, kind: str = "User") -> Planted:
    """The hub's policy is there, full of versions, and says something else."""
    planted = _user(admin)
    arn = plants.policy(admin, "CIEMSuggestion-bob", plants.ALL, Tags=[{"Key": OURS, "Value": kind}])
    for number in range(2, 6):
        text = plants.document({**plants.BUCKET, "Resource": f"arn:aws:s3:::{number}"})
        admin.client("iam").create_policy_version(
            PolicyArn=arn, PolicyDocument=text, SetAsDefault=number == 3
        )
    return planted


def _strangers(admin: Admin) -> Planted:
    planted = _user(admin)
    plants.policy(admin, "CIEMSuggestion-bob")
    return planted


def _observe(admin: Admin, _planted: Planted) -> Any:
    return plants.seen(admin)


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"name": "never-made", "type": "IamRole"}, suggested_policy=SUGGESTED)


def scenes() -> list[Scene]:
    return [
        Scene(name="a role without", plant=_role, observe=_observe, missing=_missing),
        Scene(name="a user and a full policy", plant=_full, observe=_observe),
        Scene(name="name taken", plant=_strangers, observe=_observe, refusal="made by somebody else"),
        Scene(
            name="nothing suggested",
            plant=lambda admin: replace(_role(admin), suggested_policy=None),
            observe=_observe,
            refusal="suggests no policy",
        ),
    ]


# --- the words


@pytest.mark.parametrize(
    ("words", "name", "dry"),
    [
        ([], "CIEMSuggestion", False),
        (["policy_name=Tight"], "Tight", False),
        (["policyName:Tight.1@x", "--dryRun"], "Tight.1@x", True),
        (["exec_function_arn=arn:aws:lambda:us-east-1:222233334444:function:x"], "CIEMSuggestion", False),
    ],
)
def test_words_are_read_in_every_spelling(words: list[str], name: str, dry: bool) -> None:
    found = parse(Wish, words, suggested_policy=json.dumps(SUGGESTED, indent=2))
    assert (found.policy_name, found.dry_run) == (name, dry)
    assert json.loads(found.boundary) == SUGGESTED


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "in JSON"),
        ("[]", "with statements"),
        ('{"Version": "2012-10-17"}', "with statements"),
        ('{"Statement": []}', "with statements"),
        ('{"Statement": ["Allow"]}', "with statements"),
        (plants.trusting(), "names no principal"),
        (json.dumps({"Statement": {**plants.BUCKET, "Resource": "a" * 6200}}), "6144 characters"),
    ],
)
def test_what_iam_would_not_take_is_refused_before_anything_is_asked(text: str, why: str) -> None:
    with pytest.raises(BadWords, match=why):
        parse(Wish, [], suggested_policy=text)


def test_a_policy_name_with_a_blank_is_refused() -> None:
    with pytest.raises(BadWords, match="policy_name"):
        parse(Wish, ["policy_name=two words"])


async def test_a_name_that_would_be_too_long_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _role(admin, f"policy_name={'x' * 125}")) as one:
        with pytest.raises(CannotFix, match="choose a policy_name"):
            await one.check()


# --- the boundary


async def test_a_boundary_of_somebody_elses_is_replaced_reported_and_put_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _role(admin, "policy_name=Tight", boundary=True)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert "policy/landing-zone is replaced" in seen.notes[0]
        assert seen.touches == (
            ("AWS::IAM::ManagedPolicy", f"arn:aws:iam::{admin.account_id}:policy/Tight-app"),
        )
        after = await one.fix()
        assert after.compliant
        assert after.notes == ()
        bound = plants.seen(admin)["RoleDetailList"]["app"]["PermissionsBoundary"]
        assert bound["PermissionsBoundaryArn"].endswith(":policy/Tight-app")
        assert (await one.undo(seen.before)).before == seen.before
    assert _observe(admin, planted) == before


async def test_a_document_that_says_the_same_gets_no_new_version(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _user(admin)
    lone = {**plants.BUCKET, "Action": ["s3:GetObject"]}
    arn = plants.policy(admin, "CIEMSuggestion-bob", lone, Tags=[{"Key": OURS, "Value": "User"}])
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        assert (await one.fix()).compliant
        assert len(plants.backend(admin).get_policy(arn).versions) == 1
        assert (await one.undo(was)).before == was


async def test_the_oldest_version_makes_room_and_its_text_is_kept(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _full(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        assert json.loads(was.model_dump()["dropped"])["Statement"] == [plants.ALL]
        await one.fix()
        after = await one.undo(was)
    assert after.before == one.bot.expected_after_undo(was)
    policy = plants.backend(admin).get_policy(f"arn:aws:iam::{admin.account_id}:policy/CIEMSuggestion-bob")
    assert [version.version_id for version in policy.versions] == ["v2", "v3", "v4", "v5"]
    assert policy.default_version_id == "v3"


async def test_a_role_and_a_user_of_one_name_do_not_share_a_policy(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _full(admin, kind="Role")) as one:
        with pytest.raises(CannotFix, match="for somebody else"):
            await one.check()


async def test_a_policy_of_the_name_under_another_path_is_left_alone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _role(admin)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "iam:CreatePolicy", "EntityAlreadyExists", status=409)
        with pytest.raises(CannotFix, match="under another path"):
            await one.fix()


async def test_a_failed_attachment_leaves_no_policy_behind(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _role(admin)
    before = _observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "iam:PutRolePermissionsBoundary", "AccessDenied", status=403)
        with pytest.raises(AwsError, match="AccessDenied"):
            await one.fix()
    assert _observe(admin, planted) == before


async def test_a_new_policy_that_iam_does_not_find_yet_is_waited_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _role(admin)) as one:
        was = (await one.check()).before
        aws.fail(admin.account_id, "iam:PutRolePermissionsBoundary", "NoSuchEntity", status=404)
        with pytest.raises(TryLater, match="CIEMSuggestion-app"):
            await one.fix()
        assert (await one.fix()).compliant
        assert (await one.undo(was)).before == was
    assert plants.seen(admin)["Policies"] == {}


async def test_a_role_that_aws_keeps_takes_no_boundary(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    arn = plants.role(admin, "AWSServiceRoleForECS", Path=plants.SERVICE_LINKED)
    async with alone(bot, aws, admin, Planted(entity={"arn": arn}, suggested_policy=SUGGESTED)) as one:
        with pytest.raises(CannotFix, match="kept by AWS"):
            await one.check()


async def test_an_identity_that_does_not_exist_is_gone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _missing(admin)) as one:
        with pytest.raises(TargetGone, match="role never-made"):
            await one.check()
