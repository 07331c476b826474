"""Values that rules and guards have in common: texts, words, patterns, tags, accounts, OUs, regions, resources."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict, TypeVar

from yaml.nodes import MappingNode, Node

from hub.aws import regions
from hub.rules import globs
from hub.rules.guard_model import Patterns, TagPatterns
from hub.rules.nodes import Mistakes, did_you_mean, shown

ENTITY_KEYS = ("id", "name", "type", "tags")
_Word = TypeVar("_Word", bound=str)
_Check = Callable[[str], tuple[str, str]]
_Keys = Mapping[str, Node]


class EntityPatterns(TypedDict):
    """What a resource must be like, under the names that rules and exemptions keep it."""

    entity_ids: Patterns
    entity_names: Patterns
    entity_types: Patterns
    entity_tags: TagPatterns


class Values:
    """Reads values; what is wrong with them becomes a mistake, and something harmless is read in its place."""

    def __init__(self, mistakes: Mistakes) -> None:
        self._mistakes = mistakes

    def required(self, node: Node, keys: _Keys, what: str, key: str, why: str) -> str:
        """The text of a key that must be there."""
        if key in keys:
            return self._mistakes.text(keys[key], f"{key} of {what}")
        if isinstance(node, MappingNode):
            self._mistakes.add(node, f"{what} has no {key}", why)
        return ""

    def word(self, node: Node, what: str, words: Sequence[_Word], otherwise: _Word) -> _Word:
        """One of these words."""
        found = self._mistakes.text(node, what)
        for each in words:
            if each == found:
                return each
        if found:
            self._mistakes.add(node, f"{what} cannot be {shown(found)}", did_you_mean(found, words))
        return otherwise

    def patterns(self, keys: _Keys, key: str, what: str, check: _Check = lambda _: ("", "")) -> Patterns:
        """One pattern or several. ``check`` says what is wrong with one besides, and what was meant."""
        return self._checked(keys[key], f"{key} of {what}", check) if key in keys else ()

    def accounts(self, keys: _Keys, what: str) -> Patterns:
        return self.patterns(keys, "accounts", what, _account)

    def ous(self, keys: _Keys, what: str) -> Patterns:
        return tuple(ou.strip("/") for ou in self.patterns(keys, "ous", what, _ou))

    def regions(self, keys: _Keys, what: str) -> Patterns:
        return tuple(_code(region) for region in self.patterns(keys, "regions", what, _region))

    def tags(self, keys: _Keys, key: str, what: str) -> TagPatterns:
        if key not in keys:
            return ()
        node, what = keys[key], f"{key} of {what}"
        if not isinstance(node, MappingNode) or not node.value:
            self._mistakes.add(node, f"{what} must be tag keys with their values", "as in 'team: payments'")
            return ()
        return tuple(
            (name.value, self._checked(value, f"tag {shown(name.value)} of {what}"))
            for name, value in self._mistakes.pairs(node, what)
        )

    def entity(self, keys: _Keys, what: str) -> EntityPatterns:
        """What is asked of the resource."""
        found: _Keys = {}
        if (node := keys.get("entity")) is not None:
            found = self._mistakes.mapping(node, f"entity of {what}", ENTITY_KEYS)
            if isinstance(node, MappingNode) and not node.value:
                self._mistakes.add(
                    node, f"entity of {what} is empty", f"give one of {', '.join(ENTITY_KEYS)}"
                )
        return EntityPatterns(
            entity_ids=self.patterns(found, "id", what),
            entity_names=self.patterns(found, "name", what),
            entity_types=self.patterns(found, "type", what),
            entity_tags=self.tags(found, "tags", what),
        )

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


def _ou(text: str) -> tuple[str, str]:
    if text.strip("/"):
        return "", ""
    return f"OU {shown(text)} has no name", "for the whole organization leave ous out"


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
