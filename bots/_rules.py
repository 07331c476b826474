"""Rules of a security group as ranges: what they let through, which of them go or move, and the way back.

Pure: nothing here calls AWS. All rules given to a function are of one group and one direction.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from bots._sentences import some

EVERYTHING = "-1"  # how AWS writes "all protocols"
LAST_PORT = 65535
ANYWHERE = ("0.0.0.0/0", "::/0")
_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": EVERYTHING}
PORTED = ("tcp", "udp")

Direction = Literal["inbound", "outbound"]


def cidr(text: str) -> str:
    """The one way to write a network: host bits cleared, IPv6 compressed.

    Raises:
        ValueError: it is none, or its mask is missing.
    """
    address, slash, mask = text.strip().partition("/")
    if not slash or not mask.isdigit():
        raise ValueError("must be a network with its mask, such as 0.0.0.0/0 or 2001:db8::/32")
    return str(ipaddress.ip_network(f"{address}/{mask}", strict=False))


def contains(wide: str, narrow: str) -> bool:
    """Whether ``wide`` is a network that holds all of the network ``narrow``; never across IPv4 and IPv6."""
    outer, inner = ipaddress.ip_network(wide), ipaddress.ip_network(narrow)
    return outer.version == inner.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def protocol_name(text: str) -> str:
    """Lower-case name of the protocols that have one, ``-1`` for all, else the number."""
    return _NAMES.get(text.lower(), text.lower())


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Rule:
    """One rule without its id, comparable across a revoke and a new authorize.

    Attributes:
        source: the other end: a network as `cidr` writes it, a prefix list (``pl-…``) or a group (``sg-…``,
            with its account in front when it is another one: ``111122223333/sg-…``).
        protocol: as `protocol_name` writes it.
        low, high: ports of tcp and udp, inclusive; type and code of ICMP; -1 where there are none.
        tags: sorted pairs.
    """

    source: str
    protocol: str
    low: int
    high: int
    description: str = ""
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> tuple[str, str, int, int]:
        """What AWS allows once per group and direction."""
        return self.source, self.protocol, self.low, self.high

    @property
    def all_ports(self) -> bool:
        """Open on every port of its protocol; 1-65535 counts, for nothing listens on port 0."""
        return self.protocol in PORTED and self.low <= 1 and self.high == LAST_PORT

    @property
    def is_network(self) -> bool:
        """Not a group and not a prefix list, whose members nobody here knows."""
        return not self.source.rpartition("/")[2].startswith(("sg-", "pl-"))

    def is_just(self, port: int) -> bool:
        """A rule of tcp or udp for this port and no other. Type and code of ICMP are no ports."""
        return self.protocol in PORTED and self.low == self.high == port

    def opens(self, protocol: str, port: int) -> bool:
        """Whether ``port`` of tcp or udp gets through."""
        return self.protocol == EVERYTHING or (self.protocol == protocol and self.low <= port <= self.high)

    def covers(self, port: int) -> bool:
        """Whether ``port`` gets through by tcp or by udp."""
        return any(self.opens(name, port) for name in PORTED)

    def within(self, other: Rule) -> bool:
        """Whether ``other`` lets through at least what this rule does."""
        if self.source != other.source:
            return False
        if other.protocol == EVERYTHING:
            return True
        if self.protocol != other.protocol:
            return False
        ported = self.protocol in PORTED
        return self.key == other.key or (ported and other.low <= self.low and self.high <= other.high)

    def differs_in_network(self, other: Rule) -> bool:
        """Whether ``other`` is the same for another network of the same family. AWS can turn one into the other."""
        alike = (self.protocol, self.low, self.high) == (other.protocol, other.low, other.high)
        both = self.is_network and other.is_network
        return alike and both and (":" in self.source) == (":" in other.source)

    def __str__(self) -> str:
        match self.protocol:
            case "-1":
                return f"all traffic, {self.source}"
            case "tcp" | "udp":
                ports = f"{self.low}" if self.low == self.high else f"{self.low}-{self.high}"
                return f"{self.protocol} {ports}, {self.source}"
            case "icmp" | "icmpv6":
                return f"{self.protocol}, {self.source}"
            case _:
                return f"protocol {self.protocol}, {self.source}"


Rules = Mapping[str, Rule]
"""By rule id."""


def named(rules: Iterable[Rule]) -> str:
    """A few of the rules and how many more, for a sentence."""
    return some(map(str, sorted(rules)), between="; ", last="; ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to do to the rules of one direction: first add, then turn, last drop.

    Attributes:
        add: new rules.
        turn: id -> what that rule becomes, keeping its id and its tags.
        drop: ids of rules that go.
    """

    add: tuple[Rule, ...] = ()
    turn: Mapping[str, Rule] = field(default_factory=dict)
    drop: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.turn or self.drop)


