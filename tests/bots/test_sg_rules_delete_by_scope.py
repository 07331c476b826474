"""Scenes of `bots.sg_rules_delete_by_scope`, and what only this bot does."""

from __future__ import annotations

from typing import Any

import pytest

from bots._bot import CannotFix
from bots._catalogue import bot_named
from bots._words import BadWords, parse
from bots.sg_rules_delete_by_scope import Wish, bot
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
    prefix_list,
    rule,
    shared,
    tcp,
)  # fmt: skip
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

SQL = "0.0.0.0/0 inbound 1433 TCP"

pytestmark = pytest.mark.usefixtures("hub_environment")


def _database(admin: Admin) -> Planted:
    """Open to the world, tagged, and to everybody else in other ways."""
    return group(
        admin,
        tcp(1433, 1433, ANYWHERE, OFFICE, description="migration"),
        tcp(1000, 2000),
        tcp(1433, 1433, ANYWHERE6),
        words=SQL,
        tags={"team": "data"},
    )


def scenes() -> list[Scene]:
    return [
        Scene(
            name="database open to the world",
            plant=_database,
            observe=observe,
            missing=lambda _: missing(SQL),
        ),
        Scene(
            name="everything outbound",
            plant=lambda admin: group(admin, tcp(80), words="0.0.0.0/0 outbound * *"),
            observe=observe,
        ),
        Scene(
            name="shared by another account",
            plant=lambda admin: shared(admin, _database(admin)),
            observe=observe,
            refusal="444455556666",
        ),
    ]


# --- the words


@pytest.mark.parametrize(
    ("words", "wish"),
    [
        (SQL, ("0.0.0.0/0", "inbound", 1433, "tcp")),
        ("198.51.100.9/24 Inbound * *", ("198.51.100.0/24", "inbound", "*", "*")),
        ("0.0.0.0/0 OUTBOUND 25 *", ("0.0.0.0/0", "outbound", 25, "*")),
        ("0.0.0.0/0 inbound * ALL", ("0.0.0.0/0", "inbound", "*", "-1")),
        ("0.0.0.0/0 inbound 0 all", ("0.0.0.0/0", "inbound", 0, "-1")),
        ("2001:DB8::/32 inbound 53 17", ("2001:db8::/32", "inbound", 53, "udp")),
        ("protocol=ICMP port=* direction=inbound scope=::/0", ("::/0", "inbound", "*", "icmp")),
        ("0.0.0.0/0 inbound * 50", ("0.0.0.0/0", "inbound", "*", "50")),
    ],
)  # fmt: skip
def test_words_are_understood_in_every_spelling(words: str, wish: tuple[Any, ...]) -> None:
    found = parse(Wish, words.split())
    assert (found.scope, found.direction, found.port, found.protocol) == wish


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("0.0.0.0 inbound 22 TCP", "scope"),
        ("0.0.0.0/0 ingress 22 TCP", "direction"),
        ("0.0.0.0/0 inbound 65536 TCP", "port"),
        ("0.0.0.0/0 inbound ssh TCP", "port"),
        ("0.0.0.0/0 inbound 22 TPC", "protocol"),
        ("0.0.0.0/0 inbound 22 256", "protocol"),
        ("0.0.0.0/0 inbound 3 ICMP", "only TCP and UDP have ports"),
        ("0.0.0.0/0 inbound 22 ALL", "only TCP and UDP have ports"),
        ("0.0.0.0/0 inbound 22", "protocol must be given"),
        ("0.0.0.0/0 inbound 22 TCP more", "one too many"),
    ],
)
def test_words_that_fit_no_rule_are_refused(words: str, about: str) -> None:
    with pytest.raises(BadWords, match=about):
        parse(Wish, words.split())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (SQL, "port 1433 (tcp)"),
        ("0.0.0.0/0 inbound * *", "every port (any protocol)"),
        ("0.0.0.0/0 inbound 0 ALL", "all traffic"),
    ],
)
def test_the_report_says_what_was_looked_for(words: str, said: str) -> None:
    assert str(parse(Wish, words.split()).opening) == said


def test_the_variant_for_findings_without_rules_is_the_same_bot() -> None:
    assert bot_named("intelligence_sg_rules_delete_by_scope") is bot


# --- what goes and what stays

