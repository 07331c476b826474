"""An account in which somebody else does something at the worst moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bots._aws import AwsError
from hub.aws.account import SpokeAccount


@dataclass(slots=True)
class Meddled:
    """An account in which something happens right before the first ``operation``."""

    account: SpokeAccount
    operation: str
    happens: Callable[[], object]
    times: int = 1
    called: list[str] = field(default_factory=list)

    @property
    def account_id(self) -> str:
        return self.account.account_id

    @property
    def region(self) -> str:
        return self.account.region

    @property
    def partition(self) -> str:
        return self.account.partition

    @property
    def now(self) -> datetime:
        return self.account.now

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        if not params.get("DryRun"):
            self.called.append(operation)
            if operation == self.operation and self.times > 0:
                self.times -= 1
                self.happens()
        return await self.account.call(service, operation, **params)

    async def find(
        self, service: str, operation: str, /, *, absent: tuple[str, ...], **params: Any
    ) -> dict[str, Any] | None:
        try:
            return await self.call(service, operation, **params)
        except AwsError as error:
            if error.code in absent:
                return None
            raise

    def pages(self, service: str, operation: str, /, *, items: str, **params: Any) -> AsyncIterator[Any]:
        return self.account.pages(service, operation, items=items, **params)

    def at(self, region: str) -> Meddled:
        raise AssertionError(f"nothing of this bot is in {region}")
