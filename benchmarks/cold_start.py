"""Cold start: importing the Lambda handler against importing the SDK alone, and the packages it is built on.

The bots' parameters and the settings are pydantic models, so pydantic is imported before anything can be
settled. Its share is what lies between the two floors.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from benchmarks.figure import Figure
from tests.emulator.running import Emulator

ROUNDS = 9
SDK, PACKAGES, HANDLER = "aioboto3", "aioboto3, pydantic_settings, asyncio_throttle", "hub.handler"
_TIMED = """
import json, resource, sys
import {modules}
used = resource.getrusage(resource.RUSAGE_SELF)
bots = [name for name in sys.modules if name.startswith("bots.") and not name.startswith("bots._")]
print(json.dumps([used.ru_utime + used.ru_stime, bots]))
"""


def figures(_emulator: Emulator) -> Iterator[Figure]:
    _seconds(HANDLER)  # compiles what is not compiled yet, as an installation does
    took: dict[str, list[float]] = {modules: [] for modules in (SDK, PACKAGES, HANDLER)}
    imported: list[str] = []
    for _ in range(ROUNDS):  # in turn, so that a busy machine hits all
        for modules, seconds in took.items():
            cpu, imported = _seconds(modules)
            seconds.append(cpu)
    handler = median(took[HANDLER])
    for name, floor in (("cold start", SDK), ("cold start, hub alone", PACKAGES)):
        against = median(took[floor])
        yield Figure(
            name=name,
            value=f"{1000 * handler:.0f} CPU-ms to import {HANDLER}",
            floor=f"{1000 * against:.0f} CPU-ms to import {floor}",
            ratio=handler / against,
            target=1.25,
            note=f"median of {ROUNDS}, the interpreter's start in all; bots imported: {len(imported)}",
        )


def _seconds(modules: str) -> tuple[float, list[str]]:
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", _TIMED.format(modules=modules)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    seconds, bots = json.loads(done.stdout)
    return float(seconds), list(bots)
