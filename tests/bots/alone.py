"""One bot alone in an account of the fake AWS, with the rights it declares and without the hub around it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from bots._bot import AnyBot, Before, Check, Params, Target
from bots._grants import grants
from bots._words import parse
from hub.aws.account import SpokeAccount, utc_now
from hub.aws.clients import Clients, Keys
from hub.aws.throttle import Pacer
from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, policy


@dataclass(frozen=True, slots=True)
class Alone:
    """A bot and the resource it is let loose on."""

    bot: AnyBot
    account: SpokeAccount
    target: Target
    words: tuple[str, ...]
    suggested_policy: str | None = None

    @property
    def params(self) -> Params:
        found: Params = parse(self.bot.params, self.words, suggested_policy=self.suggested_policy)
        return found

    def saying(self, *words: str) -> Alone:
        """The same with other parameters."""
        return replace(self, words=words)

    async def check(self) -> Check[Before]:
        return await self.bot.run_check(self.account, self.target, self.params)

    async def fix(self) -> Check[Before]:
        """Check, fix what is wrong, and check again; the second check."""
        seen = await self.check()
        assert not seen.compliant, seen.why
        await self.bot.run_fix(self.account, self.target, self.params, seen.before)
        return await self.check()

    async def undo(self, before: Before) -> Check[Before]:
        await self.bot.run_undo(self.account, self.target, before)
        return await self.check()


@asynccontextmanager
async def alone(
    bot: AnyBot,
    aws: FakeAws,
    admin: Admin,
    planted: Planted,
    *,
    region: str = "us-east-1",
    now: datetime | None = None,
) -> AsyncIterator[Alone]:
    """The bot in the account of ``admin``; needs the ``hub_environment`` fixture, which names the endpoint.

    Args:
        now: what the bot takes for the time.
    """
    # What it declares and no more: sessions of the hub may read a little besides, for its guards.
    rights = policy(*(grant.statement(partition="aws", account=admin.account_id) for grant in grants([bot])))
    given = aws.role_credentials(admin.account_id, "bot-alone", [rights])
    keys = Keys(
        admin.account_id,
        given["AWS_ACCESS_KEY_ID"],
        given["AWS_SECRET_ACCESS_KEY"],
        given["AWS_SESSION_TOKEN"],
    )
    clients = Clients()
    clock = (lambda: now) if now else utc_now
    account = SpokeAccount(admin.account_id, region, "aws", keys, "tests", clients, Pacer(1000), clock)
    target = Target(
        account_id=admin.account_id,
        region=region,
        partition="aws",
        type=bot.acts_on,
        id=bot.target(planted.entity, admin.account_id),
        name=planted.entity.get("name") or "",
        entity=bot.kept_of(planted.entity),
        event_time=planted.event_time,
        occurrence="one-report-of-a-finding",
        rule="a rule",
    )
    try:
        suggested = planted.suggested_policy
        yield Alone(bot, account, target, planted.words, json.dumps(suggested) if suggested else None)
    finally:
        await clients.close()
