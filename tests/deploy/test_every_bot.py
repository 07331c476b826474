"""Every bot at work through the deployed templates: hub role, trust, spoke role and its limits, enforced."""

from __future__ import annotations

import pytest

from bots._bot import AnyBot
from hub.app import open_hub
from hub.model import Outcome
from hub.settings import DeploymentMode, Settings
from spoke_role.policy import select
from spoke_role.template import render
from tests.bots.scene import Scene
from tests.bots.test_contract import SCENES, finding
from tests.deploy.estate import EXTERNAL_ID, LEFT_OUT, hub_stack, spoke_stack
from tests.fake_aws.server import FakeAws

# One scene a bot: that the declared actions are enough in every scene, the contract suite shows.
FIRST = {bot.name: (bot, scene) for bot, scene in reversed(SCENES) if not scene.blocked}

pytestmark = pytest.mark.filterwarnings(LEFT_OUT)


@pytest.fixture(scope="session")
def hubs() -> dict[str, dict[str, str]]:
    """Stack outputs of the one hub all these tests share, by its account."""
    return {}


async def hub_of(aws: FakeAws, hubs: dict[str, dict[str, str]]) -> tuple[str, dict[str, str]]:
    if not hubs:
        account = aws.fresh_account().account_id
        hubs[account] = await hub_stack(aws, account, DeploymentMode="multi")
    return next(iter(hubs.items()))


@pytest.mark.parametrize(("bot", "scene"), [pytest.param(*FIRST[name], id=name) for name in sorted(FIRST)])
async def test_the_deployed_roles_are_enough_for_the_bot(
    bot: AnyBot,
    scene: Scene,
    aws: FakeAws,
    hubs: dict[str, dict[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hub_account, outputs = await hub_of(aws, hubs)
    spoke = aws.fresh_account()
    # The committed role holds nothing for optional bots; one is rendered by their name.
    role = {"template": render(select([bot.name]))} if bot.optional else {}
    await spoke_stack(aws, spoke.account_id, hub=hub_account, **role)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws.endpoint)
    for name, value in aws.enter(hub_account, outputs["HubRoleArn"], session="hub").items():
        monkeypatch.setenv(name, value)
    settings = Settings.load(
        deployment_mode=DeploymentMode.MULTI,
        accounts=(spoke.account_id,),
        external_id=EXTERNAL_ID,
        own_account_by_role=True,
        optional_bots=(bot.name,),
        journal=f"dynamodb:{outputs['TableName']}",
        report_topic_arn=outputs["OutputTopicARN"],
        proof_seconds=0.0,
        calls_per_second=1000,
    )
    planted = scene.plant(spoke)
    async with open_hub(settings) as hub:
        report = await hub.settle(finding(bot, scene, planted, spoke.account_id))
        assert report is not None
        [run] = report.runs
        assert run.outcome is Outcome.FIXED, run.message
        if bot.undo.degree != "none":
            [undone] = (await hub.undo(run.run_id)).runs
            assert undone.outcome is Outcome.RESTORED, undone.message
