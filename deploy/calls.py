"""What all calls to AWS have in common here: AWS's words for what went wrong, pages, and patience."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from deploy.errors import DeploymentFailed

WAIT_SECONDS = 3600.0
POLL_SECONDS = 3.0

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for AWS, and how long between two looks, in seconds."""

    wait: float = WAIT_SECONDS
    poll: float = POLL_SECONDS


PATIENCE = Patience()


async def until(look: Callable[[], Awaitable[T | None]], what: str, patience: Patience) -> T:
    """Look again and again until there is something to see.

    Raises:
        DeploymentFailed: it took longer than ``patience`` has.
    """
    try:
        async with asyncio.timeout(patience.wait):
            while (found := await look()) is None:  # noqa: ASYNC110 - AWS offers no event to wait for
                await asyncio.sleep(patience.poll)
            return found
    except TimeoutError:
        raise DeploymentFailed(
            f"{what} is not done after {patience.wait:.0f} seconds; AWS goes on with it"
        ) from None


async def items(client: Any, operation: str, key: str, **request: Any) -> AsyncIterator[dict[str, Any]]:
    """Every item of every page."""
    async for page in client.get_paginator(operation).paginate(**request):
        for item in page[key]:
            yield item


def code(error: ClientError) -> str:
    """AWS's word for the error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def said(error: ClientError) -> str:
    """Which call AWS refused, and its reason."""
    answer = error.response.get("Error", {})
    return f"{error.operation_name} was refused: {answer.get('Code')}: {answer.get('Message')}"


def missing(error: ClientError) -> bool:
    """Whether there is no stack of that name: AWS has no code of its own for it."""
    return code(error) == "ValidationError" and "does not exist" in str(error)
