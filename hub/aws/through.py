"""Accounts that are seen through something: like what is behind them in everything but their calls."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import datetime
from typing import Any, Protocol

from bots._aws import Aws, AwsError


class Calls(Protocol):
    """Whatever can be called as `bots._aws.Aws` is."""

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]: ...


async def found(
    account: Calls, service: str, operation: str, absent: tuple[str, ...], params: dict[str, Any]
) -> dict[str, Any] | None:
    """The answer of a call; None where AWS answers with one of the codes of ``absent``. See `bots._aws.Aws.find`.

    Raises:
        AwsError: any other.
    """
    try:
        return await account.call(service, operation, **params)
    except AwsError as error:
        if error.code in absent:
            return None
        raise


class Through(ABC):
    """The ``account`` behind, but for ``call``, ``pages`` and ``at``, which subclasses say."""

    __slots__ = ()
    account: Aws

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

    @abstractmethod
    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]: ...

    async def find(
        self, service: str, operation: str, /, *, absent: tuple[str, ...], **params: Any
    ) -> dict[str, Any] | None:
        return await found(self, service, operation, absent, params)
