"""AWS on a bad day: what the hub says of every finding, and what is true of its resource.

Nothing is asserted here: a test and the bench judge what they are told.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

from aiobotocore.config import AioConfig

from hub.app import Hub
from hub.model import Message, Outcome, Run
from tests.emulator.faults import Fault
from tests.emulator.weather import Weather
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import Arranged, allow, policy
from tests.hub.messages import finding

BAD = Weather(rates=dict.fromkeys(Fault, 0.05), seed=11, enforce=True)
RIGHTS = policy(
    allow("s3:ListBucket", "s3:GetBucketVersioning", "s3:PutBucketVersioning", resource="arn:aws:s3:::*")
)
AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of the findings.

    Attributes:
        outcomes: how the runs of the bad day ended.
        untrue: what was said and was not so, or was so and not said, a sentence each.
        faults: how often each thing went wrong.
        wrong_after: resources that are not right after a second, good day for those that needed one.
    """

    outcomes: Mapping[Outcome, int]
    untrue: tuple[str, ...]
    faults: Mapping[str, int]
    wrong_after: tuple[str, ...]


@contextmanager
def one_attempt_a_call() -> Iterator[None]:
    """What botocore would have hidden by trying again reaches the hub. For hubs opened inside the block."""
    once = AioConfig(retries={"mode": "standard", "total_max_attempts": 1})
    with (
        mock.patch("hub.aws.clients.client_config", return_value=once),
        mock.patch("hub.aws.accounts.client_config", return_value=once),
    ):
        yield


def plant(aws: Arranged, *, accounts: int, buckets: int) -> dict[str, Admin]:
    """So many accounts with so many buckets without versioning each, by the buckets' names."""
    admins = [aws.spoke({"remediation": RIGHTS}) for _ in range(accounts)]
    found = {f"data-{number}-{admin.account_id}": admin for admin in admins for number in range(buckets)}
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda name: found[name].client("s3").create_bucket(Bucket=name), found))
    return found


async def live_through(
    hub: Hub,
    spokes: Mapping[str, Admin],
    change: Callable[[Weather], None],
    faults: Callable[[], Mapping[str, int]],
) -> Told:
    """A bad day with a finding about each bucket, and a good one for what it left undone.

    Args:
        change: changes the weather.
        faults: what went wrong since it changed.
    """
    await hub.kit.identity.caller()
    change(BAD)
    runs = await _settled(hub, spokes, day=20)
    went_wrong = dict(faults())
    change(Weather())
    on = await asyncio.to_thread(_versioned, spokes)
    untrue = [said for name in runs for said in _untrue(runs[name], on=name in on)]
    for run in runs.values():
        if await hub.kit.journal.get(run.run_id) != run:
            untrue.append(f"{run.target_id}: the journal says something else than the report")
    await _settled(hub, {name: spokes[name] for name in spokes if name not in on}, day=21)
    after = await asyncio.to_thread(_versioned, spokes)
    return Told(
        outcomes=Counter(run.outcome for run in runs.values() if run.outcome is not None),
        untrue=tuple(untrue),
        faults=went_wrong,
        wrong_after=tuple(name for name in spokes if name not in after),
    )


async def _settled(hub: Hub, spokes: Mapping[str, Admin], *, day: int) -> dict[str, Run]:
    hands = asyncio.Semaphore(AT_ONCE)

    async def one(name: str, admin: Admin) -> Run:
        document = finding(admin.account_id, "s3_enable_versioning", key=name, id=name)
        document["reportTime"] = f"2026-03-{day:02}T05:40:42.000Z"
        async with hands:
            report = await hub.settle(Message(body=json.dumps(document)))
        assert report is not None
        [run] = report.runs
        return run

    runs = await asyncio.gather(*(one(name, admin) for name, admin in spokes.items()))
    return dict(zip(spokes, runs, strict=True))


def _untrue(run: Run, *, on: bool) -> Iterator[str]:
    said = f"{run.target_id} was said to be {run.outcome}, changed: {run.changed}, {run.message!r}"
    if run.outcome is None or run.closed_at is None:
        yield f"{said}; that is no end"
    if run.outcome in (Outcome.FIXED, Outcome.COMPLIANT) and not on:
        yield f"{said}; but it is not right"
    if on and not run.changed:
        yield f"{said}; but it was changed"
    if on and run.before is None:
        yield f"{said}; and cannot be undone"


def _versioned(spokes: Mapping[str, Admin]) -> set[str]:
    def state(name: str) -> str:
        return str(spokes[name].client("s3").get_bucket_versioning(Bucket=name).get("Status"))

    with ThreadPoolExecutor(2) as pool:
        return {
            name for name, found in zip(spokes, pool.map(state, spokes), strict=True) if found == "Enabled"
        }
