"""Policies of topics that let nobody in unnamed: one that is given is looked at, one that is there is closed."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator

from bots._aws import Aws
from bots._bot import CannotFix
from bots._policies import Statement, covers, is_open, listed, statements, with_statements, without_everyone

# What the owner may do with a new topic.
_OWNERS = (
    "GetTopicAttributes", "SetTopicAttributes", "AddPermission", "RemovePermission", "DeleteTopic", "Subscribe",
    "ListSubscriptionsByTopic", "Publish",
)  # fmt: skip
_LARGEST = 30 * 1024  # bytes


def _private(text: str) -> str:
    if len(text.encode()) > _LARGEST:
        raise ValueError(f"must have at most {_LARGEST} bytes")
    try:
        whole = json.loads(text)
    except ValueError:
        whole = None
    found = statements(text) if isinstance(whole, dict) else []
    if not found or not all(isinstance(each, dict) for each in found):
        raise ValueError("must be a policy document in JSON with at least one statement")
    if any(is_open(each) for each in found):
        raise ValueError("must not allow anything to everybody without a condition on who that can be")
    return text


PrivatePolicy = Annotated[str, AfterValidator(_private)]


def wanted_policy(aws: Aws, arn: str, given: str | None, document: str) -> str:
    """The policy to have: the given one, or the current ``document`` without what lets everybody in.

    Raises:
        CannotFix: the given policy is about another topic, or the current one needs a person's eyes.
    """
    if given is None:
        left = _closed(document)
        return with_statements(document, left or [_owners_statement(arn, aws.account_id)])
    given = given.replace("$ACCOUNT_ID", aws.account_id)
    for statement in statements(given):
        for pattern in listed(statement.get("Resource", [])):
            if not covers(str(pattern), arn):
                raise CannotFix(f"the given policy is about {pattern}, not about topic {arn}")
    return given


def _closed(document: str) -> list[Statement]:
    """The statements without what lets everybody in."""
    left = []
    for statement in statements(document):
        if not is_open(statement):
            left.append(statement)
            continue
        if roundabout := {"NotPrincipal", "NotAction"} & set(statement):
            raise CannotFix(
                f"a statement that allows by {min(roundabout)} lets everybody in, and may mean more than it says: "
                "rewrite it by hand, or give the whole policy with policy=…"
            )
        if (named := without_everyone(statement)) is not None:
            left.append(named)
    return left


def _owners_statement(arn: str, account_id: str) -> dict[str, Any]:
    """What AWS puts into the policy of a new topic; a policy cannot be empty."""
    return {
        "Sid": "__default_statement_ID",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"SNS:{action}" for action in _OWNERS],
        "Resource": arn,
        "Condition": {"StringEquals": {"AWS:SourceOwner": account_id}},
    }
