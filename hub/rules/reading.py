"""From a rules file's text to its rules, or to every mistake in it with its line. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from yaml.nodes import MappingNode, Node

from bots._catalogue import Catalogue
from hub.rules.bots import read_bots
from hub.rules.guard_model import GuardRules
from hub.rules.guard_reading import read_guards
from hub.rules.model import Effect, Match, Rule, RuleSet, Trust
from hub.rules.nodes import Mistake, Mistakes, compose, line, shown
from hub.rules.values import Values

FILE_KEYS = ("version", "trust_finding_actions", "rules", "guards")
RULE_KEYS = ("name", "comment", "match", "action", "bots")
MATCH_KEYS = ("ruleset", "rule", "accounts", "ous", "account_tags", "regions", "entity", "severity")
VERSION = "1"
MAX_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What came of a file: its rules, or None and the mistakes in the order of their lines."""

    file: str
    rules: RuleSet | None
    mistakes: tuple[Mistake, ...] = ()

    @property
    def text(self) -> str:
        """All mistakes for people, a line each: file:line, what is wrong, what was meant."""
        return "\n".join(f"{self.file}:{each.line}: {each.text}" for each in self.mistakes)


def read(text: str, *, file: str, catalogue: Catalogue, today: date | None = None) -> Reading:
    """The rules of a file.

    Args:
        file: what the file is called in mistakes and decisions.
        catalogue: the bots there are; bots that rules run are imported.
        today: in UTC, for remarks about what is over; by the clock if it is left out.
    """
    today = today or datetime.now(UTC).date()
    mistakes = Mistakes()
    found: RuleSet | None = None
    if len(text) > MAX_BYTES:
        mistakes.add(1, f"it has more than {MAX_BYTES:,} characters", "name accounts by their OUs")
    else:
        root = compose(text, mistakes)
        found = _Reader(mistakes, catalogue).file(root, file, today) if root is not None else None
    wrong = mistakes.sorted()
    return Reading(file=file, rules=None if wrong else found, mistakes=wrong)


class _Reader:
    def __init__(self, mistakes: Mistakes, catalogue: Catalogue) -> None:
        self._mistakes = mistakes
        self._catalogue = catalogue
        self._values = Values(mistakes)
        self._names: dict[str, int] = {}

    def file(self, root: Node, file: str, today: date) -> RuleSet:
        keys = self._mistakes.mapping(root, "the file", FILE_KEYS)
        if isinstance(root, MappingNode):
            self._version(root, keys.get("version"))
        trust = Trust.ALL
        if (stance := keys.get("trust_finding_actions")) is not None:
            trust = self._values.word(stance, "trust_finding_actions", tuple(Trust), Trust.ALL)
        guards = GuardRules(file=file)
        if "guards" in keys:
            guards = read_guards(keys["guards"], file, self._mistakes, self._catalogue, today)
        items = self._mistakes.items(keys["rules"], "rules") if "rules" in keys else []
        return RuleSet(
            file=file,
            trust=trust,
            trust_line=line(stance) if stance is not None else None,
            rules=tuple(self._rule(item, trust) for item in items),
            guards=guards,
        )

    def _version(self, root: Node, node: Node | None) -> None:
        if node is None:
            self._mistakes.add(root, "the file has no version", f"write 'version: {VERSION}'")
        elif (found := self._mistakes.text(node, "version")) not in ("", VERSION):
            self._mistakes.add(node, f"version {shown(found)} is not known", f"write 'version: {VERSION}'")

    def _rule(self, node: Node, trust: Trust) -> Rule:
        keys = self._mistakes.mapping(node, "a rule", RULE_KEYS)
        name = self._name(node, keys)
        what = f"rule {shown(name)}" if name else "the rule"
        comment = self._values.required(
            node, keys, what, "comment", "say why there is this rule, and who wants it"
        )
        effect = Effect.RUN
        if "action" in keys:
            effect = self._values.word(keys["action"], f"action of {what}", tuple(Effect), Effect.RUN)
            if effect is Effect.ALLOW and trust is Trust.NONE:
                self._mistakes.add(
                    keys["action"],
                    f"{what} allows what findings name, but trust_finding_actions is none",
                    "say 'listed' there, or 'action: run' here",
                )
        return Rule(
            name=name,
            line=line(node),
            comment=comment,
            effect=effect,
            match=self._match(node, keys.get("match"), what),
            bots=read_bots(keys.get("bots"), node, what, effect, self._mistakes, self._catalogue),
        )

    def _name(self, node: Node, keys: Mapping[str, Node]) -> str:
        name = self._values.required(node, keys, "the rule", "name", "decisions are told by it")
        if name:
            first = self._names.get(name.casefold())
            if first is not None:
                self._mistakes.add(
                    keys["name"], f"there is a rule {shown(name)} already, in line {first}", "rename one"
                )
            self._names.setdefault(name.casefold(), line(node))
        return name

    def _match(self, rule: Node, node: Node | None, what: str) -> Match:
        if node is None:
            if isinstance(rule, MappingNode):
                self._mistakes.add(
                    rule, f"{what} has no match", "say what it is about; 'rule: \"*\"' for everything"
                )
            return Match()
        keys = self._mistakes.mapping(node, f"match of {what}", MATCH_KEYS)
        if not keys and isinstance(node, MappingNode) and not node.value:
            self._mistakes.add(
                node, f"match of {what} is empty", "say what it is about; 'rule: \"*\"' for everything"
            )
        return Match(
            rulesets=self._values.patterns(keys, "ruleset", what),
            rules=self._values.patterns(keys, "rule", what),
            accounts=self._values.accounts(keys, what),
            ous=self._values.ous(keys, what),
            account_tags=self._values.tags(keys, "account_tags", what),
            regions=self._values.regions(keys, what),
            severities=self._values.patterns(keys, "severity", what),
            **self._values.entity(keys, what),
        )
