"""Fairness: 99 accounts with one finding each, behind an account with 5,000, are hardly kept waiting.

Three times a `hub work` process on a queue of SQS settles 99 findings: alone, after it has taken the crowd
in, and when it finds the crowd and the 99 behind it in the queue. It is warm each time: its clients are
made, the 99 accounts are not entered yet. It stands still while the 99 are sent; the clock starts when it goes on
and stops when the last report about them is published.

The crowd is about 500 security groups, each to be given 10 tags; each finding is real work. AWS lets 10
groups a second be tagged, so the crowd would take eight minutes. Once the 99 are settled the worker is stopped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.estate import Estate, Spoke, message, more_groups, plant
from benchmarks.figure import Figure
from benchmarks.workers_side import MOST_SECONDS, at_work, findings_queue, standing_still
from tests.emulator.running import Emulator
from tests.emulator.weather import Weather

FEW = 99
GROUPS, TAGS = 500, 10
WARM = 5
TARGET = 2.0


@dataclass(frozen=True, slots=True)
class Round:
    """What one worker did: seconds until the last of the few was settled; how many others were changed by then; and
    seconds from SIGTERM to its end, in which it gives the rest back."""

    seconds: float
    others: int
    stopping: float


def figures(emulator: Emulator) -> Iterator[Figure]:
    estate = plant(emulator, accounts=FEW + 2, groups=1)
    warm, noisy, *few = estate.spokes
    noisy = more_groups(emulator, noisy, GROUPS - 1)
    crowd = [_tag(noisy, group, f"Crowd{tag}") for tag in range(TAGS) for group in noisy.groups]
    alone = _round(estate, "alone", warm, few)
    for name, waiting in (("behind a crowd", False), ("behind a crowd in the queue", True)):
        found = _round(estate, name.replace(" ", "-"), warm, few, crowd=crowd, waiting=waiting)
        yield Figure(
            name=f"fairness: {name}",
            value=f"{found.seconds:.1f} s for {FEW} accounts with a finding each, behind {len(crowd):,} of one",
            floor=f"{alone.seconds:.1f} s for the {FEW} alone",
            ratio=found.seconds / alone.seconds,
            target=TARGET,
            note=f"{found.others:,} of the {len(crowd):,} were changed by then; stopped in {found.stopping:.0f} s",
        )


def _tag(spoke: Spoke, group: str, key: str) -> dict[str, Any]:
    found = message(spoke.account_id, group, f"tag_ec2_resource {key} platform")
    found["findingKey"] += f"/{key}"
    return found


def _round(
    estate: Estate,
    name: str,
    warm: Spoke,
    few: Sequence[Spoke],
    *,
    crowd: Sequence[dict[str, Any]] = (),
    waiting: bool = False,
) -> Round:
    queue = findings_queue(estate, name, hears=[spoke.account_id for spoke in (warm, *few)])
    own = [_tag(spoke, spoke.groups[0], name) for spoke in few]
    with at_work(queue) as worker:
        queue.send([_tag(warm, warm.groups[0], f"{name}-{number}") for number in range(WARM)])
        queue.reported_at(WARM)
        estate.emulator.weather(Weather())
        if not waiting:
            with standing_still(worker):
                queue.send(crowd)
            queue.taken_in()
        with standing_still(worker):
            queue.send([*crowd, *own] if waiting else own)
            started = time.time()
        last = queue.reported_at(len(own))[-1]
        others = estate.emulator.counts()["calls"]["ec2:CreateTags"] - len(own)
        told_to_stop = time.time()
        worker.process.terminate()
        worker.process.wait(timeout=MOST_SECONDS)
        return Round(last - started, others, time.time() - told_to_stop)
