"""Several writes that only make sense together: when AWS refuses one, those before it are taken back."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bots._aws import AwsError
from bots._bot import CannotFix, TryLater

Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Change:
    """One write and the write that takes it back."""

    make: Act
    unmake: Act


async def kept() -> None:
    """For changes that stay once made."""


async def make(changes: Sequence[Change]) -> None:
    """Make the changes in their order, or none of them.

    `TryLater` takes nothing back: what was made so far is what is waited for.
    """
    done: list[Change] = []
    try:
        for change in changes:
            await change.make()
            done.append(change)
    except (AwsError, CannotFix):
        for change in reversed(done):
            # The refusal is the news; what could not be taken back shows in the next look.
            with contextlib.suppress(AwsError, TryLater):
                await change.unmake()
        raise


async def unmake(changes: Sequence[Change]) -> None:
    """Take the changes back, the last one first, or none of them."""
    await make([Change(change.unmake, change.make) for change in reversed(changes)])
