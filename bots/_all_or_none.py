"""Writes that only make sense together: when AWS refuses one, those before it are taken back.

IAM above all has neither transactions nor a dry run. Its writes are data here, so that a fix and its undo are
one list, read in two directions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, TryLater
from bots._identities import NO_SUCH

Act = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Change:
    """One write and the write that takes it back."""

    make: Act
    unmake: Act

    def turned(self) -> Change:
        """The same change the other way round."""
        return Change(self.unmake, self.make)


async def kept() -> None:
    """For changes that stay once made."""


async def make(
    changes: Iterable[Change], *, upon: tuple[type[Exception], ...] = (AwsError, CannotFix)
) -> None:
    """Make the changes in their order, or none of them.

    Args:
        upon: the failures that take back what was made. `TryLater` is not among them as a rule: what was
            made so far is what is waited for.
    """
    done: list[Change] = []
    try:
        for change in changes:
            await change.make()
            done.append(change)
    except upon:
        for change in reversed(done):
            # The refusal is the news; what could not be taken back shows in the next look.
            with contextlib.suppress(AwsError, CannotFix, TryLater):
                await change.unmake()
        raise


async def unmake(changes: Sequence[Change]) -> None:
    """Take the changes back, the last one first, or none of them."""
    await make([change.turned() for change in reversed(changes)])


@dataclass(frozen=True, slots=True)
class Write:
    """A changing call of IAM."""

    operation: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class IamChange:
    """A write of IAM and the one that takes it back, if any."""

    write: Write
    back: Write | None = None

    def turned(self) -> IamChange:
        """The same change the other way round."""
        assert self.back is not None
        return IamChange(self.back, self.write)


def iam_change(operation: str, back: str, /, **params: Any) -> IamChange:
    """Two operations that take the same parameters, such as AttachRolePolicy and DetachRolePolicy."""
    return IamChange(Write(operation, params), Write(back, params))


async def make_in_iam(aws: Aws, changes: Iterable[IamChange], *, absent: tuple[str, ...] = NO_SUCH) -> None:
    """As `make`, for changes of IAM; only what was really changed is taken back.

    Args:
        absent: error codes that say that there is nothing to change any more, which is no failure: what
            somebody else has detached or deleted meanwhile. The check that follows has the last word.

    Raises:
        AwsError: a write failed; those before it were taken back as far as AWS let them.
    """
    await make([_remembering(aws, each, absent) for each in changes])


async def unmake_in_iam(aws: Aws, changes: Iterable[IamChange]) -> None:
    """The changes the other way round, in the same order, or none of them."""
    await make_in_iam(aws, [each.turned() for each in changes])


def _remembering(aws: Aws, change: IamChange, absent: tuple[str, ...]) -> Change:
    """The change, which takes back nothing where there was nothing to change."""
    made = False

    async def write() -> None:
        nonlocal made
        answer = await aws.find("iam", change.write.operation, absent=absent, **change.write.params)
        made = answer is not None

    async def back() -> None:
        if made and change.back is not None:
            await aws.call("iam", change.back.operation, **change.back.params)

    return Change(write, back)
