"""Many workers: four on one queue, two of them killed without a word and replaced; nothing lost, nothing twice.

The journal is on dynalite, a DynamoDB of other people's making; the emulator serves the rest.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.figure import Figure
from tests.emulator.running import Emulator
from tests.hub import many_workers
from tests.hub.journals.servers import dynalite
from tests.hub.many_workers import Scenario, Told

SCENARIO = Scenario(findings=2_000, accounts=50, lease_seconds=15.0, patience=900.0)


def figures(emulator: Emulator) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, dynalite() as tables:
        told = many_workers.settle(emulator, tables, SCENARIO, Path(folder))
    published = sum(len(ids) for ids in told.reports.values())
    unreported = [key for key, ids in told.reports.items() if not ids]
    yield _none_of(
        "many workers: findings not settled exactly once",
        sorted({*told.wrong, *told.not_once}),
        f"by the resources' state and the journal; {_pace(told)}",
    )
    yield Figure(
        name="many workers: changes made again after a kill",
        value=f"{sum(told.writes.values()) - len(told.writes)} more than {len(told.writes):,}",
        floor=f"{SCENARIO.kills * SCENARIO.hands} at work in the killed workers at most",
        ratio=(sum(told.writes.values()) - len(told.writes)) / (SCENARIO.kills * SCENARIO.hands),
        target=1,
        note=f"{told.taken_over} runs were finished by another worker than the one that began",
    )
    yield _none_of(
        "many workers: findings without a report, or with several ids",
        sorted({*unreported, *told.with_several_ids}),
        f"{published:,} reports received; {published - SCENARIO.findings} were published twice, with the same id",
    )
    yield _none_of(
        "many workers: messages left or given up",
        ["message"] * (told.waiting + told.dead_letters),
        f"{told.dead_letters} in the dead-letter queue, {told.waiting} in the queue",
    )


def _none_of(name: str, found: Sequence[str], note: str) -> Figure:
    return Figure(
        name=name,
        value=f"{len(found)}",
        floor=f"{SCENARIO.findings:,} findings, {SCENARIO.workers} workers, {SCENARIO.kills} killed",
        ratio=len(found) / SCENARIO.findings,
        target=0,
        note=note,
    )


def _pace(told: Told) -> str:
    shares = ", ".join(str(count) for count in told.by_worker)
    rate = SCENARIO.findings / told.seconds
    return f"{told.seconds:.0f} s, {rate:.0f} findings/s; by worker, the killed ones first: {shares}"
