"""What a bot sees of AWS: the finding's account, and the errors of its calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime
from typing import Any, Protocol, TypeVar, overload

_A = TypeVar("_A")
_B = TypeVar("_B")
_C = TypeVar("_C")
_D = TypeVar("_D")


class AwsError(Exception):
    """An AWS call was answered with an error, or not answered at all.

    Bots let it pass: the hub turns it into an outcome. ``code`` is AWS's error code. ``right_region`` is where
    S3 says that the bucket lives, if it was asked in another region.
    """

    def __init__(
        self,
        *,
        service: str,
        operation: str,
        region: str,
        code: str,
        message: str,
        status: int = 0,
        right_region: str | None = None,
    ) -> None:
        super().__init__(f"{service} {operation} in {region}: {code}: {message}")
        self.service = service
        self.operation = operation
        self.region = region
        self.code = code
        self.message = message
        self.status = status
        self.right_region = right_region


class Aws(Protocol):
    """The finding's account as a bot sees it. There is no other way to AWS."""

    @property
    def account_id(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def partition(self) -> str: ...
    @property
    def now(self) -> datetime:
        """The time, aware, in UTC; bots have no other clock."""
        ...

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        """Call ``operation`` (AWS's spelling, ``GetBucketVersioning``) of ``service`` (botocore's name).

        Raises:
            AwsError: AWS refused, throttled or did not answer.
        """
        ...

    async def find(
        self, service: str, operation: str, /, *, absent: tuple[str, ...], **params: Any
    ) -> dict[str, Any] | None:
        """As `call`, but None when AWS answers with one of the error codes of ``absent``."""
        ...

    def pages(self, service: str, operation: str, /, *, items: str, **params: Any) -> AsyncIterator[Any]:
        """Every element of the list ``items`` over all pages."""
        ...

    def at(self, region: str) -> Aws:
        """The same account in another region."""
        ...


@overload
async def together(one: Awaitable[_A], two: Awaitable[_B], /) -> tuple[_A, _B]: ...
@overload
async def together(one: Awaitable[_A], two: Awaitable[_B], three: Awaitable[_C], /) -> tuple[_A, _B, _C]: ...
@overload
async def together(
    one: Awaitable[_A], two: Awaitable[_B], three: Awaitable[_C], four: Awaitable[_D], /
) -> tuple[_A, _B, _C, _D]: ...
@overload
async def together(*reads: Awaitable[_A]) -> tuple[_A, ...]: ...
async def together(*reads: Awaitable[Any]) -> tuple[Any, ...]:
    """The answers of calls that do not wait for each other, in their order.

    Unlike `asyncio.gather`, the first error ends the others: none goes on unwatched after its bot.
    """
    tasks = [asyncio.ensure_future(read) for read in reads]
    try:
        return tuple(await asyncio.gather(*tasks))
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
