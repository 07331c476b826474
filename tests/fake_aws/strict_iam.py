"""Reads IAM policies as AWS documents them: who may do what to what, and when. Pure, no server needed.

moto checks action names only, and some of those wrongly. This evaluator knows wildcards and letter
case, Resource and NotResource, NotAction, every kind of condition operator, principals of trust and
resource policies, and combines identity policies, permissions boundary and session policies.
An operator it does not know is an error, never a silent yes or no.
"""

from __future__ import annotations

import functools
import ipaddress
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

Context = Mapping[str, str | tuple[str, ...]]
NOTHING_NARROWER = "*"  # the resource of calls that AWS authorises on no resource in particular


class Word(Enum):
    """What a policy says of a request."""

    ALLOW = "allow"
    DENY = "explicit deny"
    SILENT = "implicit deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One action on one resource.

    ``resource`` is an ARN, ``*`` when the action knows none, or None when the test side could not
    tell: then only Allow statements for ``*`` match, but every Deny does, so doubt is never a yes.
    """

    action: str
    resource: str | None
    context: Context = field(default_factory=dict)


@functools.lru_cache(maxsize=4096)
def _pattern(text: str) -> re.Pattern[str]:
    parts = re.split(r"([*?])", text)
    return re.compile("".join({"*": ".*", "?": "."}.get(part, re.escape(part)) for part in parts), re.DOTALL)


def matches(pattern: str, value: str, *, any_case: bool = False) -> bool:
    """Whether the whole value fits a pattern with ``*`` and ``?``."""
    if any_case:
        pattern, value = pattern.lower(), value.lower()
    return _pattern(pattern).fullmatch(value) is not None


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@functools.lru_cache(maxsize=1024)
def _statements(document: str) -> tuple[dict[str, Any], ...]:
    return tuple(_listed(json.loads(document)["Statement"]))


def spoken(documents: Iterable[str], request: Request, *, principals: Sequence[str] | None = None) -> Word:
    """What all statements of the documents together say.

    Args:
        documents: policies as JSON.
        principals: for resource and trust policies: every name the caller answers to.
    """
    word = Word.SILENT
    for document in documents:
        for statement in _statements(document):
            deny = statement["Effect"] == "Deny"
            if (
                _about_action(statement, request.action)
                and _about_resource(statement, request, deny=deny)
                and (principals is None or _about_principal(statement, principals))
                and conditions_hold(statement.get("Condition", {}), request.context)
            ):
                if deny:
                    return Word.DENY
                word = Word.ALLOW
    return word


def _about_action(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(matches(name, action, any_case=True) for name in _listed(statement["NotAction"]))
    return any(matches(name, action, any_case=True) for name in _listed(statement["Action"]))


def _about_resource(statement: Mapping[str, Any], request: Request, *, deny: bool) -> bool:
    if "Resource" not in statement and "NotResource" not in statement:
        return True  # trust policies name no resource
    if request.resource is None:
        return deny or "*" in _listed(statement.get("Resource", []))
    excluded = "NotResource" in statement
    patterns = _listed(statement["NotResource" if excluded else "Resource"])
    patterns = [_filled_in(pattern, request.context) for pattern in patterns]
    return any(matches(pattern, request.resource) for pattern in patterns) != excluded


def _about_principal(statement: Mapping[str, Any], names: Sequence[str]) -> bool:
    def named(element: Any) -> bool:
        if element == "*":
            return True
        wanted = _listed(element.get("AWS", [])) if isinstance(element, dict) else []
        return any(principal == "*" or principal in names for principal in wanted)

    if "NotPrincipal" in statement:
        return not named(statement["NotPrincipal"])
    return "Principal" in statement and named(statement["Principal"])


def _filled_in(text: str, context: Context) -> str:
    """Policy variables such as ``${aws:username}``; unknown ones match nothing."""

    def value(found: re.Match[str]) -> str:
        key, _, default = found[1].partition(",")
        have = _of(context, key.strip())
        return have if isinstance(have, str) else default.strip(" '") or "\0"

    return re.sub(r"\$\{([^}*?$]+)\}", value, text)


def _of(context: Context, key: str) -> str | tuple[str, ...] | None:
    """Condition keys are compared without regard to case, except the tag keys after the slash."""
    head, slash, tail = key.partition("/")
    return next(
        (
            value
            for name, value in context.items()
            if name.partition("/")[0].lower() == head.lower() and name.partition("/")[1:] == (slash, tail)
        ),
        None,
    )


def conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """All operators and all keys must hold; the values of one key are alternatives."""
    return all(
        _holds(operator, [str(value) for value in _texts(wanted)], _of(context, key), context)
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _texts(value: Any) -> list[str]:
    return [str(item).lower() if isinstance(item, bool) else str(item) for item in _listed(value)]


def _holds(operator: str, wanted: list[str], have: str | tuple[str, ...] | None, context: Context) -> bool:
    quantifier, _, name = operator.rpartition(":")
    if_exists = name.endswith("IfExists")
    name = name.removesuffix("IfExists")
    if name == "Null":
        return (have in (None, ())) == (wanted[0].lower() == "true")
    negative = "Not" in name
    if have is None or (not quantifier and have == ()):
        # An absent key fails a positive test and passes a negative one; ForAllValues passes as well.
        return if_exists or negative or quantifier == "ForAllValues"
    values = have if isinstance(have, tuple) else (have,)
    wanted = [_filled_in(text, context) for text in wanted]

    def one(value: str) -> bool:
        return any(_compare(name, text, value) for text in wanted) != negative

    if quantifier == "ForAllValues":
        return all(one(value) for value in values)
    if quantifier in ("", "ForAnyValue"):
        return any(one(value) for value in values)
    raise ValueError(f"unknown set operator in condition operator {operator!r}")


def _compare(name: str, wanted: str, have: str) -> bool:
    """The positive form of the operator on one pair; the caller turns it round for the negative ones."""
    match name:
        case "StringEquals" | "StringNotEquals" | "BinaryEquals":
            return wanted == have
        case "StringEqualsIgnoreCase" | "StringNotEqualsIgnoreCase" | "Bool":
            return wanted.lower() == have.lower()
        case "StringLike" | "StringNotLike":
            return matches(wanted, have)
        case "ArnEquals" | "ArnLike" | "ArnNotEquals" | "ArnNotLike":
            return _arn_matches(wanted, have)
        case "NumericEquals" | "NumericNotEquals":
            return float(wanted) == float(have)
        case "NumericLessThan" | "NumericLessThanEquals" | "NumericGreaterThan" | "NumericGreaterThanEquals":
            return _ordered(name.removeprefix("Numeric"), float(have), float(wanted))
        case "DateEquals" | "DateNotEquals":
            return _moment(wanted) == _moment(have)
        case "DateLessThan" | "DateLessThanEquals" | "DateGreaterThan" | "DateGreaterThanEquals":
            return _ordered(name.removeprefix("Date"), _moment(have), _moment(wanted))
        case "IpAddress" | "NotIpAddress":
            return ipaddress.ip_address(have) in ipaddress.ip_network(wanted, strict=False)
        case _:
            raise ValueError(f"unknown condition operator {name!r}")


def _arn_matches(wanted: str, have: str) -> bool:
    """Each of the six parts on its own, so that a star does not swallow colons of other parts."""
    patterns, parts = wanted.split(":", 5), have.split(":", 5)
    return len(patterns) == len(parts) == 6 and all(map(matches, patterns, parts))


def _ordered(how: str, have: float, wanted: float) -> bool:
    match how:
        case "LessThan":
            return have < wanted
        case "LessThanEquals":
            return have <= wanted
        case "GreaterThan":
            return have > wanted
        case _:
            return have >= wanted


def _moment(text: str) -> float:
    if re.fullmatch(r"\d+", text):
        return float(text)
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Everything that limits one caller. None means that there is no such limit."""

    identity: tuple[str, ...]
    boundary: str | None = None
    session: tuple[str, ...] | None = None
    arns: Mapping[str, str] = field(
        default_factory=dict
    )  # of the managed policies among ``identity``, by text
    service_control: tuple[tuple[str, ...], ...] = ()  # one tuple per level of the organization

    def say(self, request: Request) -> Word:
        """All limits must allow; one explicit deny anywhere ends it."""
        words = [spoken(layer, request) for _, layer in self._layers()]
        if Word.DENY in words:
            return Word.DENY
        return Word.ALLOW if all(word is Word.ALLOW for word in words) else Word.SILENT

    def why(self, request: Request) -> tuple[str, str]:
        """Of a request that is not allowed: the kind of policy that is to blame, and the policy that denies.

        "" where there is none: every kind allows, or no single policy denies.
        """
        heard = [(kind, layer, spoken(layer, request)) for kind, layer in self._layers()]
        for kind, layer, word in heard:
            if word is Word.DENY:
                return kind, next(text for text in layer if spoken([text], request) is Word.DENY)
        return next((kind for kind, _, word in heard if word is Word.SILENT), ""), ""

    def _layers(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        yield "identity-based policy", self.identity
        for level in self.service_control:
            yield "service control policy", level
        if self.boundary is not None:
            yield "permissions boundary", (self.boundary,)
        if self.session is not None:
            yield "session policy", self.session
