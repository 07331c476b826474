"""An account in which somebody else does something at the worst moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from hub.aws.account import SpokeAccount
from hub.aws.through import Through


@dataclass(slots=True)
class Meddled(Through):
    """An account in which something happens right before the first ``operation``."""

    account: SpokeAccount
    operation: str
    happens: Callable[[], object]
    times: int = 1
    called: list[str] = field(default_factory=list)

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        if not params.get("DryRun"):
            self.called.append(operation)
            if operation == self.operation and self.times > 0:
                self.times -= 1
                self.happens()
        return await self.account.call(service, operation, **params)

    def pages(self, service: str, operation: str, /, *, items: str, **params: Any) -> AsyncIterator[Any]:
        return self.account.pages(service, operation, items=items, **params)

    def at(self, region: str) -> Meddled:
        raise AssertionError(f"nothing of this bot is in {region}")
