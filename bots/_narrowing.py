"""Giving rules of a security group another network: which of them move, which others open the port as well.

Pure: nothing here calls AWS. All rules given to a function are of one group and one direction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bots._rules import Direction, Rule, Rules, contains, named, ways_left

ANY = "*"


def refuse_widening(old: str, new: str) -> None:
    """
    Raises:
        ValueError: the network ``new`` would let more through than ``old``, or cannot take its place.
    """
    if old == ANY:
        return
    if (":" in old) != (":" in new):
        raise ValueError("both networks must be IPv4 or both IPv6: one cannot take the place of the other")
    if contains(new, old):
        raise ValueError("the new network must not contain the old one: that would open the port to more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """Rules that let ``port`` through move from the network ``old``, or from any outside ``new``, to ``new``."""

    port: int
    old: str  # `ANY`: all but those inside the new one
    new: str

    def moves(self, rule: Rule) -> bool:
        """Whether the rule gets the new network."""
        if not (rule.covers(self.port) and rule.is_network):
            return False
        return not contains(self.new, rule.source) if self.old == ANY else rule.source == self.old

    def concerns(self, rule: Rule) -> bool:
        """Whether the rule gets the new network or may have got it."""
        return self.moves(rule) or self._is_there(rule)

    def _is_there(self, rule: Rule) -> bool:
        return rule.covers(self.port) and rule.source == self.new

    def notes(self, live: Rules, direction: Direction) -> tuple[str, ...]:
        """By what the port stays open all the same, and what moves besides it."""
        return tuple(self._notes(live, direction))

    def _notes(self, live: Rules, direction: Direction) -> Iterator[str]:
        staying = [rule for rule in live.values() if rule.covers(self.port) and not self.moves(rule)]
        for why, left in ways_left(staying, self.new if self.old == ANY else self.old).items():
            if others := [rule for rule in left if not self._is_there(rule)]:
                yield f"port {self.port} stays open {direction} {why}: {named(others)}"
        if wide := [rule for rule in live.values() if self.moves(rule) and not rule.is_just(self.port)]:
            yield f"rules that open more than port {self.port} move whole: {named(wide)}"
