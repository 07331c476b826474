"""AWS on a bad day: whatever is answered, every finding is settled and no word about a resource is untrue."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from aiobotocore.config import AioConfig

from hub.app import Hub, open_hub
from hub.model import Message, Outcome, Run
from tests.conftest import MakeSettings
from tests.emulator.faults import Fault
from tests.emulator.front import Front
from tests.emulator.serving import served
from tests.emulator.weather import Weather
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws
from tests.hub.flow.test_settle import RIGHTS, versioning
from tests.hub.messages import finding

ACCOUNTS = 5
BUCKETS = 30
BAD_DAY = Weather(rates=dict.fromkeys(Fault, 0.05), seed=11, enforce=True)


@pytest.fixture
async def front(
    aws: FakeAws, hub_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Front]:
    # One attempt a call: what botocore would have hidden reaches the hub.
    once = AioConfig(retries={"mode": "standard", "total_max_attempts": 1})
    for module in ("hub.aws.clients", "hub.aws.accounts"):
        monkeypatch.setattr(f"{module}.client_config", lambda: once)
    front = Front(aws.gate)
    async with served(front) as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
        yield front


async def settled(hub: Hub, spokes: dict[str, Admin], *, day: int) -> dict[str, Run]:
    """The run about each bucket."""

    async def one(name: str, admin: Admin) -> Run:
        document = finding(admin.account_id, "s3_enable_versioning", key=name, id=name)
        document["reportTime"] = f"2026-03-{day:02}T05:40:42.000Z"
        report = await hub.settle(Message(body=json.dumps(document)))
        assert report is not None
        [run] = report.runs
        return run

    runs = await asyncio.gather(*(one(name, admin) for name, admin in spokes.items()))
    return dict(zip(spokes, runs, strict=True))


async def test_on_a_bad_day_every_finding_is_settled_and_every_word_is_true(
    front: Front, aws: FakeAws, hub_settings: MakeSettings
) -> None:
    admins = [aws.spoke({"remediation": RIGHTS}) for _ in range(ACCOUNTS)]
    spokes: dict[str, Admin] = {}
    for admin in admins:
        for number in range(BUCKETS):
            name = f"data-{number}-{admin.account_id}"
            admin.client("s3").create_bucket(Bucket=name)
            spokes[name] = admin
    async with open_hub(hub_settings(*(admin.account_id for admin in admins))) as hub:
        await hub.kit.identity.caller()
        front.change(BAD_DAY)
        runs = await settled(hub, spokes, day=20)
        assert all(front.counts.faults[fault] for fault in Fault), "the day was bad in every way"
        outcomes = Counter(run.outcome for run in runs.values())
        assert outcomes[Outcome.FIXED] > len(runs) / 4
        assert outcomes[Outcome.FIXED] < len(runs), "and it showed"
        for name, run in runs.items():
            on = versioning(spokes[name], name) == "Enabled"
            assert run.outcome is not None
            assert run.closed_at is not None
            assert await hub.kit.journal.get(run.run_id) == run
            if run.outcome in (Outcome.FIXED, Outcome.COMPLIANT):
                assert on, f"{name} was said to be right: {run.message}"
            if on:
                assert run.changed, f"{name} was changed and nobody said so: {run.message}"
                assert run.before is not None, "and could not be undone"
        front.change(Weather())
        runs = await settled(hub, spokes, day=21)
    for name, run in runs.items():
        assert run.outcome in (Outcome.FIXED, Outcome.COMPLIANT)
        assert versioning(spokes[name], name) == "Enabled"
