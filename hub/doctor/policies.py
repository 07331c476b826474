"""Whom a resource's or a role's own policy lets do something. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from spoke_role.patterns import covers, listed

Document = Mapping[str, Any]
ANYBODY = "*"
_ACCOUNT = re.compile(r"(?:arn:[a-z-]+:iam::)?(\d{12})(?::root)?")


@dataclass(frozen=True, slots=True)
class Granted:
    """An Allow statement.

    Attributes:
        principals: AWS's names for whom it is about: ARNs, account ids, ``Service sns.amazonaws.com``.
        asked: what must be so, by condition key in small letters: one of these values. Conditions that are
            negated, or hold where the key is absent, ask for nothing.
    """

    principals: tuple[str, ...]
    asked: Mapping[str, tuple[str, ...]]

    @property
    def to_anybody(self) -> bool:
        """Everybody on earth, and nothing is asked."""
        return ANYBODY in self.principals and not self.asked


def granted(document: Document, action: str) -> Iterator[Granted]:
    """Every statement that allows ``action``."""
    for statement in listed(document.get("Statement", [])):
        if statement.get("Effect") == "Allow" and _about(statement, action):
            yield Granted(tuple(_principals(statement)), dict(_asked(statement.get("Condition", {}))))


def refuses_plain_text(document: Document, action: str) -> bool:
    """Whether nobody may do it over a connection without TLS."""
    return any(
        statement.get("Effect") == "Deny"
        and _about(statement, action)
        and ANYBODY in _principals(statement)
        and _texts(
            {key.lower(): each for key, each in statement.get("Condition", {}).get("Bool", {}).items()}.get(
                "aws:securetransport", []
            )
        )
        == ("false",)
        for statement in listed(document.get("Statement", []))
    )


def account_of(name: str) -> str | None:
    """The account that a principal's name means as a whole, None if it means somebody in one."""
    found = _ACCOUNT.fullmatch(name)
    return found[1] if found else None


def _about(statement: Mapping[str, Any], action: str) -> bool:
    return any(covers(each, action, any_case=True) for each in listed(statement.get("Action", [])))


def _asked(conditions: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for operator, keys in conditions.items():
        if re.fullmatch(r"(String|Arn)(Equals|Like|EqualsIgnoreCase)", operator):
            for key, values in keys.items():
                if "*" not in (texts := _texts(values)):
                    yield key.lower(), texts


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in listed(values))


def _principals(statement: Mapping[str, Any]) -> Iterator[str]:
    named = statement.get("Principal")
    if named is None:
        yield ANYBODY  # NotPrincipal: everybody but some
    elif isinstance(named, str):
        yield named
    else:
        for kind, names in named.items():
            yield from (name if kind == "AWS" else f"{kind} {name}" for name in listed(names))
