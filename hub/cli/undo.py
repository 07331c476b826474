"""``hub undo``: put back what a run changed."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer

from hub.cli.console import out, print_json, runs_table

EXAMPLES = """
[bold]Examples[/]

  hub history --outcome fixed      find the run
  hub undo 4be1c0ffee0123456789    put back what it changed

Exit status: 0 restored and proven, 1 not restored (the report says why), 2 nothing to undo.
"""


def add_to(app: typer.Typer) -> None:
    app.command("undo", epilog=EXAMPLES)(undo)


def undo(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run's id, from a report or `hub history`.")],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Also when the resource was changed since; that change is lost.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Put back what a run changed, prove it and report it."""
    raise typer.Exit(asyncio.run(_undo(run, force=force, as_json=as_json)))


async def _undo(run_id: str, *, force: bool, as_json: bool) -> int:
    from hub import log  # noqa: PLC0415 - what only this command needs is loaded when it runs
    from hub.app import open_hub  # noqa: PLC0415
    from hub.flow.report import document  # noqa: PLC0415
    from hub.model import Outcome  # noqa: PLC0415
    from hub.settings import Settings  # noqa: PLC0415

    settings = Settings.load()
    log.configure("DEBUG" if "--debug" in sys.argv else "CRITICAL")
    async with open_hub(settings) as hub:
        report = await hub.undo(run_id, force=force)
    if as_json:
        print_json(document(report))
    else:
        out().print(runs_table(report.runs))
    return 0 if report.outcomes == (Outcome.RESTORED,) else 1
