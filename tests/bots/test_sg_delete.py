"""Scenes of `bots.sg_delete`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix
from bots.sg_delete import Existence, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.security_groups import group, missing, observe, shared, tcp
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _unused(admin: Admin) -> Planted:
    planted = group(admin, tcp(22, description="bastion"), tags={"team": "web"})
    itself = tcp(80, 80, planted.entity["id"])
    ec2 = admin.client("ec2")
    ec2.authorize_security_group_ingress(GroupId=planted.entity["id"], IpPermissions=[itself])
    ec2.create_tags(Resources=[planted.entity["id"]], Tags=[{"Key": "Owner", "Value": "web"}])
    return planted


def _subnet(admin: Admin) -> str:
    return str(admin.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"])


def _worn(admin: Admin) -> Planted:
    planted = _unused(admin)
    admin.client("ec2").create_network_interface(
        SubnetId=_subnet(admin), Groups=[planted.entity["id"]], Description="ELB app/shop"
    )
    return planted


def _default(admin: Admin) -> Planted:
    default = [{"Name": "group-name", "Values": ["default"]}]
    (found,) = admin.client("ec2").describe_security_groups(Filters=default)["SecurityGroups"]
    return Planted(entity={"id": found["GroupId"]})


def scenes() -> list[Scene]:
    return [
        Scene(
            name="unused",
            plant=_unused,
            observe=observe,
            missing=lambda _: missing(),
            when_missing="compliant",
        ),
        Scene(name="worn by an interface", plant=_worn, observe=observe, refusal="ELB app/shop"),
        Scene(name="default group", plant=_default, observe=observe, refusal="sg_rules_delete"),
        Scene(
            name="shared by another account",
            plant=lambda admin: shared(admin, _unused(admin)),
            observe=observe,
            refusal="444455556666",
        ),
    ]


async def test_the_snapshot_is_enough_to_make_the_group_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _unused(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert (await one.fix()).before == Existence(group=None)
    assert isinstance(seen.before, Existence)
    was = seen.before.group
    assert was is not None
    assert (was.name, was.description, was.vpc[:4]) == ("web", "web servers", "vpc-")
    assert was.tags == (("Owner", "web"),)
    assert [(str(rule), rule.description, rule.tags) for rule in was.inbound] == [
        ("tcp 22, 0.0.0.0/0", "bastion", (("team", "web"),)),
        (f"tcp 80, {planted.entity['id']}", "", ()),
    ]
    assert [str(rule) for rule in was.outbound] == ["all traffic, 0.0.0.0/0"]


async def test_groups_that_name_it_and_vpcs_it_serves_are_listed(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _unused(admin)
    ec2, group_id = admin.client("ec2"), planted.entity["id"]
    inward = group(admin, tcp(80, 80, group_id), name="inward").entity["id"]
    outward = group(admin, outbound=(tcp(80, 80, group_id),), name="outward").entity["id"]
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.associate_security_group_vpc(GroupId=group_id, VpcId=vpc)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix) as refused:
            await one.check()
    for user in (f"a rule of {inward}", f"a rule of {outward}", f"association with {vpc}"):
        assert user in str(refused.value)


async def test_long_lists_of_users_are_cut(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _unused(admin)
    for _ in range(7):
        admin.client("ec2").create_network_interface(SubnetId=_subnet(admin), Groups=[planted.entity["id"]])
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="and 2 more: free it"):
            await one.check()


async def test_a_user_nobody_saw_stops_the_deletion(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _unused(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        _worn_now = admin.client("ec2").create_network_interface(
            SubnetId=_subnet(admin), Groups=[planted.entity["id"]]
        )
        with pytest.raises(CannotFix, match="in use by something"):
            await one.bot.run_fix(one.account, one.target, one.params, seen.before)
    assert observe(admin, planted)


async def test_a_group_deleted_meanwhile_is_no_error_and_other_errors_are(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _unused(admin)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        aws.fail(admin.account_id, "ec2:DeleteSecurityGroup", "InvalidParameterValue")
        with pytest.raises(AwsError, match="InvalidParameterValue"):
            await one.bot.run_fix(one.account, one.target, one.params, seen.before)
        admin.client("ec2").delete_security_group(GroupId=planted.entity["id"])
        await one.bot.run_fix(one.account, one.target, one.params, seen.before)
        assert (await one.check()).compliant
