"""Runs the two sides of a comparison, each in a process of its own under the same conditions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.estate import Estate, as_lines

AT_ONCE = 50
MOST_SECONDS = 600


def python(module: str, *arguments: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Run a module to its end; the JSON it prints last.

    Raises:
        RuntimeError: it failed; what it said is on stderr.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env=surroundings(environment),
        stdout=subprocess.PIPE,
        text=True,
        timeout=MOST_SECONDS,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{module} ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def surroundings(given: Mapping[str, str]) -> dict[str, str]:
    """What the machine gives a process, without settings of AWS and of the tools compared, and what is given.

    Modules are compiled once, as an installation does, even where the machine says otherwise.
    """
    own = ("AWS_", "HUB_", "C7N_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(own)} | dict(given)


def hub(
    estate: Estate,
    work: Sequence[dict[str, Any]],
    *,
    warm: Sequence[dict[str, Any]] = (),
    at_once: int = AT_ONCE,
    **settings: str,
) -> dict[str, Any]:
    """The hub settles ``work``; what it cost and how the runs ended."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder, "work.jsonl"), Path(folder, "warm.jsonl")]
        for path, documents in zip(files, (work, warm), strict=True):
            path.write_text(as_lines(documents), encoding="utf-8")
        environment = estate.hub_environment(HUB_CONCURRENCY=str(at_once), **settings)
        return python("benchmarks.hub_side", *map(str, files), environment=environment)


def floor(estate: Estate, calls: Sequence[dict[str, Any]], *, at_once: int = AT_ONCE) -> dict[str, Any]:
    """A bare loop makes the same calls; what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "calls.json")
        path.write_text(json.dumps(calls), encoding="utf-8")
        environment = estate.hub_environment()
        return python("benchmarks.floor_side", str(path), str(at_once), environment=environment)


def only(outcomes: Mapping[str, int], word: str, count: int) -> None:
    """
    Raises:
        RuntimeError: a run ended otherwise, so the figure would be about something else.
    """
    if dict(outcomes) != {word: count}:
        raise RuntimeError(f"{count} runs should have ended {word}, but they ended {dict(outcomes)}")
