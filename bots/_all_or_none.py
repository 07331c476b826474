"""Writes that only make sense together: when AWS refuses one, those before it are taken back.

AWS has no transactions, and IAM and most other services no dry run: without this a missing right would leave
a resource half changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, TryLater

Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Change:
    """One write and the write that takes it back. A write that answers False has changed nothing."""

    make: Act
    unmake: Act


async def kept() -> None:
    """For changes that stay once made."""


def asks(aws: Aws, service: str, operation: str, /, *, absent: tuple[str, ...] = (), **params: Any) -> Act:
    """A call of AWS as a write.

    Args:
        absent: error codes that say that there is nothing to change any more, which is no failure: what
            somebody else has detached or deleted meanwhile. The check that follows has the last word.
    """

    async def ask() -> bool:
        return await aws.find(service, operation, absent=absent, **params) is not None

    return ask


async def make(changes: Iterable[Change], *, awaits: bool = True) -> None:
    """Make the changes in their order, or none of them.

    Args:
        awaits: `TryLater` takes nothing back: what was made so far is what is waited for.
    """
    done: list[Change] = []
    try:
        for change in changes:
            if await change.make() is not False:
                done.append(change)
    except (AwsError, CannotFix, TryLater) as refusal:
        if not (awaits and isinstance(refusal, TryLater)):
            for change in reversed(done):
                # The refusal is the news; what could not be taken back shows in the next look.
                with contextlib.suppress(AwsError, CannotFix, TryLater):
                    await change.unmake()
        raise


async def unmake(changes: Sequence[Change]) -> None:
    """Take the changes back, the last one first, or none of them."""
    await make([Change(change.unmake, change.make) for change in reversed(changes)])
