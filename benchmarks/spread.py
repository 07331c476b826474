"""Spread: AWS is 50 ms away; 1,000 findings over 100 accounts take little more than they must.

They must take the longer of two times:

* the CPU floor: how long the bare loop of `floor_side` needs on the clock for the same calls, as many at
  once, when no latency is added. It is taken on the clock because hub and floor ask the same emulator on
  the same cores: whoever makes these calls here needs that long, however near AWS is. The loop's CPU
  seconds, which are less, are told beside it;
* the longest lane: what one account needs when everything that has to wait for nothing goes side by side.
  That is entering it, the longest chain of calls of any of its findings, and the report, 50 ms each; or
  what its buckets need (`hub.aws.limits`), if that is longer. It is the warm account's, which has the same
  findings as every other: alone with the emulator, so that what went side by side also arrived so.

The hub settles as many at once as it does by default.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks import sides
from benchmarks.estate import TAG, Spoke, findings, plant
from benchmarks.figure import Figure
from benchmarks.latency import LATENCY, on_the_way
from hub.aws.limits import bucket_of
from hub.settings import Settings
from tests.emulator.running import Emulator
from tests.emulator.weather import Weather

ACCOUNTS = 100
AT_ONCE = int(Settings.model_fields["concurrency"].default)
CALLS_PER_SECOND = float(Settings.model_fields["calls_per_second"].default)
ENTRY_AND_REPORT = 2


def figures(emulator: Emulator) -> Iterator[Figure]:
    estate = plant(emulator, accounts=ACCOUNTS + 1, buckets=5, groups=5)
    warm, *spokes = estate.spokes
    work = list(findings(spokes, on_groups=TAG))
    emulator.weather(Weather(latency=LATENCY, record=True))
    hub = sides.hub(estate, work, warm=list(findings([warm], on_groups=TAG)), at_once=AT_ONCE)
    sides.only(hub["outcomes"], "fixed", len(work))
    recorded = emulator.counts()["recorded"]
    lane, rounds = longest_lane(warm, [call for call in recorded if _is_of(warm, call)])
    calls = [call for call in recorded if not _is_of(warm, call)]
    emulator.weather(Weather())
    floor = sides.floor(estate, calls, at_once=AT_ONCE)
    least = max(floor["wall"], lane)
    yield Figure(
        name="spread",
        value=f"{hub['wall']:.1f} s for {len(work):,} findings in {ACCOUNTS} accounts, {AT_ONCE} at once",
        floor=f"{least:.1f} s: CPU floor {floor['wall']:.1f} s, longest lane {lane:.2f} s ({rounds} calls)",
        ratio=hub["wall"] / least,
        target=1.3,
        note=f"{len(calls):,} calls; CPU-s: hub {hub['cpu']:.1f}, floor {floor['cpu']:.1f}",
    )


def _is_of(spoke: Spoke, call: Mapping[str, Any]) -> bool:
    return spoke.account_id in (call["account_id"], *str(call["params"]).split(":"))


def longest_lane(spoke: Spoke, calls: Sequence[Mapping[str, Any]]) -> tuple[float, int]:
    """Seconds an account needs at least, and how many calls of it wait for one before them."""
    own = [call for call in calls if call["account_id"] == spoke.account_id]
    chains = [
        on_the_way([call for call in own if entity in str(call["params"])])
        for entity in (*spoke.buckets, *spoke.groups)
    ]
    rounds = max(chains) + ENTRY_AND_REPORT
    asked = Counter(
        (call["service"], bucket_of(call["service"], call["operation"], calls_per_second=CALLS_PER_SECOND))
        for call in own
    )
    paced = max(
        (count - bucket.limit.burst) / bucket.limit.per_second for (_, bucket), count in asked.items()
    )
    return max(rounds * LATENCY, paced), rounds
