"""CPU over the floor: the hub against the bare SDK making the same calls."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks import sides
from benchmarks.estate import TAG, findings, plant
from benchmarks.figure import Figure
from tests.emulator.running import Emulator
from tests.emulator.weather import Weather


def figures(emulator: Emulator) -> Iterator[Figure]:
    estate = plant(emulator, accounts=101, buckets=5, groups=5)
    warm, *spokes = estate.spokes
    work = list(findings(spokes, on_groups=TAG))
    emulator.weather(Weather(record=True))
    hub = sides.hub(estate, work, warm=list(findings([warm], on_groups=TAG)))
    sides.only(hub["outcomes"], "fixed", len(work))
    calls = [call for call in emulator.counts()["recorded"] if warm.account_id not in str(call["params"])]
    calls = [call for call in calls if call["account_id"] != warm.account_id]
    emulator.weather(Weather())
    floor = sides.floor(estate, calls)
    yield Figure(
        name="CPU over the floor",
        value=f"{hub['cpu']:.2f} CPU-s for {len(work):,} findings in 100 accounts",
        floor=f"{floor['cpu']:.2f} CPU-s for the same {len(calls):,} calls",
        ratio=hub["cpu"] / floor["cpu"],
        target=1.30,
        note=f"{1000 * hub['cpu'] / len(work):.1f} ms a finding, {len(calls) / len(work):.1f} calls",
    )
