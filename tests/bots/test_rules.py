"""The arithmetic of rules and of closing a port: whatever the wish, no more is shut than asked, and no less."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bots._closing import Closing, still_open, to_close
from bots._rules import (
    Change,
    Rule,
    Rules,
    cidr,
    contains,
    protocol_name,
    to_drop,
    to_move,
    to_put_back,
    to_restore,
)  # fmt: skip

SCOPE = "0.0.0.0/0"
ICMP = ("icmp", -1)
NETWORKS = (SCOPE, "::/0", "203.0.113.0/24", "2001:db8::/32", "sg-0123456789abcdef0", "pl-0123456789abcdef0")
EDGES = (0, 1, 2, 21, 22, 23, 79, 80, 81, 443, 65534, 65535)


def tcp(low: int, high: int | None = None, **more: object) -> Rule:
    return rule("tcp", low, low if high is None else high, **more)


def rule(protocol: str, low: int = -1, high: int = -1, **more: object) -> Rule:
    fields: dict[str, object] = {"source": SCOPE, "protocol": protocol, "low": low, "high": high, **more}
    return Rule(**fields)  # type: ignore[arg-type]


def group(*rules: Rule) -> Rules:
    return {f"sgr-{number}": each for number, each in enumerate(rules)}


def closing(port: int | None, protocol: str = "TCP", *, split: bool = True, scope: str = SCOPE) -> Closing:
    return Closing(scope=scope, protocol=protocol, port=port, split=split)  # type: ignore[arg-type]


def carried_out(live: Rules, change: Change) -> Rules:
    """What EC2 makes of a group: it refuses unknown ids and second rules for the same."""
    assert set(change.turn) <= set(live)
    assert set(change.drop) <= set(live)
    assert not set(change.turn) & set(change.drop)
    result = {rule_id: each for rule_id, each in live.items() if rule_id not in change.drop}
    result |= change.turn
    result |= {f"new-{number}": each for number, each in enumerate(change.add)}
    keys = [each.key for each in result.values()]
    assert len(keys) == len(set(keys)), "EC2 refuses a duplicate"
    return result


def closed(live: Rules, wish: Closing) -> list[str]:
    return sorted(str(each) for each in carried_out(live, to_close(live, wish)).values())


def texts(*rules: Rule) -> list[str]:
    return sorted(map(str, rules))


# --- what gets through, spelled out point by point, with another arithmetic than the code's


def lets_through(live: Rules) -> set[tuple[str, str, int]]:
    """(source, protocol, port or -1) for every interesting port."""
    found = set()
    for each in live.values():
        for protocol in ("tcp", "udp"):
            for port in EDGES:
                everything = each.protocol == "-1"
                if everything or (each.protocol == protocol and port in range(each.low, each.high + 1)):
                    found.add((each.source, protocol, port))
        icmp = "icmpv6" if ":" in each.source else "icmp"
        if each.protocol in ("-1", icmp) and each.low == -1:
            found.add((each.source, icmp, -1))
    return found


ports = st.sampled_from(EDGES)
ranges = st.tuples(ports, ports).map(sorted)
details = st.fixed_dictionaries(
    {
        "source": st.sampled_from(NETWORKS),
        "description": st.sampled_from(("", "bastion")),
        "tags": st.sampled_from(((), (("team", "web"),))),
    }
)
ported = st.builds(
    lambda protocol, span, more: rule(protocol, span[0], span[1], **more),
    st.sampled_from(("tcp", "udp")),
    ranges | st.just([0, 65535]),
    details,
)
icmps = st.builds(
    lambda kind, more: rule("icmpv6" if ":" in more["source"] else "icmp", *kind, **more),
    st.sampled_from(((-1, -1), (3, 3), (22, 22), (8, -1))),
    details,
)
others = st.builds(
    lambda protocol, more: rule(protocol, **more), st.sampled_from(("-1", "50", "47")), details
)
groups = st.lists(ported | icmps | others, max_size=8, unique_by=lambda each: each.key).map(
    lambda rules: group(*rules)
)
scopes = st.sampled_from([network for network in NETWORKS if "/" in network])
closings = st.builds(
    lambda port, protocol, split, scope: closing(port, protocol, split=split, scope=scope),
    ports,
    st.sampled_from(("TCP", "UDP", "ALL", "*")),
    st.booleans(),
    scopes,
) | st.builds(lambda scope: closing(None, "ALL", split=False, scope=scope), scopes)


def family(wish: Closing) -> tuple[str, ...]:
    return {"TCP": ("tcp",), "UDP": ("udp",), "ALL": ("-1",), "*": ("tcp", "udp", "-1")}[wish.protocol]


@given(groups, closings)
@example(group(tcp(0, 65535), tcp(22), rule("-1")), closing(22, "*"))
@example(group(rule("-1"), tcp(0, 21), tcp(23, 65535)), closing(22, "ALL"))
def test_no_rule_of_the_wished_kind_opens_the_port_afterwards(live: Rules, wish: Closing) -> None:
    result = carried_out(live, to_close(live, wish))
    for each in result.values():
        if each.source != wish.scope or each.protocol not in family(wish):
            continue
        if each.protocol == "-1":
            assert wish.port
            assert not wish.split
            assert wish.protocol == "*"
        else:
            assert (each.low, each.high) != (wish.port, wish.port)
            if wish.split and wish.port:
                assert not each.low <= wish.port <= each.high
            if wish.split and wish.port == 0:
                assert (each.low, each.high) not in ((0, 65535), (1, 65535))


@given(groups, closings)
def test_nothing_gets_through_that_did_not_before(live: Rules, wish: Closing) -> None:
    assert lets_through(carried_out(live, to_close(live, wish))) <= lets_through(live)
    other_protocols = {(each.source, each.protocol) for each in live.values()}
    for each in carried_out(live, to_close(live, wish)).values():
        if each.protocol in ("47", "50", "-1"):
            assert (each.source, each.protocol) in other_protocols


@given(groups, closings)
@example(group(rule("-1")), closing(22, "*"))
def test_splitting_shuts_the_one_port_and_nothing_else(live: Rules, wish: Closing) -> None:
    lost = lets_through(live) - lets_through(carried_out(live, to_close(live, wish)))
    assert all(source == wish.scope for source, _, _ in lost)
    if wish.split and wish.port:
        assert {port for _, _, port in lost} <= {wish.port}
    if wish.protocol in ("TCP", "UDP"):
        assert {protocol for _, protocol, _ in lost} <= {wish.protocol.lower()}


@given(groups, closings)
def test_rules_that_do_not_match_are_not_touched(live: Rules, wish: Closing) -> None:
    change = to_close(live, wish)
    for rule_id in (*change.turn, *change.drop):
        assert live[rule_id].source == wish.scope
        assert live[rule_id].protocol in family(wish)
    kept = set(live.values()) - {live[rule_id] for rule_id in (*change.turn, *change.drop)}
    assert kept <= set(carried_out(live, change).values())


@given(groups, closings)
def test_a_second_look_plans_nothing(live: Rules, wish: Closing) -> None:
    assert not to_close(carried_out(live, to_close(live, wish)), wish)


@given(groups, closings)
def test_remainders_keep_description_and_tags_of_what_they_were_part_of(live: Rules, wish: Closing) -> None:
    change = to_close(live, wish)
    touched = {(live[each].description, live[each].tags) for each in change.turn}
    assert {(each.description, each.tags) for each in change.add} <= touched
    for rule_id, turned in change.turn.items():
        assert (turned.description, turned.tags) == (live[rule_id].description, live[rule_id].tags)


@given(groups, closings)
def test_a_plan_needs_no_more_new_rules_than_remainders_less_one(live: Rules, wish: Closing) -> None:
    change = to_close(live, wish)
    left = [wish.left_of(live[rule_id]) or () for rule_id in change.turn]
    assert len(change.add) <= sum(len(each) - 1 for each in left)


@given(groups, closings)
def test_restoring_brings_back_exactly_the_saved_rules(live: Rules, wish: Closing) -> None:
    fixed = carried_out(live, to_close(live, wish))
    back = carried_out(fixed, to_restore(fixed, live.values()))
    assert set(back.values()) == set(live.values())
    assert not to_restore(back, live.values())


V6 = "2001:db8::/32"
TAGGED_WITHIN_ANOTHER = group(
    Rule(source=V6, protocol="-1", low=-1, high=-1),
    Rule(source=V6, protocol="tcp", low=0, high=65535, tags=(("team", "web"),)),
)


@given(groups, closings)
@example(TAGGED_WITHIN_ANOTHER, closing(1, "*", scope=V6))
def test_restoring_needs_more_room_only_for_rules_whose_tags_nothing_that_goes_has(
    live: Rules, wish: Closing
) -> None:
    fixed = carried_out(live, to_close(live, wish))
    change = to_restore(fixed, live.values())
    # A rule keeps its tags when it is turned, so such a rule has to be made before others go. In a group that is
    # full AWS refuses it, and nothing is changed.
    going = {fixed[rule_id].tags for rule_id in change.drop}
    anew = [rule for rule in change.add if rule.tags not in going]
    assert len(fixed) + len(change.add) - len(anew) <= max(len(live), len(fixed))


@given(groups, closings)
def test_what_is_reported_as_still_open_is_open_and_left_alone(live: Rules, wish: Closing) -> None:
    change = to_close(live, wish)
    gone = {live[rule_id] for rule_id in (*change.turn, *change.drop)}
    for rules in still_open(live, wish).values():
        for each in rules:
            assert each not in gone
            assert any(each == other for other in live.values())


@given(groups, closings)
def test_every_way_the_scope_itself_stays_open_is_reported(live: Rules, wish: Closing) -> None:
    if not wish.port:
        return
    reported = {each for rules in still_open(live, wish).values() for each in rules}
    names = {"TCP": ("tcp",), "UDP": ("udp",)}.get(wish.protocol, ("tcp", "udp"))
    result = set(carried_out(live, to_close(live, wish)).values())
    for each in result & set(live.values()):
        opens = each.protocol == "-1" or (each.protocol in names and each.low <= wish.port <= each.high)
        if each.source == wish.scope and opens:
            assert each in reported


# --- whole rules that move or go


def moves(each: Rule) -> bool:
    return each.is_network and each.covers(22) and not contains("203.0.113.0/24", each.source)


@given(groups)
@example(group(tcp(22), tcp(22, source="::/0"), rule("-1"), tcp(22, source="203.0.113.0/24")))
def test_moving_opens_nothing_to_others_and_leaves_nobody_out_halfway(live: Rules) -> None:
    change = to_move(live, moves, "203.0.113.0/24")
    after = carried_out(live, change)
    assert not any(moves(each) for each in after.values())
    kept = {each for each in live.values() if not moves(each)}
    assert kept <= set(after.values())
    moved = {(each.protocol, each.low, each.high) for each in live.values() if moves(each)}
    for each in set(after.values()) - kept:
        assert each.source == "203.0.113.0/24"
        assert (each.protocol, each.low, each.high) in moved
    assert all(live[rule_id].differs_in_network(turned) for rule_id, turned in change.turn.items())


@given(groups)
def test_what_moved_returns(live: Rules) -> None:
    after = carried_out(live, to_move(live, moves, "203.0.113.0/24"))
    assert set(carried_out(after, to_restore(after, live.values())).values()) == set(live.values())


@given(groups)
def test_what_went_returns_and_nothing_else_is_touched(live: Rules) -> None:
    saved = [each for each in live.values() if moves(each)]
    after = carried_out(live, to_drop(live, moves))
    assert set(after.values()) == set(live.values()) - set(saved)
    assert set(carried_out(after, to_put_back(after, moves, saved)).values()) == set(live.values())


# --- the cases by name


@pytest.mark.parametrize(
    ("live", "port", "left"),
    [
        (tcp(22), 22, []),
        (tcp(0, 65535), 22, [tcp(0, 21), tcp(23, 65535)]),
        (tcp(22, 80), 22, [tcp(23, 80)]),
        (tcp(22, 80), 80, [tcp(22, 79)]),
        (tcp(65534, 65535), 65535, [tcp(65534)]),
        (tcp(65535), 65535, []),
        (tcp(0, 1), 1, [tcp(0)]),
        (tcp(0, 65535), 0, []),
        (tcp(1, 65535), 0, []),
        (tcp(0), 0, []),
        (tcp(0, 1023), 0, [tcp(0, 1023)]),
        (tcp(443), 0, [tcp(443)]),
        (tcp(23, 80), 22, [tcp(23, 80)]),
        (rule("udp", 22, 22), 22, [rule("udp", 22, 22)]),
        (rule("icmp", 22, 22), 22, [rule("icmp", 22, 22)]),
        (rule("-1"), 22, [rule("-1")]),
        (tcp(22, source="::/0"), 22, [tcp(22, source="::/0")]),
        (tcp(22, source="sg-0123456789abcdef0"), 22, [tcp(22, source="sg-0123456789abcdef0")]),
    ],
    ids=str,
)
def test_splitting_tcp_leaves(live: Rule, port: int, left: list[Rule]) -> None:
    assert closed(group(live), closing(port)) == texts(*left)


@pytest.mark.parametrize(
    ("live", "wish", "left"),
    [
        (tcp(22), closing(22, split=False), []),
        (tcp(0, 65535), closing(22, split=False), [tcp(0, 65535)]),
        (tcp(0, 65535), closing(0, split=False), [tcp(0, 65535)]),
        (tcp(0), closing(0, split=False), []),
        (rule("-1"), closing(None, "ALL", split=False), []),
        (rule("-1"), closing(22, "ALL", split=False), []),
        (rule("-1"), closing(22, "*", split=False), [rule("-1")]),
        (rule("-1"), closing(0, "*", split=False), []),
        (rule("-1"), closing(0, "ALL"), []),
        (rule("-1"), closing(22, "TCP", split=False), [rule("-1")]),
        (tcp(22), closing(22, "ALL"), [tcp(22)]),
    ],
)
def test_without_split_or_with_all_traffic_there_remains(live: Rule, wish: Closing, left: list[Rule]) -> None:
    assert closed(group(live), wish) == texts(*left)


@pytest.mark.parametrize(("scope", "icmp"), [(SCOPE, "icmp"), ("::/0", "icmpv6")])
def test_all_traffic_is_carved_into_tcp_udp_and_the_icmp_of_its_family(scope: str, icmp: str) -> None:
    at: dict[str, Any] = {"source": scope}
    assert closed(group(rule("-1", **at)), closing(22, "*", scope=scope)) == texts(
        tcp(0, 21, **at), tcp(23, 65535, **at), rule("udp", 0, 21, **at), rule("udp", 23, 65535, **at),
        rule(icmp, **at),
    )  # fmt: skip


def test_every_rule_that_opens_the_port_is_closed_not_just_the_first() -> None:
    assert closed(group(tcp(22), tcp(0, 65535), tcp(20, 30)), closing(22)) == texts(
        tcp(0, 21), tcp(23, 65535), tcp(20, 21), tcp(23, 30)
    )


def test_a_remainder_that_exists_already_is_not_added_again() -> None:
    change = to_close(group(tcp(0, 65535), tcp(0, 21), tcp(23, 65535)), closing(22))
    assert change == Change(turn={}, drop=("sgr-0",))


def test_two_rules_with_a_common_remainder_give_it_once() -> None:
    live = group(tcp(20, 22), tcp(20, 23))
    assert closed(live, closing(22)) == texts(tcp(20, 21), tcp(23))


def test_a_changed_description_is_put_back_on_the_same_rule() -> None:
    change = to_restore(group(tcp(22, 23), tcp(22, description="new")), [tcp(22, 23), tcp(22)])
    assert change == Change(turn={"sgr-1": tcp(22)})


def test_a_rule_with_other_tags_does_not_become_the_saved_one() -> None:
    change = to_restore(group(tcp(0, 21, tags=(("team", "web"),))), [tcp(0, 65535)])
    assert change == Change(add=(tcp(0, 65535),), turn={}, drop=("sgr-0",))


def test_rules_that_appeared_since_go_when_the_saved_ones_return() -> None:
    assert to_restore(group(tcp(8080)), []) == Change(turn={}, drop=("sgr-0",))


# --- what else lets the port through


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (tcp(22, source="::/0"), "for anywhere in the other address family (::/0)"),
        (rule("-1"), "for the same network by another rule"),
        (tcp(0, 100, source="sg-0123456789abcdef0"), "for members of a group or prefix list"),
        (rule("-1", source="pl-0123456789abcdef0"), "for members of a group or prefix list"),
    ],
)
def test_other_ways_in_are_told(other: Rule, why: str) -> None:
    assert still_open(group(tcp(22), other), closing(22)) == {why: [other]}


@pytest.mark.parametrize(
    "other",
    [
        tcp(23),
        rule("udp", 22, 22),
        rule("icmp", 22, 22),
        rule("50"),
        tcp(22, source="203.0.113.0/24"),
        tcp(22, source="2001:db8::/32"),
    ],
    ids=str,
)
def test_what_does_not_open_the_port_for_the_whole_network_is_not_told(other: Rule) -> None:
    assert still_open(group(tcp(22), other), closing(22)) == {}


def test_a_wider_network_is_told_and_a_wider_range_without_split() -> None:
    narrow = "203.0.113.0/24"
    wider, wide = tcp(22), tcp(0, 100, source=narrow)
    found = still_open(group(wider, wide, tcp(22, source=narrow)), closing(22, split=False, scope=narrow))
    assert found == {
        "for the same network by another rule": [wide],
        "for a network that contains this one": [wider],
    }


def test_for_all_ports_only_rules_open_on_all_ports_are_told() -> None:
    wish = closing(0, "TCP")
    assert still_open(group(tcp(0, 1023, source="::/0"), rule("-1")), wish) == {
        "for the same network by another rule": [rule("-1")]
    }


# --- spellings


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("203.0.113.9/24", "203.0.113.0/24"),
        (" 2001:0DB8:0::1/32 ", "2001:db8::/32"),
        ("::/0", "::/0"),
    ],
)
def test_a_network_has_one_spelling(text: str, same: str) -> None:
    assert cidr(text) == same


@pytest.mark.parametrize(
    "text", ["", "203.0.113.9", "203.0.113.0/255.255.255.0", "300.0.0.0/8", "::/129", "any/0"]
)
def test_what_is_no_network_with_a_mask_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        cidr(text)


PROTOCOLS: Mapping[str, str] = {
    "tcp": "tcp", "TCP": "tcp", "6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "-1": "-1", "all": "-1",
    "50": "50",
}  # fmt: skip


@pytest.mark.parametrize(("text", "name"), PROTOCOLS.items())
def test_a_protocol_has_one_name(text: str, name: str) -> None:
    assert protocol_name(text) == name


def test_rules_compare_by_all_they_are() -> None:
    one = tcp(22, description="a", tags=(("k", "v"),))
    for changed in (
        dataclasses.replace(one, description="b"),
        dataclasses.replace(one, tags=()),
        dataclasses.replace(one, high=23),
        dataclasses.replace(one, source="::/0"),
    ):
        assert changed != one
