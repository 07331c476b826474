"""A worker that dies at the worst moment."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hub.app import Hub
from hub.aws.account import SpokeAccount
from hub.model import Message


async def cut_off(hub: Hub, sent: Message) -> None:
    """A worker changes the resource and never gets to say so."""
    real = SpokeAccount.call
    changed = asyncio.Event()

    async def then_hang(self: SpokeAccount, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        answer = await real(self, service, operation, **params)
        if operation.startswith("Put"):
            changed.set()
            await asyncio.Event().wait()
        return answer

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SpokeAccount, "call", then_hang)
        task = asyncio.create_task(hub.settle(sent))
        await changed.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
