"""Scenes of `bots.ec2_quarantine_instance`, and the group 'quarantine' itself."""

from __future__ import annotations

from typing import Any

import pytest

from bots._bot import TryLater
from bots._quarantine_group import TAG
from bots.ec2_quarantine_instance import Connected, bot
from tests.bots.alone import alone
from tests.bots.instances import group, groups_worn, instance, managed_by_aws, missing, vpc, worn
from tests.bots.meddled import Meddled
from tests.bots.scene import Planted, Scene
from tests.bots.security_groups import rules, tcp
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

OURS = {TAG["Key"]: TAG["Value"]}

pytestmark = pytest.mark.usefixtures("hub_environment")


def _web(admin: Admin) -> Planted:
    """Two interfaces in two VPCs, one of them with IPv6, and no quarantine group anywhere."""
    (one, first), (two, second) = vpc(admin, "10.1.0.0/16", ipv6=True), vpc(admin, "10.2.0.0/16")
    groups = group(admin, one, "web"), group(admin, one, "ssh")
    return instance(admin, (first, groups), (second, (group(admin, two, "web"),)))


def _reopened(admin: Admin) -> Planted:
    """In quarantine, but somebody has opened that."""
    one, subnet = vpc(admin, "10.1.0.0/16")
    cell = group(admin, one, "quarantine", OURS)
    admin.client("ec2").authorize_security_group_ingress(GroupId=cell, IpPermissions=[tcp(22)])
    return instance(admin, (subnet, (cell, group(admin, one, "web"))))


def _foreign(admin: Admin) -> Planted:
    one, subnet = vpc(admin, "10.1.0.0/16")
    return instance(admin, (subnet, (group(admin, one, "quarantine"),)))


def scenes() -> list[Scene]:
    return [
        Scene(name="quarantine that was opened", plant=_reopened, observe=worn, missing=lambda _: missing()),
        Scene(name="two VPCs, no group yet", plant=_web, observe=worn),
        Scene(
            name="somebody else's open group", plant=_foreign, observe=worn, refusal="it was not made here"
        ),
        Scene(
            name="interface of a service",
            plant=lambda admin: managed_by_aws(admin, _web(admin)),
            observe=worn,
            refusal="managed by an AWS service",
        ),
    ]


def _cells(admin: Admin) -> list[dict[str, Any]]:
    called = [{"Name": "group-name", "Values": ["quarantine"]}]
    found: list[dict[str, Any]] = admin.client("ec2").describe_security_groups(Filters=called)[
        "SecurityGroups"
    ]
    return found


async def test_every_interface_is_cut_off_by_a_group_without_any_rule_and_returns(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _web(admin)
    seen = worn(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        assert (await one.fix()).compliant
        cells = {cell["VpcId"]: cell for cell in _cells(admin)}
        assert len(cells) == 2
        assert sorted(groups_worn(admin, planted)) == sorted([cell["GroupId"]] for cell in cells.values())
        for cell in cells.values():
            assert TAG in cell["Tags"]
            assert rules(admin, cell["GroupId"]) == []
        await one.undo(was)
        assert worn(admin, planted) == seen
        assert (await one.fix()).compliant
    assert len(_cells(admin)) == 2  # the groups of the first time serve again


async def test_a_quarantine_that_was_opened_is_emptied_for_good_and_its_rules_are_kept_in_the_snapshot(
    aws: FakeAws,
) -> None:
    admin = aws.fresh_account()
    planted = _reopened(admin)
    (cell,) = (each["GroupId"] for each in _cells(admin))
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert isinstance(seen.before, Connected)
        assert [(side, str(rule)) for _, side, rule in seen.before.opened] == [
            ("inbound", "tcp 22, 0.0.0.0/0"),
            ("outbound", "all traffic, 0.0.0.0/0"),
        ]
        assert seen.touches == (("AWS::EC2::SecurityGroup", cell),)
        assert "tcp 22, 0.0.0.0/0" in seen.notes[0]
        assert (await one.fix()).compliant
        back = await one.undo(seen.before)
        assert back.before == bot.expected_after_undo(seen.before)
    assert rules(admin, cell) == []


async def test_an_instance_alone_in_an_opened_quarantine_is_not_safe(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    one, subnet = vpc(admin, "10.1.0.0/16")
    planted = instance(admin, (subnet, (group(admin, one, "quarantine", OURS),)))
    async with alone(bot, aws, admin, planted) as alone_bot:
        assert "which has been opened" in (await alone_bot.check()).why
        assert (await alone_bot.fix()).compliant


async def test_a_group_left_half_made_is_finished_and_is_no_change_to_remember(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    one, subnet = vpc(admin, "10.1.0.0/16", ipv6=True)
    cell = group(admin, one, "quarantine", OURS)
    planted = instance(admin, (subnet, (group(admin, one, "web"),)))
    async with alone(bot, aws, admin, planted) as alone_bot:
        seen = await alone_bot.check()
        assert isinstance(seen.before, Connected)
        assert (seen.before.opened, seen.notes) == ((), ())
        assert seen.touches == (("AWS::EC2::SecurityGroup", cell),)
        assert (await alone_bot.fix()).compliant
    assert rules(admin, cell) == []


async def test_somebody_elses_group_without_rules_is_as_good(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    one, subnet = vpc(admin, "10.1.0.0/16")
    cell = group(admin, one, "quarantine")
    ids = [rule["SecurityGroupRuleId"] for rule in rules(admin, cell)]
    admin.client("ec2").revoke_security_group_egress(GroupId=cell, SecurityGroupRuleIds=ids)
    planted = instance(admin, (subnet, (group(admin, one, "web"),)))
    async with alone(bot, aws, admin, planted) as alone_bot:
        assert (await alone_bot.fix()).compliant
    assert groups_worn(admin, planted) == [[cell]]
    assert [call.operation for call in aws.calls(admin.account_id) if call.is_write and not call.error] == [
        "ModifyNetworkInterfaceAttribute"
    ]


async def test_a_group_somebody_else_makes_at_the_same_time_is_used(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    one, subnet = vpc(admin, "10.1.0.0/16")
    planted = instance(admin, (subnet, (group(admin, one, "web"),)))
    async with alone(bot, aws, admin, planted) as alone_bot:
        seen = await alone_bot.check()
        account = Meddled(
            alone_bot.account, "CreateSecurityGroup", lambda: group(admin, one, "quarantine", OURS)
        )
        await alone_bot.bot.run_fix(account, alone_bot.target, alone_bot.params, seen.before)
        assert (await alone_bot.check()).compliant
    (cell,) = _cells(admin)
    assert groups_worn(admin, planted) == [[cell["GroupId"]]]


async def test_a_group_aws_does_not_show_yet_is_waited_for_with_nothing_cut_off(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _web(admin)
    seen = worn(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        aws.fail(admin.account_id, "ec2:CreateSecurityGroup", "InvalidGroup.Duplicate")
        with pytest.raises(TryLater, match="does not show the new group"):
            await one.fix()
        assert worn(admin, planted) == seen
        assert (await one.fix()).compliant
