"""What tests of this folder share: the command line, and a deployed hub."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hub.app import open_hub
from hub.settings import DeploymentMode, Settings
from tests.deploy.command import Deploy, prepared
from tests.deploy.deployed import FIRST, Deployed
from tests.deploy.estate import EXTERNAL_ID, hub_stack
from tests.deploy.packages import Built, built
from tests.fake_aws.server import FakeAws
from tests.hub.rules.files import everything_allowed


@pytest.fixture
def deploy(aws: FakeAws, monkeypatch: pytest.MonkeyPatch) -> Deploy:
    return prepared(aws, monkeypatch)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def deployed(aws: FakeAws, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Deployed]:
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
        rules=everything_allowed(tmp_path_factory.mktemp("rules")),
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


@pytest.fixture
def in_the_hubs_environment(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hub makes clients when it first needs them, whichever test that is in."""
    for name, value in deployed.environment.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The packages for Lambda, and every library of the hub as a wheel."""
    base = tmp_path_factory.getbasetemp()
    return built(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
