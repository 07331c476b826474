"""Every bot at work through the deployed templates: hub role, trust, spoke role and its limits, enforced."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass

import pytest
import pytest_asyncio

from bots._bot import AnyBot
from hub.app import Hub, open_hub
from hub.model import Outcome
from hub.settings import DeploymentMode, Settings
from spoke_role.policy import select
from spoke_role.template import render
from tests.bots.scene import Scene
from tests.bots.test_contract import SCENES, finding
from tests.deploy.estate import EXTERNAL_ID, LEFT_OUT, hub_stack, spoke_stack
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

# One scene a bot: that the declared actions are enough in every scene, the contract suite shows.
FIRST = {bot.name: (bot, scene) for bot, scene in reversed(SCENES) if not scene.blocked}

pytestmark = [pytest.mark.filterwarnings(LEFT_OUT), pytest.mark.asyncio(loop_scope="module")]


@dataclass(frozen=True, slots=True)
class Deployed:
    """The one hub of these tests, with its own role's keys, and accounts that nobody has used."""

    aws: FakeAws
    hub: Hub
    account: str
    environment: Mapping[str, str]
    accounts: Iterator[str]

    async def spoke(self, **role: str) -> Admin:
        """The next account, with the spoke role deployed."""
        account_id = next(self.accounts)
        await spoke_stack(self.aws, account_id, hub=self.account, **role)
        return self.aws.admin(account_id)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployed(aws: FakeAws) -> AsyncIterator[Deployed]:
    account = aws.fresh_account().account_id
    outputs = await hub_stack(aws, account, DeploymentMode="multi")
    spokes = [aws.fresh_account().account_id for _ in FIRST]
    environment = {
        "AWS_ENDPOINT_URL": aws.endpoint,
        **aws.enter(account, outputs["HubRoleArn"], session="hub"),
    }
    settings = Settings.load(
        deployment_mode=DeploymentMode.MULTI,
        accounts=tuple(spokes),
        external_id=EXTERNAL_ID,
        own_account_by_role=True,
        optional_bots=tuple(bot.name for bot, _ in FIRST.values() if bot.optional),
        journal=f"dynamodb:{outputs['TableName']}",
        report_topic_arn=outputs["OutputTopicARN"],
        proof_seconds=0.0,
        calls_per_second=1000,
    )
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        async with open_hub(settings) as hub:
            yield Deployed(aws, hub, account, environment, iter(spokes))


@pytest.mark.parametrize(("bot", "scene"), [pytest.param(*FIRST[name], id=name) for name in sorted(FIRST)])
async def test_the_deployed_roles_are_enough_for_the_bot(
    bot: AnyBot, scene: Scene, deployed: Deployed, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The hub makes clients when it first needs them, whichever test that is in.
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)
    # The committed role holds nothing for optional bots; one is rendered by their name.
    spoke = await deployed.spoke(**({"template": render(select([bot.name]))} if bot.optional else {}))
    planted = scene.plant(spoke)
    report = await deployed.hub.settle(finding(bot, scene, planted, spoke.account_id))
    assert report is not None
    [run] = report.runs
    assert run.outcome is Outcome.FIXED, run.message
    if bot.undo.degree != "none":
        [undone] = (await deployed.hub.undo(run.run_id)).runs
        assert undone.outcome is Outcome.RESTORED, undone.message
