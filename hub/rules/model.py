"""What a rules file says, once it has been read. All frozen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

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


@dataclass(frozen=True, kw_only=True)
class RuleSet:
    """A whole file. ``trust_line`` is None where the file says nothing about trust."""

    file: str
    trust: Trust = Trust.ALL
    trust_line: int | None = None
    rules: tuple[Rule, ...] = ()
    guards: GuardRules = field(default_factory=GuardRules)

    @cached_property
    def needs_ous(self) -> bool:
        """Whether somebody has to look up which OUs accounts are in."""
        return any(ous for _, ous, _ in self._asked_of_accounts())

    @cached_property
    def needs_account_tags(self) -> bool:
        """Whether somebody has to look up the tags of accounts."""
        # Accounts can be exempt by a tag of their own.
        return bool(self.guards.exemptions) or any(tags for _, _, tags in self._asked_of_accounts())

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is no mistake, and yet worth a look: what not every hub can do, and what guards say of themselves."""
        found = []
        for what, lines in (
            ("OUs", [line for line, ous, _ in self._asked_of_accounts() if ous]),
            ("tags", [line for line, _, tags in self._asked_of_accounts() if tags]),
        ):
            if lines:
                found.append(
                    f"{self.file} asks for {what} of accounts, first in line {min(lines)}: a hub has to be able to "
                    "ask AWS Organizations; where it is not, such rules run and allow nothing, and such refusals "
                    "and guards hold"
                )
        return (*found, *self.guards.remarks)

    def _asked_of_accounts(self) -> Iterator[tuple[int, Patterns, TagPatterns]]:
        """Line, OUs and tags of whatever can ask for them."""
        for rule in self.rules:
            yield rule.line, rule.match.ous, rule.match.account_tags
        for section in self.guards.sections.values():
            for entry in section:
                yield entry.line, entry.where.ous, entry.where.account_tags

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
