"""Which rules a finding meets. Made once for a set of rules, then asked thousands of times a second.

A set of rules is a number with a bit for each. For every property of a finding a value gives the bits of
the rules it satisfies, remembered for the values that come again and again (accounts, rules, regions); what
all properties have in common are the rules that match. Words that are written as they are cost a look into
a table; patterns are tried for what the tables left over only.

Case does not count in rulesets, rules, severities, regions, types of entities and keys of tags; it does in ids,
names of entities, OUs and values of tags.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from hub.aws import regions
from hub.entity import tags
from hub.model import AccountFacts, Finding
from hub.rules import globs
from hub.rules.guard_model import Patterns, TagPatterns
from hub.rules.model import Rule

REMEMBERED = 20_000
LONGEST_REMEMBERED = 300


@dataclass(frozen=True, slots=True)
class Matched:
    """Rules in the order of their file. ``unsure`` ones would match if the account were in their OUs or had
    their tags, which is not known."""

    rules: tuple[Rule, ...]
    unsure: tuple[Rule, ...] = ()


class Matcher:
    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        wanted = [rule.match for rule in rules]
        self._accounts = _Property([match.accounts for match in wanted])
        self._rule_names = _Property([match.rules for match in wanted], folded=True)
        self._rulesets = _Property([match.rulesets for match in wanted], folded=True)
        self._regions = _Property([match.regions for match in wanted], folded=True)
        self._severities = _Property([match.severities for match in wanted], folded=True)
        self._types = _Property([match.entity_types for match in wanted], folded=True)
        self._ous = _Property([match.ous for match in wanted])
        # Nearly every finding brings another one, so nothing is remembered.
        self._ids = _Property([match.entity_ids for match in wanted], remembers=False)
        self._names = _Property([match.entity_names for match in wanted], remembers=False)
        self._entity_tags = _TagProperty([match.entity_tags for match in wanted])
        self._account_tags = _TagProperty([match.account_tags for match in wanted])
        self._codes: dict[str, str] = {}

    def matching(self, finding: Finding, facts: AccountFacts) -> Matched:
        """The rules that this finding meets, and those nobody can tell of."""
        entity = finding.entity
        kind = entity.get("type")
        among = self._accounts.met(finding.account_id)
        among = self._rule_names.met(finding.rule, finding.rule_id, among=among)
        among = self._rulesets.met(finding.ruleset, among=among)
        among = self._regions.met(self._code(finding.region), among=among)
        among = self._severities.met(finding.severity, among=among)
        among = self._types.met(kind if isinstance(kind, str) else "", among=among)
        among = self._ids.met(finding.entity_id or "", among=among)
        among = self._names.met(finding.entity_name or "", among=among)
        if among & self._entity_tags.wanting:
            among = self._entity_tags.met(tags(entity), among)
        unsure = 0
        if facts.ous is not None:
            among = self._ous.met(*facts.ous, among=among)
        else:
            unsure |= among & self._ous.wanting
        if facts.tags is not None:
            among = self._account_tags.met(facts.tags.items(), among)
        else:
            unsure |= among & self._account_tags.wanting
        return Matched(tuple(self._of(among & ~unsure)), tuple(self._of(among & unsure)))

    def _of(self, bits: int) -> Iterator[Rule]:
        while bits:
            lowest = bits & -bits
            yield self._rules[lowest.bit_length() - 1]
            bits ^= lowest

    def _code(self, region: str) -> str:
        known = self._codes.get(region)
        if known is None:
            if len(self._codes) >= REMEMBERED:
                self._codes.clear()
            try:
                known = regions.resolve(region) or regions.GLOBAL
            except ValueError:
                known = region.strip()
            self._codes[region] = known
        return known


class _Property:
    """One property of findings: which rules ask what of it."""

    def __init__(self, wanted: Sequence[Patterns], *, folded: bool = False, remembers: bool = True) -> None:
        self._folded = folded
        self._remembers = remembers
        self._exact: dict[str, int] = {}
        by_pattern: dict[str, int] = {}
        self._everybody = (1 << len(wanted)) - 1
        self.wanting = 0
        """The rules that ask for something."""
        for number, patterns in enumerate(wanted):
            bit = 1 << number
            for pattern in patterns:
                text = pattern.casefold() if folded else pattern
                table = by_pattern if globs.is_pattern(text) else self._exact
                table[text] = table.get(text, 0) | bit
                self.wanting |= bit
        # To look for a plain text first is many times cheaper than to try the pattern.
        self._patterns = [
            (globs.literal(text), globs.compiled(text), bits) for text, bits in by_pattern.items()
        ]
        self._known: dict[str, int] = {}

    def met(self, *values: str, among: int | None = None) -> int:
        """Those of the rules that one of these values satisfies, or that ask for nothing."""
        among = self._everybody if among is None else among
        asking = among & self.wanting
        if not asking:
            return among
        found = 0
        for value in values:
            found |= self._by(value, asking)
        return among & (found | ~self.wanting)

    def _by(self, value: str, asking: int) -> int:
        if not self._remembers or len(value) > LONGEST_REMEMBERED:
            return self._looked_up(value, asking)
        known = self._known.get(value)
        if known is None:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            known = self._known[value] = self._looked_up(value, self.wanting)
        return known

    def _looked_up(self, value: str, asking: int) -> int:
        if self._folded:
            value = value.casefold()
        found = self._exact.get(value, 0)
        for plain, pattern, bits in self._patterns:
            if plain in value and bits & asking & ~found and pattern.match(value):
                found |= bits
        return found


class _TagProperty:
    """Tags: every key a rule names must be there with a value that fits."""

    def __init__(self, wanted: Sequence[TagPatterns]) -> None:
        self._tests: list[tuple[int, tuple[tuple[str, tuple[re.Pattern[str], ...]], ...]]] = []
        self.wanting = 0
        for number, asked in enumerate(wanted):
            if asked:
                tests = tuple((key.casefold(), _compiled(patterns)) for key, patterns in asked)
                self._tests.append((1 << number, tests))
                self.wanting |= 1 << number

    def met(self, found: Iterable[tuple[str, str]], among: int) -> int:
        values: dict[str, list[str]] = {}
        for key, value in found:
            values.setdefault(key.casefold(), []).append(value)
        for bit, tests in self._tests:
            if among & bit and not all(_any(patterns, values.get(key, ())) for key, patterns in tests):
                among &= ~bit
        return among


def _compiled(patterns: Patterns) -> tuple[re.Pattern[str], ...]:
    return tuple(globs.compiled(pattern) for pattern in patterns)


def _any(patterns: Sequence[re.Pattern[str]], values: Iterable[str]) -> bool:
    return any(pattern.match(value) for value in values for pattern in patterns)
