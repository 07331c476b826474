"""What is open by rules of a security group: which of them go to shut it, which would leave it open.

Pure: nothing here calls AWS. All rules given to a function are of one group and one direction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from bots._rules import EVERYTHING, PORTED, Rule, Rules, cidr, contains


class Opening(Protocol):
    """Something that is to be shut by deleting rules."""

    def takes(self, rule: Rule) -> bool:
        """Whether the rule goes."""
        ...

    def concerns(self, rule: Rule) -> bool:
        """Whether the rule opens what is to be shut, however wide."""
        ...


def parted(live: Rules, opening: Opening) -> tuple[tuple[Rule, ...], list[Rule]]:
    """Rules that go, in a fixed order, and those that stay although they open it, too."""
    going = tuple(sorted(rule for rule in live.values() if opening.takes(rule)))
    staying = [rule for rule in live.values() if not opening.takes(rule) and opening.concerns(rule)]
    return going, staying


@dataclass(frozen=True, slots=True, kw_only=True)
class ToNetwork:
    """Open to the network ``scope``, by a rule for it or for a network around it.

    Attributes:
        port: rules for exactly this port; 0 also means the all-traffic rule; ``*`` all rules, ports or not.
        protocol: as `protocol_name` writes it, ``*`` for any.
    """

    scope: str
    port: int | Literal["*"]
    protocol: str

    def takes(self, rule: Rule) -> bool:
        if not (self._names(rule) and rule.is_network and contains(rule.source, self.scope)):
            return False
        return self.port == "*" or rule.is_just(self.port) or (not self.port and rule.protocol == EVERYTHING)

    def concerns(self, rule: Rule) -> bool:
        """For whomever."""
        if self.port == "*" or self.protocol == EVERYTHING:
            return self._names(rule) or rule.protocol == EVERYTHING
        names = (self.protocol,) if self.protocol in PORTED else PORTED
        return any(rule.opens(name, self.port) for name in names)

    def _names(self, rule: Rule) -> bool:
        either = (self.protocol, rule.protocol) == ("icmp", "icmpv6")
        return self.protocol in ("*", rule.protocol) or either

    def __str__(self) -> str:
        if self.protocol == EVERYTHING:
            return "all traffic"
        port = "every port" if self.port == "*" else f"port {self.port}"
        return f"{port} ({'any protocol' if self.protocol == '*' else self.protocol})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAnyone:
    """Open to anyone but those ``spared``: networks, groups and prefix lists, as `spared` writes them.

    Attributes:
        port: of no matter for protocols without ports.
        protocol: as `protocol_name` writes it.
    """

    port: int
    protocol: str
    spared: tuple[str, ...]

    def takes(self, rule: Rule) -> bool:
        if rule.protocol != self.protocol or self._is_spared(rule):
            return False
        return rule.protocol not in PORTED or rule.is_just(self.port)

    def concerns(self, rule: Rule) -> bool:
        """For anyone who is not spared."""
        if self.protocol in PORTED:
            return rule.opens(self.protocol, self.port) and not self._is_spared(rule)
        return rule.protocol in (self.protocol, EVERYTHING) and not self._is_spared(rule)

    def _is_spared(self, rule: Rule) -> bool:
        if not rule.is_network:
            return rule.source.rpartition("/")[2] in self.spared
        return any(contains(each, rule.source) for each in self.spared if "/" in each)

    def __str__(self) -> str:
        if self.protocol in PORTED:
            return f"{self.protocol} {self.port}"
        return "all traffic" if self.protocol == EVERYTHING else f"protocol {self.protocol}"


def spared(text: str) -> str:
    """The one way to write a network, an address, a group or a prefix list that keeps its access.

    Raises:
        ValueError: it is none of these.
    """
    if re.fullmatch(r"(sg|pl)-[0-9a-f]{8,17}", text):
        return text
    address = text if "/" in text else f"{text}/{128 if ':' in text else 32}"
    return cidr(address)
