"""One bot alone in an account of the fake AWS, with the rights it declares and without the hub around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from bots._bot import AnyBot, Before, Check, Target
from bots._words import parse
from hub.aws.account import SpokeAccount
from hub.aws.accounts import session_policy
from hub.aws.clients import Clients, Keys
from hub.aws.throttle import Pacer
from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws


@dataclass(frozen=True, slots=True)
class Alone:
    """A bot and the resource it is let loose on."""

    bot: AnyBot
    account: SpokeAccount
    target: Target
    words: tuple[str, ...]

    def saying(self, *words: str) -> Alone:
        """The same with other parameters."""
        return replace(self, words=words)

    async def check(self) -> Check[Before]:
        return await self.bot.run_check(self.account, self.target, parse(self.bot.params, self.words))

    async def fix(self) -> Check[Before]:
        """Check, fix what is wrong, and check again; the second check."""
        params = parse(self.bot.params, self.words)
        seen = await self.check()
        assert not seen.compliant, seen.why
        await self.bot.run_fix(self.account, self.target, params, seen.before)
        return await self.check()

    async def undo(self, before: Before) -> Check[Before]:
        await self.bot.run_undo(self.account, self.target, before)
        return await self.check()


@asynccontextmanager
async def alone(
    bot: AnyBot, aws: FakeAws, admin: Admin, planted: Planted, *, region: str = "us-east-1"
) -> AsyncIterator[Alone]:
    """The bot in the account of ``admin``; needs the ``hub_environment`` fixture, which names the endpoint."""
    rights = session_policy(bot, admin.account_id, "aws")
    given = aws.role_credentials(admin.account_id, "bot-alone", [rights])
    keys = Keys(
        admin.account_id,
        given["AWS_ACCESS_KEY_ID"],
        given["AWS_SECRET_ACCESS_KEY"],
        given["AWS_SESSION_TOKEN"],
    )
    clients = Clients()
    account = SpokeAccount(admin.account_id, region, "aws", keys, "tests", clients, Pacer(1000))
    target = Target(
        account_id=admin.account_id,
        region=region,
        partition="aws",
        type=bot.acts_on,
        id=bot.target(planted.entity, admin.account_id),
        entity=planted.entity,
    )
    try:
        yield Alone(bot, account, target, planted.words)
    finally:
        await clients.close()
