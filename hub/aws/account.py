"""One account as bots see it: calls are paced, signed for this account, and errors are translated."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError

from hub.aws.clients import Clients, Keys, signing_as
from hub.aws.errors import EXPIRED, THROTTLED, from_botocore
from hub.aws.merging import Merger, question
from hub.aws.throttle import Pacer
from hub.aws.through import found
from hub.noting import current

TRIES = 10  # of a call that AWS throttles
PAUSE_SECONDS = 0.1
LAST_PAUSE_SECONDS = 4.0


def utc_now() -> datetime:
    """The hub's clock unless a test sets another."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class SpokeAccount:
    """Implements `bots._aws.Aws`. ``session`` is the role session's name in CloudTrail; ``expired`` is called
    when AWS takes its keys no longer."""

    account_id: str
    region: str
    partition: str
    keys: Keys
    session: str
    clients: Clients
    pacer: Pacer
    clock: Callable[[], datetime] = utc_now
    expired: Callable[[], None] = lambda: None
    merger: Merger = field(default_factory=Merger)

    @property
    def now(self) -> datetime:
        return self.clock()

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        asked = question(service, operation, params)
        if asked is not None:
            # One session has one bot's rights: what is allowed to one of them is allowed to all.
            whose = (self.keys.access_key, self.region)
            merged = await self.merger.ask(whose, asked, partial(self._send, service, operation))
            if merged is not None:
                return merged
        return await self._send(service, operation, lambda: params)

    async def _send(
        self, service: str, operation: str, params: Callable[[], Mapping[str, Any]]
    ) -> dict[str, Any]:
        client = await self.clients.get(service, self.region)
        method = getattr(client, xform_name(operation))
        notes = current()
        tried = 0
        while True:
            # A call that was throttled queues again: its next try is paced as every other call is.
            async with self.pacer.admitted(self.account_id, self.region, service, operation) as lane:
                at = time.time()
                try:
                    with signing_as(self.keys, throttled=lane.slow_down):
                        answer: dict[str, Any] = await method(**params())
                    if notes is not None:
                        notes.sent(at, service, operation, self.region, answer=answer)
                    return answer
                except (ClientError, BotoCoreError) as error:
                    told = from_botocore(error, service=service, operation=operation, region=self.region)
                    if notes is not None:
                        said = error.response if isinstance(error, ClientError) else None
                        notes.sent(at, service, operation, self.region, answer=said, error=told.code)
                    if told.code in EXPIRED:
                        self.expired()
                    tried += 1
                    if told.code not in THROTTLED or tried == TRIES:
                        raise told from error
            # Somebody else may be emptying the bucket: who comes back at different times finds it filled.
            most = min(LAST_PAUSE_SECONDS, PAUSE_SECONDS * 2**tried)
            await asyncio.sleep(random.uniform(0, most))  # noqa: S311 - nobody is to be kept from guessing it

    async def find(
        self, service: str, operation: str, /, *, absent: tuple[str, ...], **params: Any
    ) -> dict[str, Any] | None:
        return await found(self, service, operation, absent, params)

    async def pages(
        self, service: str, operation: str, /, *, items: str, **params: Any
    ) -> AsyncIterator[Any]:
        client = await self.clients.get(service, self.region)
        paginator = client.get_paginator(xform_name(operation))
        tokens_in = paginator._input_token
        tokens_out = paginator._output_token
        more_key = paginator._more_results
        while True:
            answer = await self.call(service, operation, **params)
            for item in answer.get(items) or ():
                yield item
            found = [expression.search(answer) for expression in tokens_out]
            if more_key is not None and not more_key.search(answer):
                return
            if not any(found):
                return
            params.update({name: value for name, value in zip(tokens_in, found, strict=True) if value})

    def at(self, region: str) -> SpokeAccount:
        return self if region == self.region else replace(self, region=region)
