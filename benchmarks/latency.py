"""Latency: one finding, 50 ms added to every call; independent reads go side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks import sides
from benchmarks.estate import CLOSE_SSH, VERSIONING, message, plant
from benchmarks.figure import Figure
from tests.emulator.running import Emulator
from tests.emulator.weather import Weather

LATENCY = 0.05
ALLOWED = 0.06


def figures(emulator: Emulator) -> Iterator[Figure]:
    estate = plant(emulator, accounts=1, buckets=2, groups=2)
    [spoke] = estate.spokes
    for action, (first, second) in ((VERSIONING, spoke.buckets), (CLOSE_SSH, spoke.groups)):
        emulator.weather(Weather(latency=LATENCY, record=True))
        work, warm = (message(spoke.account_id, entity, action) for entity in (second, first))
        hub = sides.hub(estate, [work], warm=[warm])
        sides.only(hub["outcomes"], "fixed", 1)
        calls = [call for call in emulator.counts()["recorded"] if second in str(call["params"])]
        rounds = on_the_way(calls)
        allowed = rounds * LATENCY + ALLOWED
        yield Figure(
            name=f"latency of one {action.split()[0]}",
            value=f"{1000 * hub['wall']:.0f} ms",
            floor=f"{1000 * allowed:.0f} ms: {rounds} calls one after the other x 50 ms + 60 ms",
            ratio=hub["wall"] / allowed,
            target=1.0,
            note=f"{len(calls)} calls in all",
        )


def on_the_way(calls: Sequence[Mapping[str, Any]]) -> int:
    """How many calls waited for one before them: those that set out while another was on its way did not."""
    rounds, back = 0, 0.0
    for at in sorted(call["at"] for call in calls):
        if at >= back:
            rounds += 1
            back = at + LATENCY
    return rounds
