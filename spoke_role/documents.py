"""IAM policies as data, and how large they may be.

ARNs are written for CloudFormation's ``Fn::Sub``: ``${AWS::Partition}``, ``${AWS::AccountId}`` and the
template's parameters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

Statement = dict[str, Any]
Document = dict[str, Any]

# IAM's quotas: characters of a managed policy without white space, and managed policies of one role.
POLICY_CHARACTERS = 6144
MANAGED_POLICIES = 10

PARTITION = "${AWS::Partition}"
ACCOUNT = "${AWS::AccountId}"

# The longest text that can take the place of each name, for measuring.
LONGEST = {
    "AWS::Partition": "aws-us-gov",
    "AWS::AccountId": "0" * 12,
    "AWS::StackId": "s" * 256,
    "HubAccountId": "0" * 12,
    "HubRoleName": "h" * 48,
    "RoleName": "r" * 64,
    "InputTopicName": "i" * 64,
    "OutputTopicName": "o" * 64,
}


class TooLarge(Exception):
    """The permissions do not fit into IAM's quotas."""


def document(statements: Sequence[Statement]) -> Document:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def size(policy: Document) -> int:
    """Characters as IAM counts them, white space left out, with the longest values filled in."""
    text = json.dumps(policy, separators=(",", ":"))
    for name, value in LONGEST.items():
        text = text.replace(f"${{{name}}}", value)
    return len(re.sub(r"\s", "", text))


def packed(statements: Iterable[Statement]) -> tuple[Document, ...]:
    """As few policies as hold all the statements, filled in their order; a statement may be divided by its
    actions."""
    policies: list[Document] = []
    held: list[Statement] = []
    for statement in statements:
        for action in statement["Action"]:
            single = {**statement, "Action": [action]}
            longer = _with(held, single)
            if size(document(longer)) > POLICY_CHARACTERS:
                policies.append(document(held))
                longer = _with([], single)
            held = longer
    return (*policies, document(held)) if held else tuple(policies)


def _with(statements: list[Statement], single: Statement) -> list[Statement]:
    """The statements and one more action, in the last one if that says the same otherwise."""
    last = statements[-1] if statements else None
    if last is not None and {**last, "Action": single["Action"]} == single:
        return [*statements[:-1], {**last, "Action": [*last["Action"], *single["Action"]]}]
    return [*statements, single]


def role(name: str) -> str:
    """The ARN of a role of the account."""
    return f"arn:{PARTITION}:iam::{ACCOUNT}:role/{name}"


def own_policies() -> str:
    """The managed policies of the spoke role."""
    return f"arn:{PARTITION}:iam::{ACCOUNT}:policy/${{RoleName}}-*"
