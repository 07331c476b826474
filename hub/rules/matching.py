"""Which rules a finding meets. Made once for a set of rules, then asked thousands of times a second.

For every property of a finding a value gives the rules it satisfies (`hub.rules.properties`); what all properties
have in common are the rules that match.

Case does not count in rulesets, rules, severities, regions, types of entities and keys of tags; it does in ids,
names of entities, OUs and values of tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hub.aws import regions
from hub.entity import tags
from hub.model import AccountFacts, Finding
from hub.rules.model import Rule
from hub.rules.properties import Property, TagProperty, numbers

REMEMBERED = 20_000


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
        self._accounts = Property([match.accounts for match in wanted])
        self._rule_names = Property([match.rules for match in wanted], folded=True)
        self._rulesets = Property([match.rulesets for match in wanted], folded=True)
        self._regions = Property([match.regions for match in wanted], folded=True)
        self._severities = Property([match.severities for match in wanted], folded=True)
        self._types = Property([match.entity_types for match in wanted], folded=True)
        self._ous = Property([match.ous for match in wanted])
        # Nearly every finding brings another one, so nothing is remembered.
        self._ids = Property([match.entity_ids for match in wanted], remembers=False)
        self._names = Property([match.entity_names for match in wanted], remembers=False)
        self._entity_tags = TagProperty([match.entity_tags for match in wanted])
        self._account_tags = TagProperty([match.account_tags for match in wanted])
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
        return (self._rules[number] for number in numbers(bits))

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
