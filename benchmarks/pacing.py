"""Pacing: token buckets in front of AWS; nearly as fast as they allow, and hardly ever bounced.

The buckets are the documented ones. 3 accounts, not 40: with more the two cores, which carry both hub
and emulator, would be the limit and not the buckets.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks import sides
from benchmarks.estate import message, plant
from benchmarks.figure import Figure
from tests.emulator.buckets import EC2_CHANGE, EC2_READ, Limit, limit_of
from tests.emulator.running import Emulator
from tests.emulator.weather import Weather

ACCOUNTS = 3
FINDINGS = 50
TAGS = tuple(f"tag_ec2_resource {name} platform" for name in ("Owner", "Team", "Stage"))
LIMITS = {("ec2", "read"): EC2_READ, ("ec2", "change"): EC2_CHANGE, ("ec2", "CreateTags"): Limit(100, 10)}


def figures(emulator: Emulator) -> Iterator[Figure]:
    estate = plant(emulator, accounts=ACCOUNTS + 1, groups=FINDINGS)
    warm, *spokes = estate.spokes
    work = [message(spoke.account_id, group, *TAGS) for spoke in spokes for group in spoke.groups]
    # In turn, as a worker takes them.
    work = [work[account * FINDINGS + turn] for turn in range(FINDINGS) for account in range(ACCOUNTS)]
    emulator.weather(Weather(limits=LIMITS, record=True))
    hub = sides.hub(estate, work, warm=[message(warm.account_id, warm.groups[0], *TAGS)])
    sides.only(hub["outcomes"], "fixed", len(work) * len(TAGS))
    told = emulator.counts()
    optimum = soonest(told["recorded"], LIMITS)
    throttled = sum(told["throttled"].values())
    calls = sum(told["calls"].values())
    yield Figure(
        name="pacing: time",
        value=f"{hub['wall']:.1f} s for {len(work)} findings with three bots in {ACCOUNTS} accounts",
        floor=f"{optimum:.1f} s, the soonest the buckets allow",
        ratio=hub["wall"] / optimum,
        target=1.10,
        note=f"{calls:,} calls, {hub['cpu']:.1f} CPU-s of the hub",
    )
    yield Figure(
        name="pacing: calls AWS throttled",
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
