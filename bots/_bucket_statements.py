"""Pure reading of bucket policies: what lets everybody do harm in them, and whether they deny plain HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bots._aws import Aws
from bots._policies import Statement, covers, is_open, listed, names_everyone, statements, without_everyone

# What S3 itself calls bad in the hands of the public; lower case.
_BAD = ("s3:delete*", "s3:get*", "s3:list*", "s3:put*", "s3:restoreobject", "s3:abortmultipartupload")


def limited(document: str | None) -> tuple[list[Statement], list[str]]:
    """The statements that may stay, and in words what goes."""
    left, taken = [], []
    for number, statement in enumerate(statements(document), 1):
        bad = [action for action in listed(statement.get("Action", [])) if is_bad(action)]
        if not is_open(statement) or not (bad or "NotAction" in statement):
            left.append(statement)
            continue
        called = f"statement {statement.get('Sid') or number}"
        if (named := without_everyone(statement)) is not None:
            left.append(named)
            taken.append(f"everybody from the principals of {called}")
        elif good := [action for action in listed(statement.get("Action", [])) if action not in bad]:
            left.append({**statement, "Action": good})
            taken.append(f"{', '.join(bad)} from {called}")
        else:
            taken.append(called)
    return left, taken


def is_bad(action: str) -> bool:
    """Whether a policy's action, which may be a pattern, matches anything that is bad."""
    return any(_meet(action.lower(), bad) for bad in _BAD)


def _meet(pattern: str, bad: str) -> bool:
    """Whether some action fits both."""
    begun = bad.removesuffix("*")
    if begun == bad:
        return covers(pattern, bad)
    head, star, _ = pattern.partition("*")
    begun = begun[: len(head)] if star else begun
    return covers(head[: len(begun)], begun)


def arns(aws: Aws, name: str) -> list[str]:
    """The bucket and all objects in it."""
    bucket = f"arn:{aws.partition}:s3:::{name}"
    return [bucket, f"{bucket}/*"]


def denial_of_plain_http(aws: Aws, name: str) -> Statement:
    """The statement after which `denies_plain_http`."""
    return {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": arns(aws, name),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def denies_plain_http(document: str | None, wanted: list[str]) -> bool:
    """Whether statements that deny all actions to everybody without TLS cover all the wanted ARNs together."""
    denied = [
        pattern
        for statement in statements(document)
        if _is_total(statement)
        for pattern in listed(statement.get("Resource", []))
    ]
    return all(any(covers(pattern, arn) for pattern in denied) for arn in wanted)


def _is_total(statement: Mapping[str, Any]) -> bool:
    conditions = [
        (
            operator.lower().removesuffix("ifexists"),
            key.lower(),
            [str(each).lower() for each in listed(value)],
        )
        for operator, keys in (statement.get("Condition") or {}).items()
        for key, value in keys.items()
    ]
    return (
        statement.get("Effect") == "Deny"
        and "NotPrincipal" not in statement
        and names_everyone(statement)
        and any(covers(action, "s3:*", any_case=True) for action in listed(statement.get("Action", [])))
        # Any further condition would let some requests by.
        and conditions == [("bool", "aws:securetransport", ["false"])]
    )
