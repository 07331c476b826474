"""Every bot at work through the deployed templates: hub role, trust, spoke role and its limits, enforced."""

from __future__ import annotations

import pytest

from bots._bot import AnyBot
from hub.model import Outcome
from spoke_role.policy import select
from spoke_role.template import render
from tests.bots.scene import Scene
from tests.deploy.deployed import FIRST, Deployed

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("in_the_hubs_environment"),
]


@pytest.mark.parametrize(("bot", "scene"), [pytest.param(*FIRST[name], id=name) for name in sorted(FIRST)])
async def test_the_deployed_roles_are_enough_for_the_bot(
    bot: AnyBot, scene: Scene, deployed: Deployed
) -> None:
    # The committed role holds nothing for optional bots; one is rendered by their name.
    spoke = await deployed.spoke(**({"template": render(select([bot.name]))} if bot.optional else {}))
    run = await deployed.find(bot, scene, scene.plant(spoke), spoke)
    assert run.outcome is Outcome.FIXED, run.message
    if bot.undo.degree != "none":
        [undone] = (await deployed.hub.undo(run.run_id)).runs
        assert undone.outcome is Outcome.RESTORED, undone.message