RULES = [
    "tcp 22 0.0.0.0/0", "tcp 22 ::/0", "tcp 22 10.0.0.0/8", "tcp 22 10.1.2.3/32", "tcp 22 203.0.113.0/24",
    "tcp 20-30 0.0.0.0/0", "udp 22 0.0.0.0/0", "icmp 22-22 0.0.0.0/0", "icmpv6 ::/0", "50 0.0.0.0/0", "-1 0.0.0.0/0",
    "tcp 22 sg-0123456789abcdef0", "tcp 22 444455556666/sg-0123456789abcdef1", "tcp 22 pl-0123456789abcdef0",
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("0.0.0.0/0 inbound 22 TCP", ["tcp 22 0.0.0.0/0"]),
        ("0.0.0.0/0 inbound 22 *", ["tcp 22 0.0.0.0/0", "udp 22 0.0.0.0/0"]),
        ("::/0 inbound 22 *", ["tcp 22 ::/0"]),
        ("::/0 inbound * ICMP", ["icmpv6 ::/0"]),
        ("::/0 inbound * ICMPv6", ["icmpv6 ::/0"]),
        ("0.0.0.0/0 inbound * icmpv6", []),
        ("0.0.0.0/0 inbound * ICMP", ["icmp 22-22 0.0.0.0/0"]),
        ("0.0.0.0/0 inbound 0 *", ["-1 0.0.0.0/0"]),
        ("0.0.0.0/0 inbound 0 ALL", ["-1 0.0.0.0/0"]),
        ("0.0.0.0/0 inbound * 50", ["50 0.0.0.0/0"]),
        ("10.1.2.3/32 inbound 22 TCP", ["tcp 22 0.0.0.0/0", "tcp 22 10.0.0.0/8", "tcp 22 10.1.2.3/32"]),
        ("10.1.0.0/16 inbound 22 TCP", ["tcp 22 0.0.0.0/0", "tcp 22 10.0.0.0/8"]),
        (
            "203.0.113.0/24 inbound * *",
            [
                "tcp 22 0.0.0.0/0", "tcp 22 203.0.113.0/24", "tcp 20-30 0.0.0.0/0", "udp 22 0.0.0.0/0",
                "icmp 22-22 0.0.0.0/0", "50 0.0.0.0/0", "-1 0.0.0.0/0",
            ],
        ),
    ],
)  # fmt: skip
def test_only_rules_that_contain_the_network_and_fit_go(words: str, gone: list[str]) -> None:
    wish = parse(Wish, words.split())
    assert [text for text in RULES if wish.opening.takes(rule(text))] == gone


async def test_rules_for_groups_and_prefix_lists_stay_and_are_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    friend = group(admin, name="friend").entity["id"]
    partners = prefix_list(admin, "198.51.100.0/24")
    planted = group(
        admin, tcp(1433, 1433, friend, partners), tcp(1000, 2000), tcp(1433, 1433, ANYWHERE6), words=SQL
    )
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant
    notes = "\n".join(seen.notes)
    for told in (friend, partners, "tcp 1000-2000, 0.0.0.0/0", "tcp 1433, ::/0"):
        assert told in notes


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("0.0.0.0/0 inbound 22 TCP", ["tcp 20-30", "-1"]),
        ("0.0.0.0/0 inbound 22 UDP", ["-1"]),
        ("0.0.0.0/0 inbound * TCP", ["tcp 20-30", "tcp 80", "-1"]),
        ("0.0.0.0/0 inbound * ALL", ["-1"]),
        ("0.0.0.0/0 inbound 0 ALL", ["-1"]),
        ("0.0.0.0/0 inbound 22 *", ["tcp 20-30", "-1"]),
        ("0.0.0.0/0 inbound * ICMP", ["icmpv6", "-1"]),
    ],
)
def test_rules_that_open_as_much_from_elsewhere_are_of_concern(words: str, told: list[str]) -> None:
    wish = parse(Wish, words.split())
    rules = [f"{text} ::/0" for text in ("tcp 20-30", "tcp 80", "icmpv6", "50", "-1")]
    assert [text for text in rules if wish.opening.concerns(rule(text))] == [f"{text} ::/0" for text in told]


# --- the way back


async def test_an_undo_forced_over_later_rules_brings_back_exactly_the_old_ones(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = group(admin, tcp(1433), words="203.0.113.0/24 inbound 1433 TCP")
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        admin.client("ec2").authorize_security_group_ingress(
            GroupId=planted.entity["id"], IpPermissions=[tcp(1433, 1433, OFFICE), tcp(443, 443, OFFICE)]
        )
        assert (await one.undo(was)).before == was
    assert opened(admin, planted) == ["tcp 1433-1433 0.0.0.0/0", "tcp 443-443 203.0.113.0/24"]


async def test_a_rule_somebody_put_back_without_its_description_is_not_added_twice(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = group(admin, tcp(1433, description="migration"), words=SQL)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        admin.client("ec2").authorize_security_group_ingress(
            GroupId=planted.entity["id"], IpPermissions=[tcp(1433)]
        )
        assert (await one.undo(was)).before != was
    assert opened(admin, planted) == ["tcp 1433-1433 0.0.0.0/0"]


async def test_more_rules_than_fit_in_one_call_go_and_come_back(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots._groups.AT_ONCE", 2)
    admin = aws.fresh_account()
    planted = group(admin, *(tcp(port) for port in range(1000, 1005)), words="0.0.0.0/0 inbound * TCP")
    seen = observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        assert opened(admin, planted) == []
        await one.undo(was)
    assert observe(admin, planted) == seen
    made = [call.operation for call in aws.calls(admin.account_id) if call.is_write and call.error is None]
    assert made == ["RevokeSecurityGroupIngress"] * 3 + ["AuthorizeSecurityGroupIngress"] * 3


async def test_rules_added_before_a_later_call_fails_are_taken_back(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots._groups.AT_ONCE", 1)
    admin = aws.fresh_account()
    planted = group(admin, tcp(1000), tcp(1001), words="0.0.0.0/0 inbound * TCP")
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        full = [tcp(443, 443, f"10.0.{number}.0/24") for number in range(59)]
        admin.client("ec2").authorize_security_group_ingress(GroupId=planted.entity["id"], IpPermissions=full)
        with pytest.raises(CannotFix, match="no room for 2 more inbound"):
            await one.undo(was)
    assert len(opened(admin, planted)) == 59
