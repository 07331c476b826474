"""Scenes of `bots.sg_delete_not_matching_cidr`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._words import BadWords, parse
from bots.sg_delete_not_matching_cidr import Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.security_groups import (
    ANYWHERE,
    ANYWHERE6,
    OFFICE,
    everything,
    group,
    missing,
    observe,
    permission,
    prefix_list,
    rule,
    shared,
    tcp,
)
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

DATABASE = "5432 10.40.0.0/16 inbound"

pytestmark = pytest.mark.usefixtures("hub_environment")


def _database(admin: Admin) -> Planted:
    partners = prefix_list(admin, "198.51.100.0/24", "10.40.7.0/24")
    return group(
        admin,
        tcp(5432, 5432, OFFICE, "10.40.0.0/16", "10.40.1.0/24", partners),
        tcp(0, 65535, "10.0.0.0/8"),
        everything(ANYWHERE6),
        tcp(443),
        words=DATABASE,
        tags={"team": "data"},
    )


def _web_out(admin: Admin) -> Planted:
    return group(admin, words="443 192.0.2.0/24 outbound")


def scenes() -> list[Scene]:
    return [
        Scene(
            name="wider, other and IPv6 networks",
            plant=_database,
            observe=observe,
            missing=lambda _: missing(DATABASE),
        ),
        Scene(name="all outbound traffic", plant=_web_out, observe=observe),
        Scene(
            name="shared by another account",
            plant=lambda admin: shared(admin, _web_out(admin)),
            observe=observe,
            refusal="444455556666",
        ),
    ]


@pytest.mark.parametrize(
    ("words", "network"),
    [
        ("5432 10.40.0.9/16 Inbound", "10.40.0.0/16"),
        ("direction=inbound cidr=2001:DB8::/32 port=5432", "2001:db8::/32"),
        ("5432 2001:db8::/32 inbound", "2001:db8::/32"),
    ],
)
def test_words_are_understood_in_every_spelling(words: str, network: str) -> None:
    wish = parse(Wish, words.split())
    assert (wish.port, wish.cidr, wish.direction) == (5432, network, "inbound")


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("5432 10.40.0.0 inbound", "cidr"),
        ("5432 * inbound", "cidr"),
        ("99999 10.40.0.0/16 inbound", "port"),
        ("5432 10.40.0.0/16 both", "direction"),
        ("5432 10.40.0.0/16", "direction must be given"),
    ],
)
def test_words_that_could_mean_something_else_are_refused(words: str, about: str) -> None:
    with pytest.raises(BadWords, match=about):
        parse(Wish, words.split())


@pytest.mark.parametrize(
    ("text", "goes"),
    [
        ("tcp 5432 10.40.0.0/16", False),
        ("tcp 5432 10.40.255.0/24", False),
        ("tcp 5432 10.41.0.0/16", True),
        ("tcp 5432 10.0.0.0/8", True),
        ("tcp 5432 0.0.0.0/0", True),
        ("tcp 5432 ::/0", True),
        ("udp 5432 0.0.0.0/0", True),
        ("tcp 5000-6000 0.0.0.0/0", True),
        ("tcp 5432-6000 0.0.0.0/0", True),
        ("tcp 5000-5432 0.0.0.0/0", True),
        ("tcp 5433-6000 0.0.0.0/0", False),
        ("-1 0.0.0.0/0", True),
        ("-1 10.40.1.0/24", False),
        ("icmp 0-6000 0.0.0.0/0", False),
        ("icmp 0.0.0.0/0", False),
        ("50 0.0.0.0/0", False),
        ("tcp 5432 sg-0123456789abcdef0", False),
        ("tcp 5432 444455556666/sg-0123456789abcdef0", False),
        ("tcp 5432 pl-0123456789abcdef0", False),
    ],
)
def test_what_lets_the_port_through_for_a_network_outside_goes(text: str, goes: bool) -> None:
    assert parse(Wish, DATABASE.split()).takes(rule(text)) is goes


async def test_what_goes_too_far_and_what_cannot_be_judged_is_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    friend = group(admin, name="friend").entity["id"]
    planted = _database(admin)
    admin.client("ec2").authorize_security_group_ingress(
        GroupId=planted.entity["id"],
        IpPermissions=[tcp(5432, 5432, friend), permission("icmp", -1, -1, ANYWHERE)],
    )
    async with alone(bot, aws, admin, planted) as one:
        lists, groups, wide, holding = (await one.check()).notes
        assert "1 of the list's 2 networks lie outside 10.40.0.0/16" in lists
        assert friend in groups
        assert "tcp 0-65535, 10.0.0.0/8; all traffic, ::/0" in wide
        assert holding.endswith(": tcp 0-65535, 10.0.0.0/8")
        after = await one.fix()
        assert after.compliant
        assert after.notes == (lists, groups)