def to_drop(live: Rules, goes: Callable[[Rule], bool]) -> Change:
    """Every rule that ``goes``, whole."""
    return Change(drop=tuple(rule_id for rule_id, rule in in_order(live) if goes(rule)))


def to_put_back(live: Rules, goes: Callable[[Rule], bool], saved: Iterable[Rule]) -> Change:
    """The way back from `to_drop`: of the rules that ``goes``, the ``saved`` ones and no others.

    A rule that is back already, with whatever description and tags, stays: it lets through the same.
    """
    keys = {rule.key: rule for rule in saved}
    there = {rule.key for rule in live.values()}
    return Change(
        add=tuple(rule for key, rule in sorted(keys.items()) if key not in there),
        drop=tuple(each for each, rule in in_order(live) if goes(rule) and rule.key not in keys),
    )


def to_move(live: Rules, moves: Callable[[Rule], bool], scope: str) -> Change:
    """Every rule that ``moves`` becomes one for the network ``scope``, in place where AWS can do that.

    It cannot where IPv4 becomes IPv6 or the other way round; and a rule whose like is there just goes.
    """
    keys = {rule.key for rule in live.values()}
    add: list[Rule] = []
    turn: dict[str, Rule] = {}
    drop: list[str] = []
    for rule_id, rule in in_order(live):
        if not moves(rule):
            continue
        moved = replace(rule, source=scope)
        if moved.key not in keys and moved.differs_in_network(rule):
            turn[rule_id] = moved
        else:
            add += [moved] if moved.key not in keys else []
            drop.append(rule_id)
        keys.add(moved.key)
    return Change(add=tuple(add), turn=turn, drop=tuple(drop))


def to_restore(live: Rules, saved: Iterable[Rule]) -> Change:
    """How to make ``live`` the ``saved`` rules again.

    Remainders grow back into what they were part of, and what was moved to another network returns.
    """
    wanted = set(saved)
    surplus = {rule_id: rule for rule_id, rule in in_order(live) if rule not in wanted}
    add: list[Rule] = []
    turn: dict[str, Rule] = {}
    for rule in sorted(wanted - set(live.values())):
        parts = [
            each
            for each, piece in surplus.items()
            if piece.tags == rule.tags and (piece.within(rule) or piece.differs_in_network(rule))
        ]
        # The same rule with another description first: AWS would refuse a second one beside it.
        parts.sort(key=lambda each, key=rule.key: surplus[each].key != key)  # type: ignore[misc]
        if parts:
            turn[parts[0]] = rule
            del surplus[parts[0]]
        else:
            add.append(rule)
    return Change(add=tuple(add), turn=turn, drop=tuple(surplus))


def ways_left(rules: Iterable[Rule], scope: str) -> dict[str, list[Rule]]:
    """Of rules that stay although they let something through: those that do it for ``scope``, by why."""
    found: dict[str, list[Rule]] = {}
    for rule in sorted(rules):
        why = _why_left(rule, scope)
        if why is not None:
            found.setdefault(why, []).append(rule)
    return found


def _why_left(rule: Rule, scope: str) -> str | None:
    if not rule.is_network:
        return "for members of a group or prefix list"
    if rule.source == scope:
        return "for the same network by another rule"
    if rule.source in ANYWHERE and scope in ANYWHERE:
        return f"for anywhere in the other address family ({rule.source})"
    return "for a network that contains this one" if contains(rule.source, scope) else None


def in_order(live: Rules) -> list[tuple[str, Rule]]:
    """The same order whatever ids AWS gave."""
    return sorted(live.items(), key=lambda item: (item[1], item[0]))
