"""From a rules file's text to its rules, or to every mistake in it with its line. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from yaml.nodes import MappingNode, Node

from bots._catalogue import Catalogue
from hub.aws import regions
from hub.rules import globs
from hub.rules.bots import read_bots
from hub.rules.guard_model import Patterns, TagPatterns
from hub.rules.model import Effect, Match, Rule, RuleSet, Trust
from hub.rules.nodes import Mistake, Mistakes, compose, did_you_mean, line, shown

E = TypeVar("E", bound=StrEnum)

FILE_KEYS = ("version", "trust_finding_actions", "rules")
RULE_KEYS = ("name", "comment", "match", "action", "bots")
MATCH_KEYS = ("ruleset", "rule", "accounts", "ous", "account_tags", "regions", "entity", "severity")
ENTITY_KEYS = ("id", "name", "type", "tags")
VERSION = "1"
MAX_BYTES = 4 * 1024 * 1024
_Check = Callable[[str], tuple[str, str]]


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


def read(text: str, *, file: str, catalogue: Catalogue) -> Reading:
    """The rules of a file.

    Args:
        file: what the file is called in mistakes and decisions.
        catalogue: the bots there are; bots that rules run are imported.
    """
    mistakes = Mistakes()
    found: RuleSet | None = None
    if len(text) > MAX_BYTES:
        mistakes.add(1, f"it has more than {MAX_BYTES:,} characters", "name accounts by their OUs")
    else:
        root = compose(text, mistakes)
        found = _Reader(mistakes, catalogue).file(root, file) if root is not None else None
    wrong = mistakes.sorted()
    return Reading(file=file, rules=None if wrong else found, mistakes=wrong)


class _Reader:
    def __init__(self, mistakes: Mistakes, catalogue: Catalogue) -> None:
        self._mistakes = mistakes
        self._catalogue = catalogue
        self._names: dict[str, int] = {}

    def file(self, root: Node, file: str) -> RuleSet:
        keys = self._mistakes.mapping(root, "the file", FILE_KEYS)
        if isinstance(root, MappingNode):
            self._version(root, keys.get("version"))
        trust = Trust.ALL
        if (stance := keys.get("trust_finding_actions")) is not None:
            trust = self._word(stance, "trust_finding_actions", Trust, Trust.ALL)
        items = self._mistakes.items(keys["rules"], "rules") if "rules" in keys else []
        return RuleSet(
            file=file,
            trust=trust,
            trust_line=line(stance) if stance is not None else None,
            rules=tuple(self._rule(item, trust) for item in items),
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
        comment = self._required(node, keys, what, "comment", "say why there is this rule, and who wants it")
        effect = Effect.RUN
        if "action" in keys:
            effect = self._word(keys["action"], f"action of {what}", Effect, Effect.RUN)
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
        name = self._required(node, keys, "the rule", "name", "decisions are told by it")
        if name:
            first = self._names.get(name.casefold())
            if first is not None:
                self._mistakes.add(
                    keys["name"], f"there is a rule {shown(name)} already, in line {first}", "rename one"
                )
            self._names.setdefault(name.casefold(), line(node))
        return name

    def _required(self, node: Node, keys: Mapping[str, Node], what: str, key: str, why: str) -> str:
        if key in keys:
            return self._mistakes.text(keys[key], f"{key} of {what}")
        if isinstance(node, MappingNode):
            self._mistakes.add(node, f"{what} has no {key}", why)
        return ""

    def _word(self, node: Node, what: str, words: type[E], otherwise: E) -> E:
        found = self._mistakes.text(node, what)
        if found in list(words):
            return words(found)
        if found:
            self._mistakes.add(node, f"{what} cannot be {shown(found)}", did_you_mean(found, list(words)))
        return otherwise

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
        entity = (
            self._mistakes.mapping(keys["entity"], f"entity of {what}", ENTITY_KEYS)
            if "entity" in keys
            else {}
        )
        return Match(
            rulesets=self._patterns(keys, "ruleset", what),
            rules=self._patterns(keys, "rule", what),
            accounts=self._patterns(keys, "accounts", what, _account),
            ous=tuple(ou.strip("/") for ou in self._patterns(keys, "ous", what)),
            account_tags=self._tags(keys.get("account_tags"), f"account_tags of {what}"),
            regions=tuple(_code(region) for region in self._patterns(keys, "regions", what, _region)),
            entity_ids=self._patterns(entity, "id", what),
            entity_names=self._patterns(entity, "name", what),
            entity_types=self._patterns(entity, "type", what),
            entity_tags=self._tags(entity.get("tags"), f"tags of {what}"),
            severities=self._patterns(keys, "severity", what),
        )

    def _patterns(
        self, keys: Mapping[str, Node], key: str, what: str, check: _Check = lambda _: ("", "")
    ) -> Patterns:
        return self._checked(keys[key], f"{key} of {what}", check) if key in keys else ()

    def _checked(self, node: Node, what: str, check: _Check = lambda _: ("", "")) -> Patterns:
        found = []
        for text, at in self._mistakes.texts(node, what):
            wrong, meant = check(text)
            if not wrong and (bad := globs.wrong_with(text)):
                wrong, meant = f"pattern {shown(text)} {bad}", ""
            if wrong:
                self._mistakes.add(at, f"{what}: {wrong}", meant)
            else:
                found.append(text)
        return tuple(found)

    def _tags(self, node: Node | None, what: str) -> TagPatterns:
        if node is None:
            return ()
        if not isinstance(node, MappingNode) or not node.value:
            self._mistakes.add(node, f"{what} must be tag keys with their values", "as in 'team: payments'")
            return ()
        return tuple(
            (key.value, self._checked(value, f"tag {shown(key.value)} of {what}"))
            for key, value in self._mistakes.pairs(node, what)
        )


def _account(text: str) -> tuple[str, str]:
    if re.fullmatch(r"[0-9]{12}", text):
        return "", ""
    digits = re.sub(r"[\s-]", "", text)
    if re.fullmatch(r"[0-9]{12}", digits):
        return f"account id {shown(text)} is not 12 digits", f"did you mean {digits!r}?"
    if re.fullmatch(r"[0-9]{9,11}", digits):
        # Spreadsheets and YAML's own numbers lose them.
        meant = f"did you mean '{digits:0>12}', with its leading zeros?"
        return f"account id {shown(text)} is not 12 digits", meant
    return f"account id {shown(text)} is not 12 digits", "for several accounts name each, or use ous"


def _region(text: str) -> tuple[str, str]:
    if globs.is_pattern(text):
        return "", ""
    try:
        regions.resolve(text)
    except ValueError as error:
        return str(error), ""
    return "", ""


def _code(text: str) -> str:
    """A region as its code; a pattern as the codes are written."""
    return text.casefold() if globs.is_pattern(text) else regions.resolve(text) or regions.GLOBAL
