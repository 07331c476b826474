"""Inline policies of roles and groups."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from bots._aws import Aws, AwsError, together
from bots._holders import Kind, no_such, some
from bots._iam_writes import NO_SUCH, Change, Write
from bots._policies import statements


def as_text(document: str | Mapping[str, Any]) -> str:
    """A policy document as text: answers of IAM come with documents read already."""
    return document if isinstance(document, str) else json.dumps(document)


async def inline_names(aws: Aws, kind: Kind, name: str) -> list[str]:
    """
    Raises:
        TargetGone: there is no such role or group.
    """
    listed = aws.pages("iam", f"List{kind}Policies", items="PolicyNames", **{f"{kind}Name": name})
    try:
        return sorted([policy async for policy in listed])
    except AwsError as error:
        if error.code not in NO_SUCH:
            raise
        raise no_such(aws, kind, name) from None


async def inline_documents(aws: Aws, kind: Kind, name: str, policies: Iterable[str]) -> dict[str, str]:
    """Document by name, of those that are there."""
    answers = await together(
        *(
            aws.find("iam", f"Get{kind}Policy", absent=NO_SUCH, **{f"{kind}Name": name, "PolicyName": policy})
            for policy in policies
        )
    )
    return {answer["PolicyName"]: as_text(answer["PolicyDocument"]) for answer in answers if answer}


def removals(kind: Kind, name: str, policies: Mapping[str, str]) -> list[Change]:
    """Deleting the inline policies; turned, putting them back."""
    changes = []
    for policy, document in policies.items():
        where = {f"{kind}Name": name, "PolicyName": policy}
        put = Write(f"Put{kind}Policy", {**where, "PolicyDocument": document})
        changes.append(Change(Write(f"Delete{kind}Policy", where), put))
    return changes


def denial_notes(policies: Mapping[str, str]) -> tuple[str, ...]:
    """What a person should know of policies that take something away as long as they are there."""
    denying = [
        policy
        for policy, document in policies.items()
        if any(statement.get("Effect") == "Deny" for statement in statements(document))
    ]
    if not denying:
        return ()
    return (f"what {some(denying)} denied is no longer denied by it: without it access may be wider",)
