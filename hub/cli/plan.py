"""``hub plan``: what would be done and why. Nothing is written anywhere."""

from __future__ import annotations

import asyncio
import sys
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from hub.cli.console import out, outcome_text, print_error, print_json

EXAMPLES = """
[bold]Examples[/]

  hub plan finding.json            the live state and what would be done about it
  hub plan findings.jsonl --json   the same for machines

Exit status: 0 everything could be planned, 1 some steps cannot run, 2 something could not be read.
"""


def add_to(app: typer.Typer) -> None:
    app.command("plan", epilog=EXAMPLES)(plan)


def plan(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...|-", help="Files with findings, - for standard input.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print each step as one line of JSON.")] = False,
) -> None:
    """Show what would be done about findings and why. Nothing is changed, recorded or published."""
    raise typer.Exit(asyncio.run(_plan(files, as_json=as_json)))


async def _plan(files: list[str], *, as_json: bool) -> int:
    from hub import log  # noqa: PLC0415 - what only this command needs is loaded when it runs
    from hub.app import open_hub  # noqa: PLC0415
    from hub.cli.run import messages  # noqa: PLC0415
    from hub.errors import FindingUnreadable  # noqa: PLC0415
    from hub.journals.wire import to_json  # noqa: PLC0415
    from hub.settings import Settings  # noqa: PLC0415

    # The journal is not needed to plan, and a plan must leave nothing behind.
    settings = Settings.load(journal="memory", report_topic_arn="", feedback_hosts=())
    log.configure("DEBUG" if "--debug" in sys.argv else "CRITICAL")
    table = Table(header_style="bold")
    for column in ("Account", "Region", "Resource", "Bot", "Would be", "Undo", "Why"):
        table.add_column(column, overflow="fold")
    well, readable, planned = True, True, 0
    async with open_hub(settings) as hub:
        for message in messages(files):
            try:
                runs = await hub.preview(message)
            except FindingUnreadable as error:
                readable = False
                print_error(f"{message.origin}: {error}")
                continue
            for run in runs:
                planned += 1
                assert run.outcome is not None
                well = well and run.outcome.well
                if as_json:
                    print_json(to_json(run))
                    continue
                cells = (run.account_id, run.region, run.target_id or run.entity_id or "-", run.bot)
                why = "\n".join((run.message, *(f"note: {note}" for note in run.notes)))
                table.add_row(*map(Text, cells), outcome_text(run.outcome), Text(run.undo), Text(why))
    if not as_json:
        out().print(table if planned else "nothing to do: no finding or rule names a bot, or all is right")
    return 2 if not readable else 0 if well else 1
