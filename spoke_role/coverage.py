"""What policy documents let the bots do, and in what they differ from the documents they should be. Pure.

Expected documents are written for CloudFormation's ``Fn::Sub``; what a name in them stands for is filled in
where it is known, and may be anything where it is not.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bots._bot import AnyBot
from bots._grants import Grant, grants, session_of
from spoke_role.patterns import covers, listed

Document = Mapping[str, Any]
_NAME = re.compile(r"\$\{([A-Za-z:]+)\}")


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One action on one resource, of a policy statement. ``action`` and ``resource`` begin with ``not ``
    where the statement means all others; ``condition`` is JSON, "" for none."""

    effect: str
    action: str
    resource: str
    condition: str = ""

    def __str__(self) -> str:
        condition = f" if {self.condition}" if self.condition else ""
        return f"{self.effect} {self.action} on {self.resource}{condition}"


def rules(documents: Iterable[Document]) -> frozenset[Rule]:
    """All that the documents say, one action and one resource each."""
    return frozenset(rule for document in documents for rule in _rules(document))


def _rules(document: Document) -> Iterator[Rule]:
    for statement in listed(document.get("Statement", [])):
        condition = _condition(statement.get("Condition"))
        for action in _either(statement, "Action"):
            for resource in _either(statement, "Resource"):
                yield Rule(statement["Effect"], action, resource, condition)


def _either(statement: Mapping[str, Any], name: str) -> list[str]:
    if name in statement:
        return [str(value) for value in listed(statement[name])]
    # All values together: to leave out one or the other is not the same as leaving out both.
    return ["not " + ", ".join(sorted(map(str, listed(statement.get(f"Not{name}", [])))))]


def _condition(condition: Mapping[str, Mapping[str, Any]] | None) -> str:
    if not condition:
        return ""
    plain = {
        operator: {key: sorted(map(_text, listed(values))) for key, values in keys.items()}
        for operator, keys in condition.items()
    }
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def _text(value: Any) -> str:
    # IAM takes a bare true for "true", and keeps documents as they were written.
    return str(value).lower() if isinstance(value, bool) else str(value)


class Allowed:
    """What is allowed, ready to be asked about many actions."""

    def __init__(self, said: Iterable[Rule]) -> None:
        self._allowed: dict[str, list[Rule]] = defaultdict(list)
        self._denied: list[Rule] = []
        self._kept_to: list[tuple[str, ...]] = []  # patterns of the only sessions that are not denied all
        for rule in said:
            if rule.effect == "Allow":
                exact = not re.search(r"[*? ]", rule.action)
                self._allowed[rule.action.lower() if exact else ""].append(rule)
            elif not rule.condition:
                self._denied.append(rule)
            elif sessions := _sessions(rule):
                self._kept_to.append(sessions)
            # Any other Deny under a condition, or on some resources, leaves the rest allowed.

    def lacking(self, bots: Iterable[AnyBot], *, partition: str, account: str) -> dict[str, tuple[str, ...]]:
        """Of each bot that is not allowed all it declares: the actions it lacks."""
        found = {bot.name: tuple(self._lacks(bot, partition, account)) for bot in bots}
        return {name: actions for name, actions in found.items() if actions}

    def _lacks(self, bot: AnyBot, partition: str, account: str) -> Iterator[str]:
        user = f"id:{session_of(bot.name)}.0"
        if not all(any(covers(each, user) for each in sessions) for sessions in self._kept_to):
            yield from map(str, bot.actions)
            return
        yield from self.without(grants([bot]), partition=partition, account=account)

    def without(self, wanted: Iterable[Grant], *, partition: str, account: str) -> Iterator[str]:
        """The actions of these grants that are not allowed on all that the grant names."""
        for grant in wanted:
            resources = grant.on(partition=partition, account=account)
            for action in grant.actions:
                if not all(self._has(grant, action, resource) for resource in resources):
                    yield str(action)

    def _has(self, grant: Grant, action: str, resource: str) -> bool:
        # A condition that the bot's own grant has, too, is no narrower than what the bot declares.
        conditions = ("", _condition(grant.condition))
        candidates = [*self._allowed.get(action.lower(), ()), *self._allowed.get("", ())]
        return any(
            rule.condition in conditions and _about(rule.action, action) and _about(rule.resource, resource)
            for rule in candidates
        ) and not any(
            _about(rule.action, action) and _about(rule.resource, resource) for rule in self._denied
        )


def _sessions(rule: Rule) -> tuple[str, ...]:
    """Of a role that was made for some of the bots: the sessions it was made for; () of any other Deny."""
    match json.loads(rule.condition):
        case {"StringNotLike": {"aws:userid": [*patterns]}} if rule.action.startswith("not "):
            return tuple(map(str, patterns))
    return ()


def _about(pattern: str, text: str) -> bool:
    """Actions know no letter case, and ARNs that differ in it alone are not met with."""
    if pattern.startswith("not "):
        return not any(_touches(each, text) for each in pattern.removeprefix("not ").split(", "))
    return covers(pattern, text, any_case=True)


def _touches(pattern: str, text: str) -> bool:
    return covers(pattern, text, any_case=True) or covers(text, pattern, any_case=True)


@dataclass(frozen=True, slots=True)
class Drift:
    """In what documents differ from the expected ones."""

    added: tuple[str, ...]
    gone: tuple[str, ...]


def drift(found: frozenset[Rule], expected: Sequence[Document], known: Mapping[str, str]) -> Drift:
    """What the documents say beyond the expected ones, and what of those they do not say.

    Args:
        known: what names stand for: ``AWS::Partition`` -> ``aws``.
    """
    added, gone = set(found), set[Rule]()
    for rule in rules(expected):
        filled = Rule(rule.effect, rule.action, _filled(rule.resource, known), _filled(rule.condition, known))
        if filled in found:
            added.discard(filled)
            continue
        # Some name in it is not known here: whatever stands in its place is right.
        same = {each for each in found if _NAME.search(str(filled)) and _fits(filled, each)}
        added -= same
        if not same:
            gone.add(filled)
    return Drift(tuple(map(str, sorted(added))), tuple(map(str, sorted(gone))))


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _NAME.sub(lambda name: known.get(name[1], name[0]), text)


def _fits(wanted: Rule, have: Rule) -> bool:
    if (wanted.effect, wanted.action) != (have.effect, have.action):
        return False
    pairs = ((wanted.resource, have.resource), (wanted.condition, have.condition))
    return all(_open(text).fullmatch(real) for text, real in pairs)


def _open(text: str) -> re.Pattern[str]:
    return re.compile(".+".join(map(re.escape, _NAME.split(text)[::2])))
