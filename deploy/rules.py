"""A template's ``Rules`` worked out beforehand, so that nobody waits for a change set to hear of them.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html
Functions that ask AWS (``Fn::ValueOf`` and its kin) are AWS's to answer; a rule with one is left to it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


class _Unanswerable(Exception):
    """Only AWS knows."""


def broken(rules: Mapping[str, Any], values: Mapping[str, str]) -> list[str]:
    """What the assertions say that do not hold."""
    return [text for rule in rules.values() for text in _broken(rule, values)]


def _broken(rule: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[str]:
    try:
        if "RuleCondition" in rule and not _true(rule["RuleCondition"], values):
            return
        for assertion in rule["Assertions"]:
            if not _true(assertion["Assert"], values):
                yield str(assertion.get("AssertDescription", "a rule of the template does not hold"))
    except _Unanswerable:
        return


def _true(condition: Any, values: Mapping[str, str]) -> bool:
    match condition:
        case {"Fn::Equals": [one, other]}:
            return _value(one, values) == _value(other, values)
        case {"Fn::Not": [one]}:
            return not _true(one, values)
        case {"Fn::And": [*many]}:
            return all(_true(one, values) for one in many)
        case {"Fn::Or": [*many]}:
            return any(_true(one, values) for one in many)
        case {"Fn::Contains": [[*many], one]}:
            return _value(one, values) in [_value(each, values) for each in many]
        case _:
            raise _Unanswerable


def _value(word: Any, values: Mapping[str, str]) -> str:
    match word:
        case {"Ref": str(name)} if name in values:
            return values[name]
        case dict():
            raise _Unanswerable
        case _:
            return str(word)
