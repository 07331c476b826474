"""Spoke roles of other versions and for other bots than the hub's: what works, what is denied and with which words."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bots._bot import AnyBot, Risk
from hub.flow.undo import Wish
from hub.model import Outcome, Run
from spoke_role.current import VERSION
from spoke_role.policy import select, version_of
from spoke_role.tags import VERSION_TAG
from spoke_role.template import render
from tests.bots.scene import Scene
from tests.deploy.deployed import FIRST, Deployed
from tests.deploy.estate import ROLE_YAML
from tests.fake_aws.admin import Admin
from tests.spoke_role.reading import parsed
from tests.spoke_role.synthetic import made_up

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.usefixtures("in_the_hubs_environment"),
]

ALL = select()
LIMITED = render(select(max_risk=Risk.DISRUPTIVE))
KNOWN, NEW = "kms_enable_rotation", "s3_enable_versioning"
DESTRUCTIVE = [pytest.param(*FIRST[b.name], id=b.name) for b in ALL if b.risk is Risk.DESTRUCTIVE]


def before_there_were_versions(*names: str) -> str:
    """The template as it was before the role told of itself, left resources alone by their tag, and other bots out."""
    template = parsed(render(select(names)))
    resources = template["Resources"]
    del resources["Role"]["Properties"]["Tags"], resources["OptOut"], resources["Chosen"]
    iam = resources["PermissionsIam"]["Properties"]["PolicyDocument"]
    iam["Statement"] = [each for each in iam["Statement"] if not each.get("Sid", "").startswith("Reads")]
    if not iam["Statement"]:
        del resources["PermissionsIam"]
    for resource in resources.values():
        if "DependsOn" in resource:
            resource["DependsOn"] = "Limits"
    return json.dumps(template)


class Case:
    """One bot's scene in one account, played again and again."""

    def __init__(self, deployed: Deployed, spoke: Admin, name: str) -> None:
        self.bot, self.scene = FIRST[name]
        self._deployed, self._spoke = deployed, spoke
        self._planted = self.scene.plant(spoke)

    def state(self) -> Any:
        return self.scene.observe(self._spoke, self._planted)

    async def find(self) -> Run:
        return await self._deployed.find(self.bot, self.scene, self._planted, self._spoke)

    async def undo(self, run: Run) -> None:
        at_once = Wish(hold=timedelta(0))
        [undone] = (await self._deployed.hub.undo(run.run_id, at_once)).runs
        assert undone.outcome is Outcome.RESTORED, undone.message

    async def fixed(self) -> None:
        """It is fixed, and made wrong again for the next time."""
        run = await self.find()
        assert run.outcome is Outcome.FIXED, run.message
        await self.undo(run)

    async def denied(self) -> str:
        """It is denied and nothing has changed; the words."""
        was = self.state()
        run = await self.find()
        assert (run.outcome, run.changed) == (Outcome.DENIED, False), run.message
        assert self.state() == was
        return run.message


def version_of_role(spoke: Admin) -> str:
    role = spoke.client("iam").get_role(RoleName="Dome9CloudBots")["Role"]
    return next((tag["Value"] for tag in role.get("Tags", []) if tag["Key"] == VERSION_TAG), "")


async def test_an_older_role_works_with_a_newer_hub_until_it_is_updated_and_again_after_a_rollback(
    deployed: Deployed,
) -> None:
    old = before_there_were_versions(KNOWN)
    spoke = await deployed.spoke(template=old)
    known, new = Case(deployed, spoke, KNOWN), Case(deployed, spoke, NEW)
    await known.fixed()
    words = await new.denied()
    assert "the spoke role lacks s3:" in words
    assert f"version {VERSION}, this hub's, has it: `hub deploy spokes` brings the role there" in words

    await deployed.update(spoke, template=ROLE_YAML)
    assert version_of_role(spoke) == VERSION
    await known.fixed()
    await new.fixed()

    await deployed.update(spoke, template=old)
    assert version_of_role(spoke) == ""
    await known.fixed()
    assert "the spoke role lacks s3:" in await new.denied()


async def test_a_hub_that_was_rolled_back_works_with_a_newer_role(deployed: Deployed) -> None:
    newer = (*ALL, made_up("of_tomorrow", writes=("s3:PutBucketCORS",)))
    spoke = await deployed.spoke(template=render(newer))
    assert version_of_role(spoke) == version_of(newer) != VERSION
    await Case(deployed, spoke, KNOWN).fixed()
    await Case(deployed, spoke, NEW).fixed()


@pytest.mark.parametrize(("bot", "scene"), DESTRUCTIVE)
async def test_a_role_of_limited_risk_keeps_destructive_bots_from_destroying_anything(
    bot: AnyBot, scene: Scene, deployed: Deployed
) -> None:
    spoke = await deployed.spoke(template=LIMITED)
    words = await Case(deployed, spoke, bot.name).denied()
    assert f"the spoke role was made for a part of the bots, and {bot.name} is not among them" in words
    assert "`hub deploy spokes` with it among them" in words


async def test_a_role_for_named_bots_works_for_these_and_no_others(deployed: Deployed) -> None:
    spoke = await deployed.spoke(template=render(select([KNOWN])))
    await Case(deployed, spoke, KNOWN).fixed()
    assert f"{NEW} is not among them" in await Case(deployed, spoke, NEW).denied()
