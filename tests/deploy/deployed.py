"""One hub deployed from the templates, with its own role's keys, and spoke accounts as they are needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bots._bot import AnyBot
from hub.app import Hub
from hub.model import Run
from tests.bots.scene import Planted, Scene
from tests.bots.test_contract import SCENES, finding
from tests.deploy.estate import spoke_stack
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

# One scene a bot: that the declared actions are enough in every scene, the contract suite shows.
FIRST = {bot.name: (bot, scene) for bot, scene in reversed(SCENES) if not scene.blocked}


@dataclass(frozen=True, slots=True)
class Deployed:
    """Accounts are never shared by tests."""

    aws: FakeAws
    hub: Hub
    account: str
    environment: Mapping[str, str]
    accounts: Iterator[str]

    async def spoke(self, **role: str) -> Admin:
        """The next account, with the spoke role deployed."""
        admin = self.aws.admin(next(self.accounts))
        await self.update(admin, **role)
        return admin

    async def update(self, spoke: Admin, **role: str) -> None:
        """Deploy the spoke role there once more, from another template perhaps."""
        await spoke_stack(self.aws, spoke.account_id, hub=self.account, **role)

    async def find(self, bot: AnyBot, scene: Scene, planted: Planted, spoke: Admin) -> Run:
        """Send a finding; the one run it leads to."""
        report = await self.hub.settle(finding(bot, scene, planted, spoke.account_id))
        assert report is not None
        [run] = report.runs
        return run
