"""Scenes of `bots.sg_modify_scope_by_port`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._aws import AwsError
from bots._words import BadWords, parse
from bots.sg_modify_scope_by_port import Wish, bot
from tests.bots.alone import alone
from tests.bots.meddled import Meddled
from tests.bots.scene import Planted, Scene
from tests.bots.security_groups import (
    ANYWHERE,
    ANYWHERE6,
    OFFICE,
    everything,
    group,
    missing,
    observe,
    opened,
    permission,
    rule,
    rules,
    shared,
    tcp,
)
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

ANY_SSH = "22 * 192.0.2.0/24 inbound"
DATABASE = "3306 0.0.0.0/0 10.30.0.0/16 inbound"

pytestmark = pytest.mark.usefixtures("hub_environment")


def _ssh(admin: Admin) -> Planted:
    """Two rules that become one, one of the other family, one inside the new network already."""
    return group(
        admin,
        tcp(22, 22, ANYWHERE, OFFICE, ANYWHERE6, "192.0.2.7/32", description="bastion"),
        tcp(20, 25),
        words=ANY_SSH,
        tags={"team": "ops"},
    )


def _web_out(admin: Admin) -> Planted:
    return group(
        admin,
        outbound=(tcp(443, 443, OFFICE), tcp(443, 443, "10.0.0.0/8")),
        words="443 * 10.0.0.0/8 outbound",
    )


def scenes() -> list[Scene]:
    return [
        Scene(name="any network", plant=_ssh, observe=observe, missing=lambda _: missing(ANY_SSH)),
        Scene(name="outbound, with a twin", plant=_web_out, observe=observe),
        Scene(
            name="shared by another account",
            plant=lambda admin: shared(admin, _ssh(admin)),
            observe=observe,
            refusal="444455556666",
        ),
    ]


@pytest.mark.parametrize(
    ("words", "old", "new"),
    [
        (DATABASE, ANYWHERE, "10.30.0.0/16"),
        ("3306 ::/0 2001:db8::/32 Inbound", ANYWHERE6, "2001:db8::/32"),
        ("direction=inbound changeScopeTo=10.30.0.1/16 change_scope_from=* port=3306", "*", "10.30.0.0/16"),
        ("3306 203.0.113.0/24 198.51.100.0/24 inbound", OFFICE, "198.51.100.0/24"),
    ],
)
def test_words_are_understood_in_every_spelling(words: str, old: str, new: str) -> None:
    wish = parse(Wish, words.split())
    assert (wish.port, wish.change_scope_from, wish.change_scope_to) == (3306, old, new)


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("3306 0.0.0.0/0 10.30.0.0/33 inbound", "change_scope_to"),
        ("3306 0.0.0.0/0 * inbound", "change_scope_to"),
        ("3306 anywhere 10.30.0.0/16 inbound", "change_scope_from"),
        ("3306 10.30.0.0/16 10.0.0.0/8 inbound", "open the port to more"),
        ("3306 10.30.0.0/16 10.30.0.0/16 inbound", "open the port to more"),
        ("3306 ::/0 10.0.0.0/8 inbound", "both networks must be IPv4"),
        ("70000 0.0.0.0/0 10.0.0.0/8 inbound", "port"),
        ("3306 0.0.0.0/0 10.0.0.0/8 in", "direction"),
    ],
)
def test_words_that_would_open_more_or_mean_nothing_are_refused(words: str, about: str) -> None:
    with pytest.raises(BadWords, match=about):
        parse(Wish, words.split())


RULES = [
    "tcp 22 0.0.0.0/0", "tcp 22 192.0.2.0/24", "tcp 22 192.0.2.128/25", "tcp 22 192.0.0.0/16", "tcp 22 ::/0",
    "udp 20-30 0.0.0.0/0", "tcp 23-30 0.0.0.0/0", "icmp 22-22 0.0.0.0/0", "-1 0.0.0.0/0", "50 0.0.0.0/0",
    "tcp 22 sg-0123456789abcdef0", "tcp 22 pl-0123456789abcdef0",
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "moved"),
    [
        (ANY_SSH, ["tcp 22 0.0.0.0/0", "tcp 22 192.0.0.0/16", "tcp 22 ::/0", "udp 20-30 0.0.0.0/0", "-1 0.0.0.0/0"]),
        (
            "22 0.0.0.0/0 192.0.2.0/24 inbound",
            ["tcp 22 0.0.0.0/0", "udp 20-30 0.0.0.0/0", "-1 0.0.0.0/0"],
        ),
        ("22 192.0.0.0/16 192.0.2.0/24 inbound", ["tcp 22 192.0.0.0/16"]),
        ("24 ::/0 2001:db8::/32 inbound", []),
    ],
)  # fmt: skip
def test_only_rules_for_the_old_network_that_open_the_port_move(words: str, moved: list[str]) -> None:
    wish = parse(Wish, words.split())
    assert [text for text in RULES if wish.narrowing.moves(rule(text))] == moved


async def test_a_rule_moves_in_one_step_and_keeps_id_description_and_tags(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = group(admin, tcp(3306, description="shop"), tcp(443), words=DATABASE, tags={"team": "data"})
    (was,) = [each for each in rules(admin, planted.entity["id"]) if each["FromPort"] == 3306]
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
    assert {**was, "CidrIpv4": "10.30.0.0/16"} in rules(admin, planted.entity["id"])
    written = [call.operation for call in aws.calls(admin.account_id) if call.is_write]
    assert written == ["ModifySecurityGroupRules"]


async def test_an_ipv6_rule_moves_in_one_step_and_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = group(admin, tcp(3306, 3306, ANYWHERE6), words="3306 ::/0 2001:db8::/32 inbound")
    was = rules(admin, planted.entity["id"])
    async with alone(bot, aws, admin, planted) as one:
        before = (await one.check()).before
        assert (await one.fix()).compliant
        assert opened(admin, planted) == ["tcp 3306-3306 2001:db8::/32"]
        assert (await one.undo(before)).before == before
    assert rules(admin, planted.entity["id"]) == was


async def test_all_traffic_and_ranges_move_whole_and_rules_inside_stay_narrow(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = group(
        admin, everything(), tcp(0, 1023), tcp(22, 22, "192.0.2.7/32"), permission("icmp", 22, 22, ANYWHERE),
        words=ANY_SSH,
    )  # fmt: skip
    async with alone(bot, aws, admin, planted) as one:
        assert "move whole: all traffic, 0.0.0.0/0; tcp 0-1023, 0.0.0.0/0" in (await one.check()).notes[0]
        assert (await one.fix()).compliant
    assert opened(admin, planted) == [
        "-1 -1--1 192.0.2.0/24", "icmp 22-22 0.0.0.0/0", "tcp 0-1023 192.0.2.0/24", "tcp 22-22 192.0.2.7/32",
    ]  # fmt: skip


async def test_a_move_that_ends_halfway_shuts_out_nobody_who_may_stay(
    aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule of the other family is replaced by one that is added; a later call finds no rights."""
    monkeypatch.setattr("bots._groups.AT_ONCE", 1)
    admin = aws.fresh_account()
    planted = group(admin, tcp(22, 22, ANYWHERE6, "2001:db8::/32"), words=ANY_SSH)
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        ends = iter((False, True))

        def rights_end() -> None:
            if next(ends):
                aws.fail(admin.account_id, "ec2:RevokeSecurityGroupIngress", "UnauthorizedOperation")

        account = Meddled(one.account, "RevokeSecurityGroupIngress", rights_end, times=2)
        with pytest.raises(AwsError, match="UnauthorizedOperation"):
            await one.bot.run_fix(account, one.target, one.params, seen.before)
        assert "tcp 22-22 192.0.2.0/24" in opened(admin, planted)
        assert (await one.fix()).compliant
        assert (await one.undo(seen.before)).before == seen.before


async def test_other_ways_in_are_told(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    friend = group(admin, name="friend").entity["id"]
    planted = group(admin, tcp(3306, 3306, ANYWHERE, ANYWHERE6, friend, "10.30.0.0/16"), words=DATABASE)
    async with alone(bot, aws, admin, planted) as one:
        notes = (await one.check()).notes
    assert [note.rpartition(": ")[2] for note in notes] == [f"tcp 3306, {ANYWHERE6}", f"tcp 3306, {friend}"]
