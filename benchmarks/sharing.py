"""Sharing: four workers that know nothing of each other, on one account, and AWS's token buckets before it.

Throttle state is per process. Each worker begins at the full rate and with the whole burst, is throttled, halves
its rate and wins back an eighth of it every two seconds (`hub.aws.throttle`). AWS's buckets are here exactly
what each of the workers believes to have for itself. Both are half of the documented size: two cores, which
carry the emulator and four workers, must not be what limits them.

The workers are `hub_side` processes that each have a quarter of the findings, so that what is measured is how
they share AWS's budget and not who read the queue first. Each settles as many findings at once as a
worker gives one account.

Targets, and why:

* 1.5 x the soonest the buckets allow: one worker alone needs up to 1.1 x (`pacing`). Rates that are halved and won
  back leave a part of the budget unused, a quarter if all four were halved together, and that is a third more time;
* a quarter of the calls throttled: as the test of it on a virtual clock allows. Each is tried again, and none fails;
* no worker below half of its fair share of the calls let through while all four are at work.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from benchmarks import sides
from benchmarks.estate import TAG, message, plant
from benchmarks.figure import Figure
from benchmarks.pacing import soonest
from hub.aws.limits import bucket_of
from hub.settings import Settings
from hub.work import SHARE
from tests.emulator.buckets import Limit
from tests.emulator.running import Emulator
from tests.emulator.weather import Weather

WORKERS = 4
FINDINGS = 80  # of each worker
CALLS_PER_SECOND = 10
AT_ONCE = int(Settings.model_fields["concurrency"].default) // SHARE


def _aws(operation: str) -> Limit:
    believed = bucket_of("ec2", operation, calls_per_second=CALLS_PER_SECOND).limit
    return Limit(believed.burst, believed.per_second)


LIMITS = {("ec2", "read"): _aws("DescribeTags"), ("ec2", "change"): _aws("CreateTags")}


def figures(emulator: Emulator) -> Iterator[Figure]:
    estate = plant(emulator, accounts=2, groups=WORKERS * FINDINGS)
    warm, spoke = estate.spokes
    shares = [spoke.groups[number::WORKERS] for number in range(WORKERS)]
    emulator.weather(Weather(limits=LIMITS, record=True))
    with ThreadPoolExecutor(WORKERS) as pool:
        sides_of = [
            pool.submit(
                sides.hub,
                estate,
                [message(spoke.account_id, group, TAG) for group in groups],
                warm=[message(warm.account_id, warm.groups[number], TAG)],
                at_once=AT_ONCE,
                HUB_CALLS_PER_SECOND=str(CALLS_PER_SECOND),
            )
            for number, groups in enumerate(shares)
        ]
        workers = [side.result() for side in sides_of]
    outcomes = Counter[str]()
    for found in workers:
        outcomes.update(found["outcomes"])
    told = emulator.counts()
    calls = [call for call in told["recorded"] if call["account_id"] == spoke.account_id]
    optimum = soonest(calls, LIMITS)
    wall = calls[-1]["at"] - calls[0]["at"]
    throttled = sum(told["throttled"].values())
    sides.only(outcomes, "fixed", WORKERS * FINDINGS)
    least, most, total = _of_each(calls, shares)
    yield Figure(
        name="sharing: time",
        value=f"{wall:.1f} s for {WORKERS * FINDINGS} findings in one account by {WORKERS} workers",
        floor=f"{optimum:.1f} s, the soonest the buckets allow",
        ratio=wall / optimum,
        target=1.5,
    )
    yield Figure(
        name="sharing: calls AWS throttled",
        value=f"{throttled} of {len(calls) + throttled:,}",
        floor="a quarter of all calls",
        ratio=throttled / (len(calls) + throttled) / 0.25,
        target=1,
        note="a worker tries them again by itself; nothing failed",
    )
    yield Figure(
        name="sharing: the worker that got least",
        value=f"{least:,} calls, of {total:,} while all {WORKERS} were at work; most got {most:,}",
        floor=f"half of a fair share, {total / WORKERS / 2:.0f} calls",
        ratio=total / WORKERS / 2 / least,
        target=1,
    )


def _of_each(calls: Sequence[Mapping[str, Any]], shares: Sequence[Sequence[str]]) -> tuple[int, int, int]:
    """The fewest and the most calls a worker got through while all were at work, and those of all."""
    owner = {group: number for number, groups in enumerate(shares) for group in groups}
    made = [(call["at"], owner[group]) for call in calls for group in owner if group in str(call["params"])]
    moments = {number: [at for at, mine in made if mine == number] for number in range(len(shares))}
    first, last = max(map(min, moments.values())), min(map(max, moments.values()))
    got = [sum(first <= at <= last for at in own) for own in moments.values()]
    return min(got), max(got), sum(got)
