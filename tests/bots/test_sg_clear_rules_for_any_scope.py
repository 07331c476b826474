"""Scenes of `bots.sg_clear_rules_for_any_scope`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._words import BadWords, parse
from bots.sg_clear_rules_for_any_scope import Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.security_groups import (
    ANYWHERE6,
    OFFICE,
    everything,
    group,
    missing,
    observe,
    opened,
    permission,
    prefix_list,
    rule,
    shared,
    tcp,
)
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

SSH = "22 tcp inbound 10.20.0.0/16"

pytestmark = pytest.mark.usefixtures("hub_environment")


def _bastion(admin: Admin) -> Planted:
    """SSH for one source of every kind, and for two networks that may stay."""
    friend = group(admin, name="friend").entity["id"]
    partners = prefix_list(admin, "198.51.100.0/24")
    sources = (OFFICE, ANYWHERE6, friend, partners, "10.20.0.0/16", "10.20.30.0/24")
    return group(
        admin, tcp(22, 22, *sources, description="bastion"), tcp(0, 1023), words=SSH, tags={"team": "ops"}
    )


def _names_out(admin: Admin) -> Planted:
    return group(admin, outbound=(permission("udp", 53, 53, OFFICE),), words="53 udp outbound")


def scenes() -> list[Scene]:
    return [
        Scene(name="sources of all kinds", plant=_bastion, observe=observe, missing=lambda _: missing(SSH)),
        Scene(name="without a white list", plant=_names_out, observe=observe),
        Scene(
            name="shared by another account",
            plant=lambda admin: shared(admin, _names_out(admin)),
            observe=observe,
            refusal="444455556666",
        ),
    ]


@pytest.mark.parametrize(
    ("words", "protocol", "spared"),
    [
        ("22 tcp inbound", "tcp", ()),
        ("22 TCP Inbound 10.20.0.0/16,192.0.2.10/32", "tcp", ("10.20.0.0/16", "192.0.2.10/32")),
        ("22 6 inbound 192.0.2.10, 2001:db8::1", "tcp", ("192.0.2.10/32", "2001:db8::1/128")),
        ("22 tcp inbound whiteList=10.20.0.5/16", "tcp", ("10.20.0.0/16",)),
        (
            "22 tcp inbound sg-0123456789abcdef0,pl-01234567",
            "tcp",
            ("sg-0123456789abcdef0", "pl-01234567"),
        ),
        ("443 ALL inbound", "-1", ()),
        ("0 50 inbound", "50", ()),
        ("22 tcp inbound exec_function_arn=arn:aws:lambda:x", "tcp", ()),
    ],
)
def test_words_are_understood_in_every_spelling(words: str, protocol: str, spared: tuple[str, ...]) -> None:
    wish = parse(Wish, words.split())
    assert (wish.protocol, wish.direction, wish.white_list) == (protocol, "inbound", spared)


@pytest.mark.parametrize(
    ("words", "about"),
    [
        ("ssh tcp inbound", "port"),
        ("65536 tcp inbound", "port"),
        ("22 tcp up", "direction"),
        ("22 * inbound", "one protocol must be named"),
        ("22 tpc inbound", "protocol"),
        ("3 icmp inbound", "give port 0"),
        ("22 tcp inbound everybody", "white_list"),
        ("22 tcp inbound 10.0.0.0/33", "white_list"),
    ],
)
def test_words_that_could_mean_something_else_are_refused(words: str, about: str) -> None:
    with pytest.raises(BadWords, match=about):
        parse(Wish, words.split())


RULES = [
    "tcp 22 0.0.0.0/0", "tcp 22 10.20.0.0/16", "tcp 22 10.20.30.0/24", "tcp 22 10.0.0.0/8", "tcp 22 ::/0",
    "tcp 22 sg-0123456789abcdef0", "tcp 22 444455556666/sg-0123456789abcdef0", "tcp 22 pl-0123456789abcdef0",
    "tcp 20-30 0.0.0.0/0", "udp 22 0.0.0.0/0", "icmp 22-22 0.0.0.0/0", "icmp 0.0.0.0/0", "-1 0.0.0.0/0",
    "-1 10.20.30.0/24",
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "gone"),
    [
        ("22 tcp inbound", [text for text in RULES if text.startswith("tcp 22 ")]),
        (
            "22 tcp inbound 10.20.0.0/16,sg-0123456789abcdef0",
            ["tcp 22 0.0.0.0/0", "tcp 22 10.0.0.0/8", "tcp 22 ::/0", "tcp 22 pl-0123456789abcdef0"],
        ),
        ("22 udp inbound", ["udp 22 0.0.0.0/0"]),
        ("22 udp inbound 0.0.0.0/0", []),
        ("443 -1 inbound", ["-1 0.0.0.0/0", "-1 10.20.30.0/24"]),
        ("0 all inbound 10.20.0.0/16", ["-1 0.0.0.0/0"]),
        ("0 icmp inbound", ["icmp 22-22 0.0.0.0/0", "icmp 0.0.0.0/0"]),
        ("0 tcp inbound", []),
    ],
)  # fmt: skip
def test_every_source_but_those_on_the_white_list_goes(words: str, gone: list[str]) -> None:
    wish = parse(Wish, words.split())
    assert [text for text in RULES if wish.opening.takes(rule(text))] == gone


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (SSH, "tcp 22 stays open inbound by rules that open more than it: tcp 20-30, 203.0.113.0/24"),
        (
            "0 icmp inbound",
            "protocol icmp stays open inbound by rules that open more than it: all traffic, ::/0",
        ),
    ],
)
async def test_wider_rules_stay_and_are_told(aws: FakeAws, words: str, told: str) -> None:
    admin = aws.fresh_account()
    planted = group(
        admin, tcp(20, 30, OFFICE), tcp(20, 30, "10.20.0.0/24"), everything(ANYWHERE6), words=words
    )
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
    assert seen.compliant
    assert told in seen.notes[0]
    assert "10.20.0.0/24" not in seen.notes[0]


async def test_only_the_all_traffic_rule_goes_whatever_the_port(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = group(admin, tcp(443), words="443 ALL outbound")
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        assert "all traffic is open outbound" in seen.why
        assert (await one.fix()).compliant
    assert opened(admin, planted, outbound=True) == []
    assert opened(admin, planted) == ["tcp 443-443 0.0.0.0/0"]
