"""Scenes of `bots.ec2_attach_sg`, and what only this bot does."""

from __future__ import annotations

import shlex

import pytest
from moto.ec2.models import ec2_backends

from bots._bot import CannotFix, TargetGone
from bots._words import BadWords, parse
from bots.ec2_attach_sg import Wish, bot
from tests.bots.alone import alone
from tests.bots.instances import group, groups_worn, instance, managed_by_aws, missing, vpc, worn
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _open_in_two_vpcs(admin: Admin) -> Planted:
    """Two interfaces in two VPCs; the group is of the first and serves the second as well."""
    (one, first), (two, second) = vpc(admin, "10.1.0.0/16"), vpc(admin, "10.2.0.0/16")
    baseline = group(admin, one, "baseline")
    admin.client("ec2").associate_security_group_vpc(GroupId=baseline, VpcId=two)
    return instance(
        admin,
        (first, (group(admin, one, "web"), group(admin, one, "ssh"))),
        (second, (group(admin, two, "web"),)),
        words=("baseline",),
    )


def _managed(admin: Admin) -> Planted:
    return managed_by_aws(admin, _open_in_two_vpcs(admin))


def _without_group(admin: Admin) -> Planted:
    planted = _open_in_two_vpcs(admin)
    return Planted(entity=planted.entity, words=("strict",))


def scenes() -> list[Scene]:
    return [
        Scene(
            name="two interfaces in two VPCs",
            plant=_open_in_two_vpcs,
            observe=worn,
            missing=lambda _: missing("baseline"),
        ),
        Scene(name="no such group", plant=_without_group, observe=worn, refusal="no security group 'strict'"),
        Scene(
            name="interface of a service", plant=_managed, observe=worn, refusal="managed by an AWS service"
        ),
    ]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("restricted-baseline", "restricted-baseline"),
        ('"restricted baseline"', "restricted baseline"),
        ("security_group_name=baseline", "baseline"),
        ("securityGroup:baseline", "baseline"),
        ("sg-0123456789abcdef0", "sg-0123456789abcdef0"),
        ("eks:nodes", "eks:nodes"),
    ],
)
def test_the_group_is_named_in_every_spelling(text: str, named: str) -> None:
    assert parse(Wish, shlex.split(text)).security_group_name == named


@pytest.mark.parametrize("words", [[], [""], ["web?"], ["two", "words"], ["a\\b"], ["x" * 256]])
def test_what_no_group_can_be_called_is_refused(words: list[str]) -> None:
    with pytest.raises(BadWords):
        parse(Wish, words)


async def test_each_vpc_has_its_own_group_of_the_name(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    (one, first), (two, second) = vpc(admin, "10.1.0.0/16"), vpc(admin, "10.2.0.0/16")
    baselines = [group(admin, each, "baseline") for each in (one, two)]
    web = group(admin, two, "web")
    planted = instance(admin, (first, (baselines[0],)), (second, (web, baselines[1])), words=("baseline",))
    async with alone(bot, aws, admin, planted) as one_bot:
        seen = await one_bot.check()
        assert web in seen.why
        assert (await one_bot.fix()).compliant
        assert groups_worn(admin, planted) == [[baselines[0]], [baselines[1]]]
        changed = [call for call in aws.calls(admin.account_id) if call.is_write]
        assert len(changed) == 1  # the interface that was right is not written to
        await one_bot.undo(seen.before)
    assert groups_worn(admin, planted) == [[baselines[0]], sorted([web, baselines[1]])]


async def test_a_name_is_compared_to_the_letter_and_not_as_a_pattern(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    one, subnet = vpc(admin, "10.1.0.0/16")
    web, star = group(admin, one, "web-1"), group(admin, one, "web-*")
    planted = instance(admin, (subnet, (web,)), words=("web-*",))
    async with alone(bot, aws, admin, planted) as alone_bot:
        assert (await alone_bot.fix()).compliant
        assert groups_worn(admin, planted) == [[star]]
        for pattern in ("*", "WEB-1", "sg-0123456789abcdef0"):
            with pytest.raises(CannotFix, match="there is no security group"):
                await alone_bot.saying(pattern).check()
        assert (await alone_bot.saying(star).check()).compliant
        assert not (await alone_bot.saying(web).check()).compliant


async def test_a_name_that_means_two_groups_is_refused(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    (one, subnet), (two, _) = vpc(admin, "10.1.0.0/16"), vpc(admin, "10.2.0.0/16")
    here, there = group(admin, one, "baseline"), group(admin, two, "baseline")
    # A group that another account shares may be called like one's own.
    ec2_backends[admin.account_id]["us-east-1"].get_security_group_from_id(there).vpc_id = one
    planted = instance(admin, (subnet, (group(admin, one, "web"),)), words=("baseline",))
    async with alone(bot, aws, admin, planted) as alone_bot:
        with pytest.raises(CannotFix, match="give the id"):
            await alone_bot.check()
        assert (await alone_bot.saying(here).fix()).compliant


async def test_a_terminated_instance_is_gone_and_a_scaled_one_is_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _open_in_two_vpcs(admin)
    inside = ec2_backends[admin.account_id]["us-east-1"].get_instance_by_id(planted.entity["id"])
    inside.add_tags({"aws:autoscaling:groupName": "web-fleet"})
    async with alone(bot, aws, admin, planted) as alone_bot:
        assert "Auto Scaling group web-fleet" in (await alone_bot.check()).notes[0]
        admin.client("ec2").terminate_instances(InstanceIds=[planted.entity["id"]])
        with pytest.raises(TargetGone, match="terminated"):
            await alone_bot.check()
