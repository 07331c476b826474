"""Rules of a security group as ranges: what closing a port leaves of them, and the way back.

Pure: nothing here calls AWS. All rules given to a function are of one group and one direction.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

EVERYTHING = "-1"  # how AWS writes "all protocols"
LAST_PORT = 65535
ANYWHERE = ("0.0.0.0/0", "::/0")
_NAMES = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": EVERYTHING}
_PORTED = ("tcp", "udp")
_MATCHED = {"TCP": ("tcp",), "UDP": ("udp",), "ALL": (EVERYTHING,), "*": ("tcp", "udp", EVERYTHING)}

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


def protocol_name(text: str) -> str:
    """Lower-case name of the protocols that have one, ``-1`` for all, else the number."""
    return _NAMES.get(text.lower(), text.lower())


@dataclass(frozen=True, slots=True, order=True, kw_only=True)
class Rule:
    """One rule without its id, comparable across a revoke and a new authorize.

    Attributes:
        source: the other end: a network as `cidr` writes it, a group (``sg-``) or a prefix list (``pl-``).
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
        return self.protocol in _PORTED and self.low <= 1 and self.high == LAST_PORT

    def opens(self, protocol: str, port: int) -> bool:
        """Whether ``port`` of tcp or udp gets through."""
        return self.protocol == EVERYTHING or (self.protocol == protocol and self.low <= port <= self.high)

    def within(self, other: Rule) -> bool:
        """Whether ``other`` lets through at least what this rule does."""
        if self.source != other.source:
            return False
        if other.protocol == EVERYTHING:
            return True
        if self.protocol != other.protocol:
            return False
        ported = self.protocol in _PORTED
        return self.key == other.key or (ported and other.low <= self.low and self.high <= other.high)

    def __str__(self) -> str:
        match self.protocol:
            case "-1":
                return f"all traffic, {self.source}"
            case "tcp" | "udp":
                ports = f"{self.low}" if self.low == self.high else f"{self.low}-{self.high}"
                return f"{self.protocol} {ports}, {self.source}"
            case _:
                return f"protocol {self.protocol}, {self.source}"


Rules = Mapping[str, Rule]
"""By rule id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What is to be closed: ``port`` from exactly the network ``scope``.

    Attributes:
        protocol: TCP, UDP: rules of that protocol; ALL: the all-traffic rule; ``*``: all three.
        port: 0 means the rules that are open on all ports; None only for ALL without split.
        split: carve the port out of wider rules; else only rules for exactly this port go.
    """

    scope: str
    protocol: Literal["TCP", "UDP", "ALL", "*"]
    port: int | None
    split: bool

    def left_of(self, rule: Rule) -> tuple[Rule, ...] | None:
        """What must stay open of ``rule``, () if nothing; None if the rule is not touched."""
        if rule.source != self.scope or rule.protocol not in _MATCHED[self.protocol]:
            return None
        if rule.protocol == EVERYTHING:
            return self._left_of_everything(rule)
        assert self.port is not None
        if rule.low == rule.high == self.port:
            return ()
        if not self.split:
            return None
        if self.port == 0:
            return () if rule.all_ports else None
        return tuple(_around(rule, self.port)) if rule.low <= self.port <= rule.high else None

    def _left_of_everything(self, rule: Rule) -> tuple[Rule, ...] | None:
        if not self.port:
            return ()
        if not self.split:
            return () if self.protocol == "ALL" else None
        icmp = "icmpv6" if ":" in rule.source else "icmp"
        ported = (replace(rule, protocol=name, low=0, high=LAST_PORT) for name in _PORTED)
        pieces = [piece for whole in ported for piece in _around(whole, self.port)]
        return (*pieces, replace(rule, protocol=icmp, low=-1, high=-1))

    def concerns(self, rule: Rule) -> bool:
        """Whether ``rule`` opens what is to be closed, for whomever and however wide."""
        names = _PORTED if self.protocol in ("ALL", "*") else (self.protocol.lower(),)
        if self.port:
            return any(rule.opens(name, self.port) for name in names)
        return rule.protocol == EVERYTHING or (rule.protocol in names and rule.all_ports)


def _around(rule: Rule, port: int) -> Iterator[Rule]:
    if rule.low < port:
        yield replace(rule, high=port - 1)
    if port < rule.high:
        yield replace(rule, low=port + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to do to a group. Nothing in it lets through what the rules before it did not.

    Attributes:
        add: new rules.
        turn: id -> what that rule becomes, keeping its id and its tags.
        drop: ids of rules that go.
    """

    add: tuple[Rule, ...] = ()
    turn: Mapping[str, Rule]
    drop: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.add or self.turn or self.drop)


def to_close(live: Rules, closing: Closing) -> Change:
    """How to close it, for all rules that open it.

    The rule that is carved up becomes its first remainder in place: that takes the fewest new rules,
    and of the quota of rules a group may have only those few.
    """
    keys = {rule.key for rule in live.values()}
    add: list[Rule] = []
    turn: dict[str, Rule] = {}
    drop: list[str] = []
    for rule_id, rule in _ordered(live):
        left = closing.left_of(rule)
        if left is None:
            continue
        new = [piece for piece in left if piece.key not in keys]
        keys.update(piece.key for piece in new)
        if new:
            turn[rule_id] = new[0]
            add += new[1:]
        else:
            drop.append(rule_id)
    return Change(add=tuple(add), turn=turn, drop=tuple(drop))


def to_restore(live: Rules, saved: Iterable[Rule]) -> Change:
    """How to make ``live`` the ``saved`` rules again: remainders grow back into what they were part of."""
    wanted = set(saved)
    surplus = {rule_id: rule for rule_id, rule in _ordered(live) if rule not in wanted}
    add: list[Rule] = []
    turn: dict[str, Rule] = {}
    for rule in sorted(wanted - set(live.values())):
        parts = [each for each, piece in surplus.items() if piece.within(rule) and piece.tags == rule.tags]
        # The same rule with another description first: AWS would refuse a second one beside it.
        parts.sort(key=lambda each, key=rule.key: surplus[each].key != key)  # type: ignore[misc]
        if parts:
            turn[parts[0]] = rule
            del surplus[parts[0]]
        else:
            add.append(rule)
    return Change(add=tuple(add), turn=turn, drop=tuple(surplus))


def still_open(live: Rules, closing: Closing) -> dict[str, list[Rule]]:
    """Rules that let the port through although `to_close` leaves them alone, by why they do."""
    found: dict[str, list[Rule]] = {}
    for _, rule in _ordered(live):
        if closing.left_of(rule) is None and closing.concerns(rule):
            why = _why_left(rule, closing.scope)
            if why is not None:
                found.setdefault(why, []).append(rule)
    return found


def _why_left(rule: Rule, scope: str) -> str | None:
    if rule.source.startswith(("sg-", "pl-")):
        return "for members of a group or prefix list"
    if rule.source == scope:
        return "for the same network by another rule"
    if rule.source in ANYWHERE and scope in ANYWHERE:
        return f"for anywhere in the other address family ({rule.source})"
    theirs, ours = ipaddress.ip_network(rule.source), ipaddress.ip_network(scope)
    if theirs.version == ours.version and ours.subnet_of(theirs):  # type: ignore[arg-type]
        return "for a network that contains this one"
    return None


def _ordered(live: Rules) -> list[tuple[str, Rule]]:
    return sorted(live.items(), key=lambda item: (item[1], item[0]))
