"""Runs a command to its end and measures all its processes from outside."""

from __future__ import annotations

import contextlib
import math
import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measured import cpu_seconds

SAMPLE_SECONDS = 0.1
# Looking at memory costs CPU, and more of it the more processes there are: at most a fiftieth of the time.
LOOKING = 50
ASK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds on the clock from start to exit, CPU seconds and the peak of megabytes of all processes."""

    wall: float
    cpu: float
    peak: float


def run(
    command: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    seconds: float,
    done: Callable[[], bool] | None = None,
) -> Spent:
    """Run a command in ``folder`` until it ends.

    Args:
        seconds: the most it may take.
        done: for a command that does not end by itself; asked four times a second, and once it is true the
            command is told to end by SIGTERM.

    Raises:
        RuntimeError: it failed or took too long; the end of what it said is in the text.
    """
    log = folder / "log"
    used, began, peak = cpu_seconds(resource.RUSAGE_CHILDREN), time.perf_counter(), 0.0
    ask_at = began if done is not None else math.inf
    with log.open("wb") as said:
        process = subprocess.Popen(
            command, env=dict(environment), cwd=folder, stdout=said, stderr=said, start_new_session=True
        )
    try:
        while process.poll() is None:
            now = time.perf_counter()
            if now - began > seconds:
                raise RuntimeError(f"{command[0]} took longer than {seconds:.0f} s: {_end_of(log)}")
            if done is not None and now >= ask_at:
                ask_at = now + ASK_SECONDS
                if done():
                    process.terminate()
                    ask_at = math.inf
            looked = time.perf_counter()
            peak = max(peak, megabytes(process.pid))
            looking = time.perf_counter() - looked
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(SAMPLE_SECONDS, LOOKING * looking))
        wall = time.perf_counter() - began
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)  # a session of its own: its workers, and nobody else
            process.wait()
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}: {_end_of(log)}")
    return Spent(wall, cpu_seconds(resource.RUSAGE_CHILDREN) - used, peak)


def megabytes(pid: int) -> float:
    """Proportional set size of a process and all below it: what processes share is counted once."""
    return sum(map(_pss, _family(pid))) / 1024


def _family(pid: int) -> Iterator[int]:
    yield pid
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return
    for thread in threads:
        try:
            children = (thread / "children").read_text(encoding="ascii").split()
        except OSError:
            continue
        for child in children:
            yield from _family(int(child))


def _pss(pid: int) -> int:
    """In kilobytes (proc(5)); 0 for a process that is gone."""
    try:
        told = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in told.splitlines() if line.startswith("Pss:")), 0)


def _end_of(log: Path) -> str:
    return " | ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
