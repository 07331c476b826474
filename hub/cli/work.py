"""``hub work``: consume the queue until stopped."""

from __future__ import annotations

import asyncio
import signal
import sys

import typer

EXAMPLES = """
[bold]Examples[/]

  HUB_QUEUE_URL=https://sqs... HUB_JOURNAL=dynamodb:remediation-hub hub work

SIGTERM or Ctrl-C: takes no more messages, finishes the ones at hand and exits with 0.
Logs are JSON lines on standard error, one line of progress a minute.
"""


def add_to(app: typer.Typer) -> None:
    app.command("work", epilog=EXAMPLES)(work)


def work() -> None:
    """Consume the findings queue until stopped."""
    asyncio.run(_work())


async def _work() -> None:
    from hub import log  # noqa: PLC0415 - what only this command needs is loaded when it runs
    from hub.app import open_hub  # noqa: PLC0415
    from hub.collecting import collect_seldom  # noqa: PLC0415
    from hub.settings import Settings  # noqa: PLC0415
    from hub.work import Worker  # noqa: PLC0415

    collect_seldom()
    settings = Settings.load()
    log.configure("DEBUG" if "--debug" in sys.argv else settings.log_level)
    async with open_hub(settings) as hub:
        worker = Worker(hub.kit)
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, worker.stop)
        await worker.run()
