"""A user's inline policies: read, deleted, put back; and changes that are made as a whole or not at all."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, TryLater
from bots._identities import GONE, Identity, listing
from bots._policies import statements

Change = Callable[[], Awaitable[None]]


async def inline_policies(aws: Aws, user: Identity) -> dict[str, str]:
    """Documents by name, in the order of the names.

    Raises:
        TargetGone: there is no such user.
    """
    found = {}
    for name in sorted(await listing(aws, user, "ListUserPolicies", items="PolicyNames")):
        answer = await aws.find("iam", "GetUserPolicy", absent=GONE, PolicyName=name, **user.words)
        if answer is not None:
            found[name] = json.dumps(answer["PolicyDocument"])
    return found


def denies(document: str) -> bool:
    """Whether some statement denies."""
    return any(statement.get("Effect") == "Deny" for statement in statements(document))


def only_denies(document: str) -> bool:
    """Whether no statement allows: without the policy its holder could do more."""
    return all(statement.get("Effect") == "Deny" for statement in statements(document))


async def put(aws: Aws, user: Identity, name: str, document: str) -> None:
    await aws.call("iam", "PutUserPolicy", PolicyName=name, PolicyDocument=document, **user.words)


async def delete(aws: Aws, user: Identity, name: str) -> None:
    await aws.find("iam", "DeleteUserPolicy", absent=GONE, PolicyName=name, **user.words)


async def put_back(aws: Aws, user: Identity, name: str, document: str | None) -> None:
    """As it was before a `put`; None: it was not there."""
    if document is None:
        await delete(aws, user, name)
    else:
        await put(aws, user, name, document)


async def all_or_nothing(changes: Iterable[tuple[Change, Change]]) -> None:
    """Make the changes in their order. When one fails, take back those made, the last one first.

    Args:
        changes: pairs of a change and what takes it back.
    """
    made: list[Change] = []
    try:
        for change, back in changes:
            await change()
            made.append(back)
    except Exception:
        for back in reversed(made):
            with contextlib.suppress(AwsError, CannotFix, TryLater):
                await back()
        raise
