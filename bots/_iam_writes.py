"""Several IAM writes as one. IAM has neither transactions nor a dry run: when a write fails, those before it
are taken back, so that a missing right never leaves an identity half changed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws, AwsError

NO_SUCH = ("NoSuchEntity",)


@dataclass(frozen=True, slots=True)
class Write:
    """A changing call of IAM."""

    operation: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """A write and the one that takes it back, if any."""

    write: Write
    back: Write | None = None

    def turned(self) -> Change:
        """The same change the other way round."""
        assert self.back is not None
        return Change(self.back, self.write)


def change(operation: str, back: str, /, **params: Any) -> Change:
    """Two operations that take the same parameters, such as AttachRolePolicy and DetachRolePolicy."""
    return Change(Write(operation, params), Write(back, params))


async def all_or_none(aws: Aws, changes: Iterable[Change], *, absent: tuple[str, ...] = NO_SUCH) -> None:
    """Make the changes in their order, or none of them.

    Args:
        absent: error codes that say that there is nothing to change any more, which is no failure: what
            somebody else has detached or deleted meanwhile. The check that follows has the last word.

    Raises:
        AwsError: a write failed; those before it were taken back as far as AWS let them.
    """
    made: list[Write] = []
    try:
        for each in changes:
            answer = await aws.find("iam", each.write.operation, absent=absent, **each.write.params)
            if answer is not None and each.back is not None:
                made.append(each.back)
    except AwsError:
        for back in reversed(made):
            with contextlib.suppress(AwsError):
                await aws.call("iam", back.operation, **back.params)
        raise
