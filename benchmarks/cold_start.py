"""Cold start: importing the Lambda handler against importing the SDK alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from statistics import median

from benchmarks.figure import Figure
from tests.emulator.running import Emulator

ROUNDS = 9
_TIMED = """
import json, resource, sys
import {module}
used = resource.getrusage(resource.RUSAGE_SELF)
bots = [name for name in sys.modules if name.startswith("bots.") and not name.startswith("bots._")]
print(json.dumps([used.ru_utime + used.ru_stime, bots]))
"""


def figures(_emulator: Emulator) -> Iterator[Figure]:
    sdk, handler = [], []
    imported: list[str] = []
    for _ in range(ROUNDS):  # in turn, so that a busy machine hits both
        sdk.append(_seconds("aioboto3")[0])
        seconds, imported = _seconds("hub.handler")
        handler.append(seconds)
    yield Figure(
        name="cold start",
        value=f"{1000 * median(handler):.0f} CPU-ms to import hub.handler",
        floor=f"{1000 * median(sdk):.0f} CPU-ms to import aioboto3",
        ratio=median(handler) / median(sdk),
        target=1.25,
        note=f"median of {ROUNDS}, the interpreter's start in both; bots imported: {len(imported)}",
    )


def _seconds(module: str) -> tuple[float, list[str]]:
    code = _TIMED.format(module=module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    seconds, bots = json.loads(done.stdout)
    return float(seconds), list(bots)
