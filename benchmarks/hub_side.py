"""The hub at work in a process of its own: ``python -m benchmarks.hub_side FILE [WARM]``.

Settles the messages of FILE, one a line, side by side as `hub work` does; WARM is settled before the
clock starts, so that clients are made. Prints what it cost as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from benchmarks.measured import measured
from hub.abreast import abreast
from hub.app import Hub, open_hub
from hub.collecting import collect_seldom
from hub.log import configure
from hub.model import Message
from hub.settings import Settings


async def settle_all(hub: Hub, lines: list[str], at_once: int) -> Counter[str]:
    """Outcomes of all runs."""
    outcomes: Counter[str] = Counter()

    async def settle(line: str) -> None:
        report = await hub.settle(Message(body=line))
        assert report is not None
        outcomes.update(str(run.outcome) for run in report.runs)

    await abreast(lines, settle, hands=at_once)
    return outcomes


async def main(work: list[str], warm: list[list[str]]) -> None:
    collect_seldom()
    settings = Settings.load()
    configure(settings.log_level)
    async with open_hub(settings) as hub:
        for lines in warm:
            await settle_all(hub, lines, settings.concurrency)
        with measured() as cost:
            outcomes = await settle_all(hub, work, settings.concurrency)
    print(json.dumps({**asdict(cost), "outcomes": outcomes}))


if __name__ == "__main__":
    work, *warm = [Path(name).read_text(encoding="utf-8").splitlines() for name in sys.argv[1:]]
    asyncio.run(main(work, warm))
