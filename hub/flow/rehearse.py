"""Runs a bot's fix for show: reads are answered by AWS, changes are noted instead of being sent."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

from bots._aws import Aws, AwsError
from bots._bot import AnyBot, Before, CannotFix, Params, Target, TargetGone, TryLater, Unproven
from bots._catalogue import names
from bots._own import Unknown
from hub.aws.limits import is_read
from hub.aws.through import Through
from hub.flow.redaction import plain, redactor
from hub.flow.stand_in import Answer, as_json, has_part
from hub.model import PlannedCall

MOST_CALLS = 200
MOST_READS = 1000
MOST_BYTES = 60_000  # of JSON: a record of the journal has room for 400,000, and a note for 300,000
SECONDS = 120.0
# Asking these for a session or an identity makes one.
_NEVER_READ = frozenset({"sts", "sso", "sso-oidc", "cognito-identity", "signin"})
OWN = "a bot of your own is not rehearsed, for nobody has shown that it changes nothing but through the hub"
OLD_SHAPE = "a bot in the old shape calls AWS by itself, so nobody can tell its calls without making them"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """What a fix would call, if AWS does each time what it is asked.

    Attributes:
        calls: the changes in their order, without secrets.
        whole: there are no more; else ``why`` says why the rest is not known.
    """

    calls: tuple[PlannedCall, ...]
    whole: bool
    why: str = ""


async def rehearse(
    bot: AnyBot, account: Aws, target: Target, params: Params | None, before: Before
) -> Rehearsal:
    """The calls that ``bot.run_fix`` would make now. None of them is sent; what is not surely a read never is.

    Args:
        before: what the bot's check saw just now, of a resource that is wrong.
    """
    # The contract suite looks at the bots of this project only.
    if bot.name not in names():
        return Rehearsal(calls=(), whole=False, why=OLD_SHAPE if bot.before is Unknown else OWN)
    stage = _Stage()
    why = ""
    limit = asyncio.timeout(SECONDS)
    try:
        async with limit:
            await bot.run_fix(_Rehearsed(account, stage), target, params, before)
    except _Stopped:
        pass
    except (CannotFix, TargetGone, TryLater, Unproven, AwsError) as raised:
        why = f"the fix would end there: {raised}"
    except Exception as raised:  # noqa: BLE001 - whatever a bot raises, its change is not to be made for it
        why = f"the bot raised {type(raised).__name__}"
        if limit.expired():
            why = f"the fix had not ended after {SECONDS:.0f} seconds"
    why = stage.stopped or why
    return Rehearsal(calls=tuple(stage.calls), whole=not why, why=redactor(None)(why))


class _Stopped(BaseException):
    """The rehearsal is over. No `Exception`, so that no bot takes it for an error of AWS."""


@dataclass(slots=True)
class _Stage:
    """What happened so far, in all regions. ``stopped`` is why nothing may happen any more."""

    calls: list[PlannedCall] = field(default_factory=list)
    times: Counter[str] = field(default_factory=Counter)
    changed: set[str] = field(default_factory=set)  # services
    reads: int = 0
    size: int = 0
    stopped: str = ""

    def stop(self, why: str) -> NoReturn:
        self.stopped = self.stopped or why
        raise _Stopped(self.stopped)

    def look(self, service: str, operation: str, params: dict[str, Any]) -> None:
        """Before a read is sent.

        Raises:
            _Stopped: it is about what was not really changed.
        """
        self._go_on()
        if service in self.changed or has_part(params):
            self.stop(f"it would read ({service} {operation}) what only these calls bring about")
        self.reads += 1
        if self.reads > MOST_READS:
            self.stop(f"it reads more than {MOST_READS:,} times")

    def note(self, service: str, operation: str, region: str, params: dict[str, Any]) -> Answer:
        """Instead of sending a change: what stands for its answer."""
        self._go_on()
        told = plain(as_json(params), redactor(None))
        self.size += len(json.dumps(told))
        if len(self.calls) == MOST_CALLS or self.size > MOST_BYTES:
            self.stop("there are more calls than can be kept")
        self.calls.append(PlannedCall(service, operation, region, told))
        self.times[operation] += 1
        number = self.times[operation]
        if params.get("DryRun") is not True:
            self.changed.add(service)
        return Answer(operation if number == 1 else f"{operation} {number}", self.stop)

    def _go_on(self) -> None:
        if self.stopped:
            raise _Stopped(self.stopped)


@dataclass(frozen=True, slots=True)
class _Rehearsed(Through):
    """Implements `bots._aws.Aws`."""

    account: Aws
    stage: _Stage

    async def call(self, service: str, operation: str, /, **params: Any) -> dict[str, Any]:
        if _surely_reads(service, operation):
            self.stage.look(service, operation, params)
            return await self.account.call(service, operation, **params)
        answer = self.stage.note(service, operation, self.region, params)
        if params.get("DryRun") is True:
            raise AwsError(
                service=service,
                operation=operation,
                region=self.region,
                code="DryRunOperation",
                message="supposed to be allowed",
                status=412,
            )
        return answer

    async def pages(
        self, service: str, operation: str, /, *, items: str, **params: Any
    ) -> AsyncIterator[Any]:
        if not _surely_reads(service, operation):
            self.stage.stop(f"it reads the answers of {service} {operation}, which may change something")
        self.stage.look(service, operation, params)
        async for item in self.account.pages(service, operation, items=items, **params):
            yield item

    def at(self, region: str) -> _Rehearsed:
        if has_part(region):
            self.stage.stop("it goes to a region that only AWS can tell")
        return _Rehearsed(self.account.at(region), self.stage)


def _surely_reads(service: str, operation: str) -> bool:
    return is_read(operation) and service not in _NEVER_READ
