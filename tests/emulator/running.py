"""Starts the emulator's process and talks to it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.emulator.weather import Weather
from tests.fake_aws.server import Arranged

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, slots=True)
class Emulator(Arranged):
    """A running emulator in a process of its own; made by `emulator`."""

    pid: int

    def weather(self, weather: Weather) -> None:
        """From now on; meters are full again and counts start anew."""
        self._ask("weather", json.dumps(weather.to_json()).encode())

    def counts(self) -> dict[str, Any]:
        """See `front.Counts`, and the calls recorded."""
        return self._ask("counts", None)

    def _ask(self, page: str, body: bytes | None) -> dict[str, Any]:
        request = urllib.request.Request(f"{self.endpoint}/_emulator/{page}", data=body)
        with urllib.request.urlopen(request, timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
        return found


@contextmanager
def emulator() -> Iterator[Emulator]:
    """Start on a free loopback port; ends with the block."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.emulator"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the emulator did not start; what it said is above")
        yield Emulator(json.loads(line)["endpoint"], process.pid)
    finally:
        process.stdin.close()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()
