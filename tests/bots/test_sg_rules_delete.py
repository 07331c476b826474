"""Scenes of `bots.sg_rules_delete`, and what only this bot does."""

from __future__ import annotations

import pytest
from moto.ec2.models import ec2_backends

from bots._bot import CannotFix
from bots.sg_rules_delete import bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.security_groups import (
    ANYWHERE,
    ANYWHERE6,
    OFFICE,
    group,
    missing,
    observe,
    opened,
    permission,
    prefix_list,
    shared,
    tcp,
)
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

pytestmark = pytest.mark.usefixtures("hub_environment")


def _web(admin: Admin) -> Planted:
    """Rules of every kind in both directions, for the group itself too."""
    friend = group(admin, name="friend").entity["id"]
    partners = prefix_list(admin, "198.51.100.0/24")
    planted = group(
        admin,
        tcp(443, 443, ANYWHERE, ANYWHERE6, friend, partners, description="web"),
        permission("icmp", 8, -1, OFFICE),
        permission("50", -1, -1, OFFICE),
        outbound=(tcp(5432, 5432, friend), permission("icmpv6", -1, -1, ANYWHERE6)),
        tags={"team": "web"},
    )
    itself = permission("-1", -1, -1, planted.entity["id"])
    admin.client("ec2").authorize_security_group_ingress(GroupId=planted.entity["id"], IpPermissions=[itself])
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(name="rules of every kind", plant=_web, observe=observe, missing=lambda _: missing()),
        Scene(
            name="shared by another account",
            plant=lambda admin: shared(admin, _web(admin)),
            observe=observe,
            refusal="444455556666",
        ),
    ]


async def test_the_default_group_of_a_vpc_is_emptied_too(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    ec2 = admin.client("ec2")
    (default,) = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])[
        "SecurityGroups"
    ]
    planted = Planted(entity={"id": default["GroupId"]})
    seen = observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        after = await one.fix()
        assert after.compliant
        assert after.why == "no inbound rules, no outbound rules"
        assert (await one.undo(was)).before == was
    assert observe(admin, planted) == seen


async def test_a_group_of_another_account_is_remembered_with_its_account(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    friend = group(admin, name="friend").entity["id"]
    planted = group(admin, tcp(443, 443, friend))
    backend = ec2_backends[admin.account_id]["us-east-1"]
    (inside,) = backend.get_security_group_from_id(planted.entity["id"]).ingress_rules
    # Groups of a peer's VPC are nothing moto knows.
    inside.source_group["UserId"] = inside.source_group["OwnerId"] = "444455556666"
    seen = observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        checked = await one.check()
        assert f"tcp 443, 444455556666/{friend}" in checked.why
        await one.fix()
        assert (await one.undo(checked.before)).before == checked.before
    told = [
        {key: each for key, each in pair.items() if key != "OwnerId"}
        for pair in (
            rule.source_group
            for rule in backend.get_security_group_from_id(planted.entity["id"]).ingress_rules
        )
    ]
    assert told == [{"GroupId": friend, "UserId": "444455556666"}]
    assert len(observe(admin, planted)[0]["rules"]) == len(seen[0]["rules"])


async def test_rules_for_a_group_that_is_gone_cannot_come_back_and_nothing_is_half_done(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    friend = group(admin, name="friend").entity["id"]
    planted = group(admin, tcp(443, 443, friend), tcp(80))
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        admin.client("ec2").delete_security_group(GroupId=friend)
        with pytest.raises(CannotFix, match="does not exist any more"):
            await one.undo(was)
    assert opened(admin, planted) == opened(admin, planted, outbound=True) == []
