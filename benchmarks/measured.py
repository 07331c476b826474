"""What a process cost: measured from inside, between two points."""

from __future__ import annotations

import gc
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Cost:
    """Seconds on the clock, CPU seconds of this process, and megabytes at the end and at the peak."""

    wall: float = 0.0
    cpu: float = 0.0
    rss: float = 0.0
    peak: float = 0.0


def cpu_seconds(of: int = resource.RUSAGE_SELF) -> float:
    """User and system time so far: of this process, or with ``RUSAGE_CHILDREN`` of its children that have
    ended and been waited for, and of theirs."""
    used = resource.getrusage(of)
    return used.ru_utime + used.ru_stime


def memory(name: str) -> float:
    """``VmRSS`` or ``VmHWM`` of this process in megabytes (proc(5))."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def measured() -> Iterator[Cost]:
    """The cost of the block."""
    gc.collect()
    cost = Cost()
    wall, cpu = time.perf_counter(), cpu_seconds()
    yield cost
    cost.wall = time.perf_counter() - wall
    cost.cpu = cpu_seconds() - cpu
    cost.rss = memory("VmRSS")
    cost.peak = memory("VmHWM")
