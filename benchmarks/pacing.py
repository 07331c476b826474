"""Pacing: token buckets in front of AWS; nearly as fast as they allow, and hardly ever bounced.

Twice. With the documented buckets and 3 accounts: with more, two cores that carry both hub and emulator
would be the limit and not the buckets. And with 40 accounts of 50 findings against buckets of the same
shape that are filled ten times as slowly, with `HUB_CALLS_PER_SECOND` told accordingly.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks import sides
from benchmarks.estate import FIRST, message, plant
from benchmarks.figure import Figure
from tests.emulator.buckets import EC2_CHANGE, EC2_READ, Limit, limit_of
from tests.emulator.running import Emulator
from tests.emulator.weather import Weather

FINDINGS = 50
HANDS = 8  # for each account
TAGS = tuple(f"tag_ec2_resource {name} platform" for name in ("Owner", "Team", "Stage"))


@dataclass(frozen=True, slots=True)
class Round:
    """``first``: number of the first account; ``bots``: for each finding."""

    name: str
    first: int
    accounts: int
    bots: tuple[str, ...]
    limits: Mapping[tuple[str, str], Limit]
    calls_per_second: int


DOCUMENTED = Round(
    name="documented buckets",
    first=0,
    accounts=3,
    bots=TAGS,
    limits={("ec2", "read"): EC2_READ, ("ec2", "change"): EC2_CHANGE, ("ec2", "CreateTags"): Limit(100, 10)},
    calls_per_second=20,
)
MANY = Round(
    name="40 accounts",
    first=1000,
    accounts=40,
    bots=TAGS[:1],
    limits={("ec2", "read"): Limit(10, 2), ("ec2", "change"): Limit(10, 1)},
    calls_per_second=2,
)


def figures(emulator: Emulator) -> Iterator[Figure]:
    for each in (DOCUMENTED, MANY):
        yield from _measured(emulator, each)


def _measured(emulator: Emulator, asked: Round) -> Iterator[Figure]:
    emulator.weather(Weather())
    estate = plant(emulator, accounts=asked.accounts + 1, groups=FINDINGS, first=FIRST + asked.first)
    warm, *spokes = estate.spokes
    # In turn, as a worker takes them.
    work = [
        message(spoke.account_id, spoke.groups[turn], *asked.bots)
        for turn in range(FINDINGS)
        for spoke in spokes
    ]
    emulator.weather(Weather(limits=asked.limits, record=True))
    hub = sides.hub(
        estate,
        work,
        warm=[message(warm.account_id, warm.groups[0], *asked.bots)],
        # A hand that waits for a bucket is no hand for another account.
        at_once=asked.accounts * HANDS,
        HUB_CALLS_PER_SECOND=str(asked.calls_per_second),
    )
    sides.only(hub["outcomes"], "fixed", len(work) * len(asked.bots))
    told = emulator.counts()
    optimum = soonest(told["recorded"], asked.limits)
    throttled = sum(told["throttled"].values())
    calls = sum(told["calls"].values())
    yield Figure(
        name=f"pacing, {asked.name}: time",
        value=f"{hub['wall']:.1f} s for {len(work):,} findings in {asked.accounts} accounts, "
        f"{len(asked.bots)} bots each",
        floor=f"{optimum:.1f} s, the soonest the buckets allow",
        ratio=hub["wall"] / optimum,
        target=1.10,
        note=f"{calls:,} calls, {hub['cpu']:.1f} CPU-s of the hub",
    )
    yield Figure(
        name=f"pacing, {asked.name}: calls AWS throttled",
        value=f"{throttled} of {calls:,}",
        floor="all calls",
        ratio=throttled / calls,
        target=0.01,
    )


def soonest(calls: Sequence[Mapping[str, Any]], limits: Mapping[tuple[str, str], Limit]) -> float:
    """Seconds after which the buckets can have let all these calls through, at the earliest."""
    asked = Counter((call["account_id"], call["operation"]) for call in calls if call["service"] == "ec2")
    optimum = 0.0
    for (_, operation), count in asked.items():
        limit = limit_of("ec2", operation, limits)
        assert limit is not None
        optimum = max(optimum, limit.seconds_for(count))
    return optimum
