"""Scenes of `bots.ec2_update_instance_role`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest

from bots._bot import CannotFix
from bots._words import BadWords, parse
from bots.ec2_update_instance_role import bot
from tests.bots import iam_plants as plants
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")

WANTED = "policy_arn=arn:aws:iam::$ACCOUNT_ID:policy/team/logging"


def _instance(admin: Admin, *words: str, profile: bool = True, path: str = "/service-role/") -> Planted:
    plants.role(admin, "app", Path=path)
    plants.policy(admin, "logging", Path="/team/")
    if profile:
        plants.profile(admin, "reach", role="app", path="/team/")
    which = {"IamInstanceProfile": {"Name": "reach"}} if profile else {}
    made = admin.client("ec2").run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, **which)
    stale = [{"arn": f"arn:aws:iam::{admin.account_id}:role/stale"}]
    return Planted(
        entity={"id": made["Instances"][0]["InstanceId"], "roles": stale}, words=words or (WANTED,)
    )


def _observe(admin: Admin, _planted: Planted) -> Any:
    return plants.seen(admin)


def _missing(_admin: Admin) -> Planted:
    return Planted(entity={"id": "i-0123456789abcdef0"}, words=(WANTED,))


def scenes() -> list[Scene]:
    return [
        Scene(name="lacks the policy", plant=_instance, observe=_observe, missing=_missing),
        Scene(
            name="no profile",
            plant=lambda admin: _instance(admin, profile=False),
            observe=_observe,
            refusal="ec2_attach_instance_role",
        ),
    ]


@pytest.mark.parametrize(
    "words",
    [
        ["policy_arn=arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"],
        ["policyArn:arn:aws-cn:iam::222233334444:policy/team/logging"],
        ["arn:$PARTITION:iam::$ACCOUNT_ID:policy/logging"],
    ],
)
def test_the_policy_is_named_in_any_way_findings_do(words: list[str]) -> None:
    assert parse(bot.params, words)


@pytest.mark.parametrize("word", ["logging", "arn:aws:iam::222233334444:role/x", "arn:aws:iam::1:policy/x"])
def test_what_is_no_policy_is_refused_before_anything_is_asked(word: str) -> None:
    with pytest.raises(BadWords, match="does not fit policy_arn"):
        parse(bot.params, [word])


async def test_the_live_role_counts_and_not_the_copy_in_the_finding(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _instance(admin)) as one:
        seen = await one.check()
        assert seen.touches == (("AWS::IAM::Role", "app"),)
        assert "every instance with the profile" in seen.notes[0]
        assert (await one.fix()).compliant


async def test_a_role_that_has_the_policy_is_right_whatever_the_policy_says(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    arn = plants.policy(admin, "everything", plants.ALL)
    planted = _instance(admin, arn)
    admin.client("iam").attach_role_policy(RoleName="app", PolicyArn=arn)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).compliant


async def test_no_finding_makes_an_administrator(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    arn = plants.policy(admin, "everything", plants.BUCKET, plants.ALL)
    async with alone(bot, aws, admin, _instance(admin, arn)) as one:
        with pytest.raises(CannotFix, match="makes an administrator"):
            await one.check()


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("arn:aws:iam::$ACCOUNT_ID:policy/never-made", "there is no policy"),
        ("arn:aws:iam::222233334444:policy/theirs", "belongs to account 222233334444"),
    ],
)
async def test_a_policy_that_is_not_there_is_refused(aws: FakeAws, word: str, why: str) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _instance(admin, word)) as one:
        with pytest.raises(CannotFix, match=why):
            await one.check()


async def test_a_policy_that_aws_retired_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    plants.backend(admin).get_policy(
        f"arn:aws:iam::{admin.account_id}:policy/team/logging"
    ).is_attachable = False
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="lets nobody attach"):
            await one.check()


async def test_a_role_with_ten_policies_is_refused_and_left(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    role = plants.backend(admin).get_role("app")
    for number in range(10):
        policy = plants.backend(admin).get_policy(plants.policy(admin, f"other-{number}"))
        role.managed_policies[policy.arn] = policy
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="as many managed policies"):
            await one.fix()
    assert len(role.managed_policies) == 10


async def test_a_profile_that_gives_nothing_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _instance(admin)
    iam = admin.client("iam")
    async with alone(bot, aws, admin, planted) as one:
        iam.remove_role_from_instance_profile(InstanceProfileName="reach", RoleName="app")
        with pytest.raises(CannotFix, match="holds no role"):
            await one.check()
        iam.delete_instance_profile(InstanceProfileName="reach")
        with pytest.raises(CannotFix, match="was deleted"):
            await one.check()


async def test_a_role_that_aws_keeps_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _instance(admin, path=plants.SERVICE_LINKED)) as one:
        with pytest.raises(CannotFix, match="role app is kept by AWS"):
            await one.check()
