"""Statements of identity policies that allow too much: on everything, or everything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bots._policies import listed, statements


def is_blanket(document: str) -> bool:
    """Whether the policy allows anything on every resource, or on all but some."""
    return any(_on_everything(statement) for statement in _allowing(document))


def allows_every_action(document: str) -> bool:
    """Whether the policy allows every action there is on something."""
    return any("*" in listed(statement.get("Action", [])) for statement in _allowing(document))


def makes_an_administrator(document: str) -> bool:
    """Whether some statement allows all actions, or all of IAM's, on everything and without a condition."""
    return any(
        not statement.get("Condition") and _on_everything(statement) and _has_all_of_iam(statement)
        for statement in _allowing(document)
    )


def allowed_actions(document: str) -> frozenset[str]:
    """Every action the policy's Allow statements name, lower case; "all but …" for NotAction."""
    found: set[str] = set()
    for statement in _allowing(document):
        found.update(str(action).lower() for action in listed(statement.get("Action", [])))
        if others := listed(statement.get("NotAction", [])):
            found.add(f"all but {', '.join(sorted(str(action).lower() for action in others))}")
    return frozenset(found)


def _allowing(document: str) -> Iterable[Mapping[str, Any]]:
    return (statement for statement in statements(document) if statement.get("Effect") == "Allow")


def _on_everything(statement: Mapping[str, Any]) -> bool:
    return "NotResource" in statement or "*" in listed(statement.get("Resource", []))


def _has_all_of_iam(statement: Mapping[str, Any]) -> bool:
    if "NotAction" in statement:
        return not any(_covers_iam(action) for action in listed(statement["NotAction"]))
    return any(_covers_iam(action) for action in listed(statement.get("Action", [])))


def _covers_iam(action: Any) -> bool:
    return bool(re.fullmatch(r"\*+(:\*+)?|iam:\*+", str(action).lower()))
