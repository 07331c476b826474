"""Scenes of `bots.ec2_attach_instance_role`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest
from moto.ec2.models import ec2_backends

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone, TryLater
from bots._words import BadWords, parse
from bots.ec2_attach_instance_role import Profile, bot
from tests.bots import iam_plants as plants
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

WANTED = "role_arn=arn:aws:iam::$ACCOUNT_ID:instance-profile/team/reach"
BY_ROLE = "arn:aws:iam::$ACCOUNT_ID:role/team/app"


def _instance(admin: Admin, *words: str) -> Planted:
    plants.role(admin, "app", Path="/team/")
    plants.profile(admin, "reach", role="app", path="/team/")
    return _bare_instance(admin, *words)


def _bare_instance(admin: Admin, *words: str) -> Planted:
    made = admin.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1)
    return Planted(entity={"id": made["Instances"][0]["InstanceId"], "roles": []}, words=words or (WANTED,))


def _associate(admin: Admin, planted: Planted, name: str) -> None:
    admin.client("ec2").associate_iam_instance_profile(
        InstanceId=planted.entity["id"], IamInstanceProfile={"Name": name}
    )


def _taken(admin: Admin) -> Planted:
    planted = _instance(admin)
    plants.role(admin, "other")
    plants.profile(admin, "other", role="other")
    _associate(admin, planted, "other")
    return planted


def _inside(admin: Admin, planted: Planted) -> Any:
    return ec2_backends[admin.account_id]["us-east-1"].get_instance_by_id(planted.entity["id"])


def _observe(admin: Admin, planted: Planted) -> Any:
    ec2 = admin.client("ec2")
    found = ec2.describe_instances(InstanceIds=[planted.entity["id"]])["Reservations"][0]["Instances"][0]
    profile = found.get("IamInstanceProfile")
    return {
        "profile": profile and profile["Arn"],
        "state": found["State"]["Name"],
        "groups": found["SecurityGroups"],
        "associations": [
            each["IamInstanceProfile"]["Arn"]
            for each in ec2.describe_iam_instance_profile_associations()["IamInstanceProfileAssociations"]
        ],
    }


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "i-0123456789abcdef0"}, words=(WANTED,))


def scenes() -> list[Scene]:
    return [
        Scene(name="by profile", plant=_instance, observe=_observe, missing=_missing),
        Scene(name="by role", plant=lambda admin: _instance(admin, BY_ROLE), observe=_observe),
        Scene(name="has another", plant=_taken, observe=_observe, refusal="replacing it is for a person"),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["role_arn=arn:aws:iam::222233334444:instance-profile/team/reach"],
        ["roleArn:arn:aws-us-gov:iam::$ACCOUNT_ID:role/app"],
        ["arn:$PARTITION:iam::$ACCOUNT_ID:instance-profile/reach"],
    ],
)
def test_the_profile_is_named_in_any_way_findings_do(words: list[str]) -> None:
    assert parse(bot.params, words)


@pytest.mark.parametrize("word", ["reach", "arn:aws:iam::222233334444:policy/x", "arn:aws:iam::aws:role/x"])
def test_what_is_neither_profile_nor_role_is_refused_before_anything_is_asked(word: str) -> None:
    with pytest.raises(BadWords, match="does not fit role_arn"):
        parse(bot.params, [word])


async def test_the_role_that_is_handed_out_can_be_protected(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _instance(admin)) as one:
        assert (await one.check()).touches == (("AWS::IAM::Role", "app"),)


@pytest.mark.parametrize("word", [WANTED, BY_ROLE])
async def test_an_instance_that_has_it_is_right_however_it_is_named(aws: FakeAws, word: str) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin, word)
    _associate(admin, planted, "reach")
    _inside(admin, planted)._state.name = "stopping"
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant
    assert seen.before == Profile(arn=f"arn:aws:iam::{admin.account_id}:instance-profile/team/reach")


async def test_of_several_profiles_the_one_called_as_the_role_is_taken(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin, BY_ROLE)
    async with alone(bot, aws, admin, planted) as one:
        plants.profile(admin, "second", role="app")
        with pytest.raises(CannotFix, match=r"several instance profiles \(reach, second\)"):
            await one.check()
        plants.profile(admin, "app", role="app")
        after = await one.fix()
    assert after.before == Profile(arn=f"arn:aws:iam::{admin.account_id}:instance-profile/app")


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("arn:aws:iam::$ACCOUNT_ID:instance-profile/never-made", "there is no instance profile"),
        ("arn:aws:iam::$ACCOUNT_ID:instance-profile/reach", "there is no instance profile"),  # another path
        ("arn:aws:iam::$ACCOUNT_ID:instance-profile/empty", "holds no role"),
        ("arn:aws:iam::$ACCOUNT_ID:role/never-made", "role never-made does not exist"),
        ("arn:aws:iam::$ACCOUNT_ID:role/lonely", "in no instance profile"),
        ("arn:aws:iam::222233334444:role/theirs", "belongs to another account"),
    ],
)
async def test_what_cannot_be_associated_is_refused_with_the_reason(
    aws: FakeAws, word: str, why: str
) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin, word)
    plants.profile(admin, "empty")
    plants.role(admin, "lonely")
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match=why):
            await one.check()


@pytest.mark.parametrize(
    ("state", "ending"),
    [
        ("pending", TryLater),
        ("stopping", TryLater),
        ("shutting-down", TargetGone),
        ("terminated", TargetGone),
    ],
)
async def test_an_instance_between_states_is_waited_for(
    aws: FakeAws, state: str, ending: type[Exception]
) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    _inside(admin, planted)._state.name = state
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(ending, match=state):
            await one.check()


async def test_a_stopped_instance_gets_it_too(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    admin.client("ec2").stop_instances(InstanceIds=[planted.entity["id"]])
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant


async def test_a_profile_that_ec2_does_not_know_yet_is_waited_for(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _instance(admin)) as one:
        aws.fail(admin.account_id, "ec2:AssociateIamInstanceProfile", "InvalidParameterValue")
        with pytest.raises(TryLater, match="does not know the instance profile"):
            await one.fix()
        assert (await one.fix()).compliant


async def test_a_role_that_is_not_the_accounts_to_pass_changes_nothing(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    async with alone(bot, aws, admin, planted) as one:
        deny = {"Effect": "Deny", "Action": "iam:PassRole", "Resource": "*"}
        admin.client("iam").put_role_policy(
            RoleName="bot-alone", PolicyName="not-this", PolicyDocument=plants.document(deny)
        )
        with pytest.raises(AwsError, match="iam:PassRole"):
            await one.fix()
    assert _observe(admin, planted)["profile"] is None


async def test_an_undo_finds_nothing_left_to_do_when_somebody_was_faster(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        assert (await one.undo(was)).before == was


async def test_a_member_of_an_auto_scaling_group_is_told_apart(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    _inside(admin, planted).add_tags({"aws:autoscaling:groupName": "web"})
    async with alone(bot, aws, admin, planted) as one:
        assert "Auto Scaling group web" in (await one.check()).notes[0]
