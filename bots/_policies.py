"""Pure readings and changes of policy documents. Whatever is changed, all else in a document stays as it is."""

from __future__ import annotations

import ipaddress
import itertools
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Statement = dict[str, Any]

# Conditions on who calls or where from: with a fixed value they shut everybody else out. Not among them is
# what strangers have as well: user names, tags, private addresses, the service a call goes through.
_FIXED = {
    "aws:principalaccount", "aws:principalorgid", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceowner",
    "aws:sourcevpc", "aws:sourcevpce", "aws:vpceaccount", "aws:vpceorgid", "kms:calleraccount",
    "s3:dataaccesspointaccount",
}  # fmt: skip
# Of these it is enough that the account is fixed.
_ARNS = {
    "aws:principalarn", "aws:sourcearn", "aws:sourcevpcarn", "ec2:sourceinstancearn", "lambda:sourcefunctionarn",
    "s3:dataaccesspointarn", "s3:x-amz-server-side-encryption-aws-kms-key-id",
}  # fmt: skip
# Of these, what stands before the first slash or colon: an organization, the unique id of a role.
_PATHS = {"aws:principalorgpaths", "aws:sourceorgpaths", "aws:vpceorgpaths", "aws:userid"}
_POSITIVE = {"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike", "ipaddress"}
# Wider networks are the public, says S3 (prefix lengths of IPv4 and IPv6).
_WIDEST = {4: 8, 6: 32}
_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}")
_ROOT = re.compile(r"arn:[a-z-]+:iam::(\d{12}):root")


def listed(value: Any) -> list[Any]:
    """IAM lets a lone element stand without its list."""
    return value if isinstance(value, list) else [value]


def statements(document: str | None) -> list[Statement]:
    """The statements of a policy; none of no policy."""
    return listed(json.loads(document).get("Statement", [])) if document else []


def with_statements(document: str | None, wanted: Iterable[Statement]) -> str:
    """The policy with these statements in place of its own; its Version and Id stay."""
    frame = json.loads(document) if document else {"Version": "2012-10-17"}
    # Without blanks: AWS counts the bytes.
    return json.dumps({**frame, "Statement": list(wanted)}, separators=(",", ":"), ensure_ascii=False)


def merged(document: str | None, *own: Statement) -> str:
    """The policy, and behind it those of our statements that it does not hold yet.

    Nothing is replaced: where somebody else has used the Sid of ours, ours gets a number.
    """
    kept = statements(document)
    for ours in own:
        said = _plain({**ours, "Sid": ""})
        if any(_plain({**each, "Sid": ""}) == said for each in kept):
            continue
        taken = {each.get("Sid") for each in kept}
        names = itertools.chain([ours["Sid"]], (f"{ours['Sid']}{number}" for number in itertools.count(2)))
        kept.append({**ours, "Sid": next(name for name in names if name not in taken)})
    return with_statements(document, kept)


def same(one: str | None, other: str | None) -> bool:
    """Whether two policies say the same.

    It does not matter how AWS and people write it: the order of keys and of alternatives, lone elements
    without their list, white space, the case of actions, an account by its id or by its root's ARN.
    """
    if one is None or other is None:
        return one is other
    return bool(_whole(one) == _whole(other))


def _whole(document: str) -> Any:
    # A policy without a version has the first one.
    found = {"Version": "2008-10-17", **json.loads(document)}
    return {**_plain(found), "Statement": [_plain(each) for each in statements(document)]}


def _plain(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        found = {json.dumps(_plain(inner, key), sort_keys=True) for inner in value}
        return json.loads(found.pop()) if len(found) == 1 else [json.loads(each) for each in sorted(found)]
    if key in ("Principal", "NotPrincipal"):
        return {"AWS": value}
    # A condition's true and "true" are one.
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if key in ("Action", "NotAction"):
        return text.lower()
    root = _ROOT.fullmatch(text) if key == "AWS" else None
    return root[1] if root else text


def covers(pattern: str, text: str, *, any_case: bool = False) -> bool:
    """Whether a pattern with ``*`` and ``?`` matches the whole text, which may be a pattern itself."""
    parts = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in pattern)
    flags = re.DOTALL | (re.IGNORECASE if any_case else 0)
    return re.fullmatch("".join(parts), text, flags) is not None


def names_everyone(statement: Mapping[str, Any]) -> bool:
    """Whether the principal is everybody, alone or among others, or everybody but some."""
    principal = statement.get("Principal")
    if isinstance(principal, dict):
        return "*" in listed(principal.get("AWS", []))
    return "*" in listed(principal) or "NotPrincipal" in statement


def is_open(statement: Mapping[str, Any]) -> bool:
    """Whether the statement allows something to everybody and no condition says who that can be."""
    conditions = statement.get("Condition")
    pinned = isinstance(conditions, Mapping) and is_pinned(conditions)
    return statement.get("Effect") == "Allow" and names_everyone(statement) and not pinned


def is_pinned(conditions: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether some condition holds for named callers or places only."""
    return any(
        _pins(operator.lower(), key.lower(), value)
        for operator, keys in conditions.items()
        if isinstance(keys, Mapping)
        for key, value in keys.items()
    )


def _pins(operator: str, key: str, value: Any) -> bool:
    # An operator that also holds for callers without the key pins nobody.
    if operator.startswith("forallvalues:") or operator.endswith("ifexists"):
        return False
    if operator.removeprefix("foranyvalue:") not in _POSITIVE:
        return False
    values = [str(each) for each in listed(value)]
    return bool(values) and all(_is_fixed(key, each) for each in values)


def _is_fixed(key: str, value: str) -> bool:
    """Whether the value of the condition key fits some callers or places only."""
    if key == "aws:sourceip":
        return _is_narrow(value)
    if key == "sns:endpoint":
        # Who may subscribe does not matter where all messages go to one known place.
        value = re.sub(r"[*?]", "", value).removeprefix("https:").removeprefix("http:").strip("/@.")
    elif key in _ARNS:
        parts = value.split(":", 5)
        # Of a bucket, which has no account in its ARN, the whole name must be fixed.
        value = parts[4] if len(parts) == 6 and parts[4] else value
    elif key in _PATHS:
        value = re.split("[/:]", value, maxsplit=1)[0]
    elif key not in _FIXED:
        return False
    # A variable, as in ${aws:PrincipalAccount}, is true of everybody.
    return value != "" and not re.search(r"[*?]|\$\{", value)


def _is_narrow(network: str) -> bool:
    try:
        found = ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
    return found.prefixlen >= _WIDEST[found.version]


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
    return frozenset(service for statement in statements(document) for service in _services(statement))


def lets_service(document: str | None, service: str, actions: Iterable[str]) -> bool:
    """Whether Allow statements of a resource policy give a service all of the actions, conditions or not."""
    allowed = [
        pattern
        for statement in statements(document)
        if service in _services(statement)
        for pattern in listed(statement.get("Action", []))
    ]
    return all(any(covers(pattern, action, any_case=True) for pattern in allowed) for action in actions)


def _services(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal")
    if statement.get("Effect") != "Allow" or not isinstance(principal, dict):
        return []
    return [str(service) for service in listed(principal.get("Service", []))]


def deleted_principals(document: str | None) -> tuple[str, ...]:
    """Unique ids that AWS shows in place of deleted users and roles. AWS stores no policy that has one."""
    return tuple(
        sorted(
            name
            for statement in statements(document)
            for element in ("Principal", "NotPrincipal")
            if isinstance(who := statement.get(element), dict)
            for name in map(str, listed(who.get("AWS", [])))
            if _UNIQUE_ID.fullmatch(name)
        )
    )
