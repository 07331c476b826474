"""``python -m benchmarks [FIGURE ...] [--json]``: measure, and tell each figure with its floor and ratio.

Everything runs on loopback against the emulator of the tests. Exit status: 0 all targets met, 1 one or
more missed, 2 a measurement failed.
"""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import sys

from rich.console import Console

from benchmarks.figure import Figure, show
from tests.emulator.running import emulator

FIGURES = (
    "cold_start",
    "calls",
    "latency",
    "cpu",
    "spread",
    "pacing",
    "sharing",
    "fairness",
    "memory",
    "doctor",
    "rules",
    "workers",
    "faults",
    "side_by_side",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"one or more of {', '.join(FIGURES)}")
    parser.add_argument("--json", action="store_true", help="JSON for machines")
    asked = parser.parse_args()
    unknown = set(asked.figures) - set(FIGURES)
    if unknown:
        parser.error(f"there is no figure {', '.join(sorted(unknown))}; there are {', '.join(FIGURES)}")
    console = Console(stderr=asked.json)
    found: list[Figure] = []
    failed = False
    for name in asked.figures or FIGURES:
        with console.status(f"measuring {name}"):
            try:
                with emulator() as running:
                    found += importlib.import_module(f"benchmarks.{name}").figures(running)
            except Exception as error:  # noqa: BLE001 - the others are still worth measuring
                failed = True
                console.print(f"[red]{name}: not measured: {error}[/]")
    if asked.json:
        print(json.dumps([figure.to_json() for figure in found], indent=2))
    else:
        show(found, console)
    return 2 if failed else 0 if all(figure.met for figure in found) else 1


if __name__ == "__main__":
    # As Ctrl-C does: what was started is ended on the way out, and not left behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
