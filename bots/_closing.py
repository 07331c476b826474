"""Closing one port for one network: what it leaves of wider rules, and what it cannot close.

Pure: nothing here calls AWS. All rules given to a function are of one group and one direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from bots import _rules
from bots._rules import EVERYTHING, LAST_PORT, PORTED, Change, Direction, Rule, Rules

_MATCHED = {"TCP": ("tcp",), "UDP": ("udp",), "ALL": (EVERYTHING,), "*": ("tcp", "udp", EVERYTHING)}


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

    def __str__(self) -> str:
        return f"{f'port {self.port}' if self.port else 'all ports'} ({self.protocol})"

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
        ported = (replace(rule, protocol=name, low=0, high=LAST_PORT) for name in PORTED)
        pieces = [piece for whole in ported for piece in _around(whole, self.port)]
        return (*pieces, replace(rule, protocol=icmp, low=-1, high=-1))

    def concerns(self, rule: Rule) -> bool:
        """Whether ``rule`` opens what is to be closed, for whomever and however wide."""
        names = PORTED if self.protocol in ("ALL", "*") else (self.protocol.lower(),)
        if self.port:
            return any(rule.opens(name, self.port) for name in names)
        return rule.protocol == EVERYTHING or (rule.protocol in names and rule.all_ports)


def _around(rule: Rule, port: int) -> Iterator[Rule]:
    if rule.low < port:
        yield replace(rule, high=port - 1)
    if port < rule.high:
        yield replace(rule, low=port + 1)


def to_close(live: Rules, closing: Closing) -> Change:
    """How to close it, for all rules that open it.

    The rule that is carved up becomes its first remainder in place: that takes the fewest new rules,
    and of the quota of rules a group may have only those few.
    """
    keys = {rule.key for rule in live.values()}
    add: list[Rule] = []
    turn: dict[str, Rule] = {}
    drop: list[str] = []
    for rule_id, rule in _rules.in_order(live):
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


def still_open(live: Rules, closing: Closing) -> dict[str, list[Rule]]:
    """Rules that let the port through although `to_close` leaves them alone, by why they do."""
    left = [rule for rule in live.values() if closing.left_of(rule) is None and closing.concerns(rule)]
    return _rules.ways_left(left, closing.scope)


def closing_notes(live: Rules, closing: Closing, direction: Direction) -> tuple[str, ...]:
    """What a person should know: what stays open all the same, and what is shut besides."""
    notes = tuple(
        f"{closing} stays open {direction} {why}: {_rules.named(others)}"
        for why, others in still_open(live, closing).items()
    )
    carved = [rule for rule in live.values() if closing.left_of(rule)]
    if any(rule.protocol == EVERYTHING for rule in carved):
        notes += ("the all-traffic rule is cut down to TCP, UDP and ICMP; GRE, ESP, AH and others are shut",)
    return notes
