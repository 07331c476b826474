"""A bad day: one call in four goes wrong, and nothing untrue is said of a thousand findings."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from unittest import mock

from benchmarks.figure import Figure
from hub.app import open_hub
from hub.log import configure
from hub.settings import DeploymentMode, Settings
from tests.emulator.running import Emulator
from tests.fake_aws.server import EXTERNAL_ID
from tests.hub import bad_day
from tests.hub.bad_day import Told

ACCOUNTS = 20
BUCKETS = 50


def figures(emulator: Emulator) -> Iterator[Figure]:
    told = _told(emulator)
    findings = ACCOUNTS * BUCKETS
    ends = ", ".join(f"{count} {outcome}" for outcome, count in sorted(told.outcomes.items()))
    wrong = ", ".join(f"{count} {fault}" for fault, count in sorted(told.faults.items()))
    yield Figure(
        name="a bad day: findings something untrue is said of",
        value=f"{len(told.untrue)}",
        floor=f"{findings:,} findings, 5 % of the calls for each kind of fault, one attempt a call",
        ratio=len(told.untrue) / findings,
        target=0,
        note=f"{ends}; {wrong}",
    )
    unsettled = findings - sum(told.outcomes.values())
    yield Figure(
        name="a bad day: findings without an end, or not right after a good day",
        value=f"{unsettled + len(told.wrong_after)}",
        floor=f"{findings:,} findings",
        ratio=(unsettled + len(told.wrong_after)) / findings,
        target=0,
    )


def _told(emulator: Emulator) -> Told:
    spokes = bad_day.plant(emulator, accounts=ACCOUNTS, buckets=BUCKETS)
    settings = Settings.load(
        deployment_mode=DeploymentMode.MULTI,
        accounts=tuple(sorted({admin.account_id for admin in spokes.values()})),
        external_id=EXTERNAL_ID,
        journal="memory",
        proof_seconds=0.0,
        calls_per_second=1000,
    )
    environment = {"AWS_ENDPOINT_URL": emulator.endpoint, **emulator.hub_credentials()}

    # What the hub logs of each failure is what the figure counts.
    configure("ERROR")

    async def day() -> Told:
        async with open_hub(settings) as hub:
            return await bad_day.live_through(
                hub, spokes, emulator.weather, lambda: emulator.counts()["faults"]
            )

    with mock.patch.dict(os.environ, environment), bad_day.one_attempt_a_call():
        return asyncio.run(day())
