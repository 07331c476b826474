"""What the bench says of a command's processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks import tree
from tests.hub.estate import until

# Two below it, each with 40 MB of its own and half a second of CPU, there until it is told to end.
TWO_BUSY = """
import os, pathlib, signal, sys, time
below = []
for number in range(2):
    below.append(os.fork())
    if below[-1] == 0:
        held = os.urandom(40 * 2**20)
        while time.process_time() < 0.5:
            pass
        pathlib.Path(f"busy-{number}").touch()
        signal.pause()

def end(*_):
    for each in below:
        os.kill(each, signal.SIGKILL)
        os.wait()
    sys.exit(0)

signal.signal(signal.SIGTERM, end)
signal.pause()
"""
WAITS = """
import os, signal
below = os.fork()
if below:
    print(below, flush=True)
signal.pause()
"""
ENDS_WHEN_TOLD = """
import pathlib, signal, sys
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
pathlib.Path("ready").touch()
signal.pause()
"""


def spent(code: str, folder: Path, *, seconds: float = 60, **more: object) -> tree.Spent:
    command = [sys.executable, "-c", code]
    return tree.run(command, environment=os.environ, folder=folder, seconds=seconds, **more)  # type: ignore[arg-type]


def test_memory_and_cpu_are_those_of_all_processes(tmp_path: Path) -> None:
    asked_with_both = 0

    def looked_at() -> bool:
        # After an answer the processes are looked at, whatever else the machine does: the second time is enough.
        nonlocal asked_with_both
        asked_with_both += all((tmp_path / f"busy-{number}").exists() for number in range(2))
        return asked_with_both > 1

    found = spent(TWO_BUSY, tmp_path, done=looked_at)
    assert 80 < found.peak < 160
    assert 1.0 < found.cpu < 3.0


def test_a_command_that_takes_too_long_is_ended_with_all_below_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="took longer than 1 s"):
        spent(WAITS, tmp_path, seconds=1)
    below = int((tmp_path / "log").read_text())
    # A killed process takes its moment to die, and whoever adopts it one to notice.
    until(lambda: _is_dead(below), "the process below is dead")


def _is_dead(pid: int) -> bool:
    try:
        told = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return told.rpartition(")")[2].split()[0] == "Z"


def test_a_failure_tells_what_was_said_last(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 3: no such thing"):
        spent("import sys; print('no such thing'); sys.exit(3)", tmp_path)


def test_a_command_without_an_end_is_told_when_it_is_done(tmp_path: Path) -> None:
    assert spent(ENDS_WHEN_TOLD, tmp_path, done=(tmp_path / "ready").exists).wall < 60
