"""What a rules file says, once it has been read. All frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from bots._bot import Risk
from hub.rules.guard_model import GuardRules, Patterns, TagPatterns

HIGHEST_TRUSTED = Risk.ACCESS_REMOVAL
"""The most a bot may risk without a rule that allows it."""


class Trust(StrEnum):
    """Whether bots that a finding itself names may run."""

    ALL = "all"  # up to risk access-removal; what hurts more needs a rule that lists it
    LISTED = "listed"  # only those that a matching rule lists
    NONE = "none"  # never; only what rules run


class Effect(StrEnum):
    """What a rule does about a finding it matches."""

    RUN = "run"
    ALLOW = "allow"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a finding must be like; everything that is given must be met.

    Attributes:
        regions: codes, or patterns of codes; "global" for what has no region.
        ous: ids of organizational units or their paths from the top ("Workloads/Prod").
    """

    rulesets: Patterns = ()
    rules: Patterns = ()
    accounts: Patterns = ()
    ous: Patterns = ()
    account_tags: TagPatterns = ()
    regions: Patterns = ()
    entity_ids: Patterns = ()
    entity_names: Patterns = ()
    entity_types: Patterns = ()
    entity_tags: TagPatterns = ()
    severities: Patterns = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBot:
    """A bot by its own name, never an alias. ``words`` are its parameters, None for whatever they are."""

    name: str
    words: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """``line`` is where it begins in the file. ``bots`` None means every bot (refusing rules only)."""

    name: str
    line: int
    comment: str
    effect: Effect
    match: Match
    bots: tuple[RuleBot, ...] | None

    def lists(self, bot: str, words: tuple[str, ...]) -> bool:
        """Whether it speaks about this bot with these parameters."""
        if self.bots is None:
            return True
        return any(each.name == bot and each.words in (None, words) for each in self.bots)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleSet:
    """A whole file. ``trust_line`` is None where the file says nothing about trust."""

    file: str
    trust: Trust = Trust.ALL
    trust_line: int | None = None
    rules: tuple[Rule, ...] = ()
    guards: GuardRules = field(default_factory=GuardRules)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is no mistake, and yet not what the writer will see happen."""
        return tuple(
            f"{self.place(rule)} asks for OUs or tags of accounts, which this hub does not look up yet: "
            + ("it refuses wherever the rest fits" if rule.effect is Effect.REFUSE else "it matches nothing")
            for rule in self.rules
            if rule.match.ous or rule.match.account_tags
        )

    def place(self, rule: Rule) -> str:
        """The rule and where to find it, for people."""
        return f"rule {rule.name!r} ({self.file} line {rule.line})"

    @property
    def trust_place(self) -> str:
        """The stance about findings' own actions and where to find it."""
        if not self.file:
            return f"trust_finding_actions: {self.trust} (nobody wrote rules)"
        where = self.file if self.trust_line is None else f"{self.file} line {self.trust_line}"
        return f"trust_finding_actions: {self.trust} ({where})"
