"""Locking a domain against transfers, which the registry does in its own time: asking, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, TryLater
from bots._domains import NO_SUCH_SETTING, not_offered

_RUNNING = ("SUBMITTED", "IN_PROGRESS")
_FAILED = ("ERROR", "FAILED")
# A failure older than this may have had its cause removed: the registry is asked again.
_RECENT = timedelta(hours=1)
_ASK_AGAIN_SECONDS = 120


async def submit(aws: Aws, name: str, operation: str) -> None:
    """Ask for the lock, or to have it lifted.

    Raises:
        TryLater: the registry takes no request for the domain right now.
        CannotFix: it knows no such lock.
    """
    try:
        await aws.call("route53domains", operation, DomainName=name)
    except AwsError as error:
        if error.code in NO_SUCH_SETTING:
            raise not_offered(name, "transfer lock") from error
        if error.code in ("DuplicateRequest", "OperationLimitExceeded"):
            raise TryLater(f"the registry is busy with {name}", seconds=_ASK_AGAIN_SECONDS) from error
        raise


async def latest_operation(aws: Aws, name: str) -> Mapping[str, Any] | None:
    """The last locking or unlocking of the domain, if it was not long ago. AWS calls both by one name."""
    found = aws.pages(
        "route53domains",
        "ListOperations",
        items="Operations",
        SubmittedSince=aws.now - _RECENT,
        Type=["DOMAIN_LOCK"],
    )
    ours = [operation async for operation in found if operation.get("DomainName") == name]
    return max(ours, key=lambda operation: operation["SubmittedDate"], default=None)


def wait_for(operation: Mapping[str, Any] | None, name: str) -> None:
    """Go on when the registry has done what it was asked to.

    Raises:
        TryLater: the registry is still at it.
        CannotFix: it has failed; asking again at once would only mail the registrant again.
    """
    if operation is None:
        return
    told = f"operation {operation['OperationId']}"
    if operation["Status"] in _RUNNING:
        raise TryLater(f"{told} on the lock of {name} is {operation['Status']}", seconds=_ASK_AGAIN_SECONDS)
    if operation["Status"] in _FAILED:
        raise CannotFix(
            f"the registry did not lock {name} ({told}): {operation.get('Message') or 'it gave no reason'}. "
            "Remove the cause and send the finding again in an hour"
        )
