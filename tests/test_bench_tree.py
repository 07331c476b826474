"""What the bench says of a command's processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks import tree

# Two below it, each with 40 MB of its own and half a second of CPU, long enough to be looked at.
TWO_BUSY = """
import os, time
for _ in range(2):
    if os.fork() == 0:
        held = os.urandom(40 * 2**20)
        while time.process_time() < 0.5:
            pass
        os._exit(0)
os.wait(), os.wait()
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
    found = spent(TWO_BUSY, tmp_path)
    assert 80 < found.peak < 160
    assert 1.0 < found.cpu < 3.0


def test_a_command_that_takes_too_long_is_ended_with_all_below_it(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="took longer than 1 s"):
        spent(WAITS, tmp_path, seconds=1)
    below = int((tmp_path / "log").read_text())
    state = Path(f"/proc/{below}/stat")
    # Whoever adopts it may not have noticed yet that it is dead.
    assert not state.exists() or state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_failure_tells_what_was_said_last(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="ended with 3: no such thing"):
        spent("import sys; print('no such thing'); sys.exit(3)", tmp_path)


def test_a_command_without_an_end_is_told_when_it_is_done(tmp_path: Path) -> None:
    assert spent(ENDS_WHEN_TOLD, tmp_path, done=(tmp_path / "ready").exists).wall < 60
