"""What a spoke role says of itself: asked seldom, and never in the way."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from hub.app import open_hub
from hub.aws.spoke_roles import KNOWN_SECONDS, SpokeRole
from hub.model import Run
from spoke_role.tags import BOTS_TAG, VERSION_TAG
from tests.conftest import MakeSettings
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws, allow, policy


def run_in(account_id: str) -> Run:
    return Run(
        run_id="run-1",
        occurrence="o",
        finding_key="k",
        account_id=account_id,
        region="us-east-1",
        bot="s3_enable_versioning",
        fence=1,
        opened_at=datetime(2026, 11, 2, tzinfo=UTC),
    )


def spoke_with(aws: FakeAws, version: str) -> Admin:
    spoke = aws.spoke({"remediation": policy(allow("iam:GetRole"))})
    tag(spoke, version)
    return spoke


def tag(spoke: Admin, version: str) -> None:
    tags = [{"Key": VERSION_TAG, "Value": version}, {"Key": BOTS_TAG, "Value": "all"}]
    spoke.client("iam").tag_role(RoleName="Dome9CloudBots", Tags=tags)


async def test_an_updated_role_is_noticed_after_a_while_and_not_before(
    hub_environment: FakeAws, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoke = spoke_with(hub_environment, "1")
    run = run_in(spoke.account_id)
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        assert await hub.kit.roles.of(run) == SpokeRole("1", "all")
        tag(spoke, "2")
        assert await hub.kit.roles.of(run) == SpokeRole("1", "all")
        later = time.time() + KNOWN_SECONDS + 1
        monkeypatch.setattr(time, "time", lambda: later)
        assert await hub.kit.roles.of(run) == SpokeRole("2", "all")


async def test_an_account_that_cannot_be_entered_tells_nothing(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    nobody = hub_environment.fresh_account().account_id
    async with open_hub(hub_settings(nobody)) as hub:
        assert await hub.kit.roles.of(run_in(nobody)) is None


async def test_the_session_may_read_the_role_and_nothing_else(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = spoke_with(hub_environment, "1")
    async with open_hub(hub_settings(spoke.account_id)) as hub:
        await hub.kit.roles.of(run_in(spoke.account_id))
    [call] = hub_environment.calls(spoke.account_id)
    assert call.name == "iam:GetRole"
    assert call.caller.rpartition("/")[2].startswith("hub.about_the_role.")


async def test_a_session_that_all_bots_share_is_not_called_after_the_first(
    hub_environment: FakeAws, hub_settings: MakeSettings
) -> None:
    spoke = spoke_with(hub_environment, "1")
    async with open_hub(hub_settings(spoke.account_id, narrow_sessions=False)) as hub:
        await hub.kit.roles.of(run_in(spoke.account_id))
    [call] = hub_environment.calls(spoke.account_id)
    assert call.caller.rpartition("/")[2].startswith("hub.any.")
