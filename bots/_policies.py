"""Pure readings and changes of policy documents. Whatever is changed, all else in a document stays as it is."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from typing import Any

Statement = dict[str, Any]

# Conditions on who calls or where from. A fixed value for one of them shuts everybody else out.
_PINNING = {
    "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount",
    "aws:sourcearn", "aws:sourceowner", "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourcevpc", "aws:sourcevpce",
    "aws:userid", "aws:username", "aws:calledvia", "aws:vpcsourceip", "s3:dataaccesspointaccount",
    "s3:dataaccesspointarn", "kms:calleraccount", "kms:viaservice", "sns:endpoint",
}  # fmt: skip
_POSITIVE = {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"}
_HALF_OF_THE_INTERNET = 2  # prefix length


def listed(value: Any) -> list[Any]:
    """IAM lets a lone element stand without its list."""
    return value if isinstance(value, list) else [value]


def statements(document: str | None) -> list[Statement]:
    """The statements of a policy; none of no policy."""
    return listed(json.loads(document).get("Statement", [])) if document else []


def with_statements(document: str | None, wanted: Iterable[Statement]) -> str:
    """The policy with these statements in place of its own; its Version and Id stay."""
    frame = json.loads(document) if document else {"Version": "2012-10-17"}
    return json.dumps({**frame, "Statement": list(wanted)})


def merged(document: str | None, *own: Statement) -> str:
    """The policy with our statements, each in the place of the one with its Sid or else at the end."""
    ours = {each["Sid"]: each for each in own}
    kept = [ours.pop(each.get("Sid", ""), each) for each in statements(document)]
    return with_statements(document, [*kept, *ours.values()])


def same(one: str | None, other: str | None) -> bool:
    """Whether two policies say the same: order of keys, lone elements and white space do not count."""
    if one is None or other is None:
        return one is other
    return bool(_plain(json.loads(one)) == _plain(json.loads(other)))


def _plain(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        found = [_plain(inner) for inner in value]
        if key == "Statement":
            return found
        return found[0] if len(found) == 1 else sorted(found, key=json.dumps)
    # A condition's true and "true" are one.
    return str(value).lower() if isinstance(value, bool) else value


def names_everyone(statement: Mapping[str, Any]) -> bool:
    """Whether the principal is everybody, alone or among others."""
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        return "*" in listed(principal.get("AWS", []))
    return principal == "*" or "NotPrincipal" in statement


def is_open(statement: Mapping[str, Any]) -> bool:
    """Whether the statement allows something to everybody and no condition says who that can be."""
    return (
        statement.get("Effect") == "Allow"
        and names_everyone(statement)
        and not is_pinned(statement.get("Condition") or {})
    )


def is_pinned(conditions: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether some condition holds for named callers or places only."""
    return any(
        _pins(operator.lower(), key.lower(), value)
        for operator, keys in conditions.items()
        for key, value in keys.items()
    )


def _pins(operator: str, key: str, value: Any) -> bool:
    # An operator that also holds for callers without the key pins nobody.
    if operator.startswith("forallvalues:") or operator.endswith("ifexists"):
        return False
    if operator.removeprefix("foranyvalue:") not in _POSITIVE:
        return False
    values = [str(each) for each in listed(value)]
    if key == "aws:sourceip":
        return all(_is_narrow(each) for each in values)
    return key in _PINNING and all(each.strip("*?:") not in ("", "arn") for each in values)


def _is_narrow(network: str) -> bool:
    try:
        return ipaddress.ip_network(network, strict=False).prefixlen >= _HALF_OF_THE_INTERNET
    except ValueError:
        return False


def without_everyone(statement: Mapping[str, Any]) -> Statement | None:
    """The statement for the named principals alone; None when it names nobody else."""
    principal = statement.get("Principal")
    if not isinstance(principal, dict):
        return None
    named = [each for each in listed(principal.get("AWS", [])) if each != "*"]
    others = {kind: who for kind, who in principal.items() if kind != "AWS"}
    left = ({"AWS": named} if named else {}) | others
    return {**statement, "Principal": left} if left else None


def services_let_in(document: str | None) -> frozenset[str]:
    """Service principals that some Allow statement of a resource policy names, conditions or not."""
    found: set[str] = set()
    for statement in statements(document):
        principal = statement.get("Principal")
        if statement.get("Effect") == "Allow" and isinstance(principal, dict):
            found.update(str(service) for service in listed(principal.get("Service", [])))
    return frozenset(found)
