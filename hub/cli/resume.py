"""``hub resume``: takes up what has waited long enough, for those who run no worker."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.console import out, print_error, print_json, runs_table
from hub.cli.starting import command_settings

if TYPE_CHECKING:
    from hub.model import Run

EXAMPLES = """
[bold]Examples[/]

  hub resume            go on with everything that was answered, is due, or has waited too long
  hub resume --json     the same for machines

With HUB_QUEUE_URL set the queue is told, and its workers go on; without, it is carried out here and now.
Exit status: 0 all went well or there was nothing, 1 something did not, 2 unusable input or settings.
"""


def add_to(app: typer.Typer) -> None:
    app.command("resume", epilog=EXAMPLES)(resume)


def resume(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print each run as one line of JSON.")] = False,
) -> None:
    """Go on with runs that waited and can go on now. A worker does this by itself, every minute."""
    raise typer.Exit(asyncio.run(_resume(as_json=as_json)))


async def _resume(*, as_json: bool) -> int:
    from hub.app import open_hub  # noqa: PLC0415
    from hub.errors import HubError, SettingsWrong  # noqa: PLC0415
    from hub.flow.going_on import tell  # noqa: PLC0415
    from hub.flow.report import document  # noqa: PLC0415
    from hub.flow.resume import resume as go_on  # noqa: PLC0415
    from hub.sweep import ready  # noqa: PLC0415

    settings = command_settings()
    if settings.dry_run:
        raise SettingsWrong("HUB_DRY_RUN is set: a hub in dry run goes on with nothing; what waits waits on")
    well, sent = True, 0
    runs: list[Run] = []
    async with open_hub(settings) as hub:
        # The list first: what is carried out may come to wait again, and is not to be met twice.
        for waits in [each async for each in ready(hub.kit)]:
            try:
                if settings.queue_url:
                    told = await tell(hub.kit, waits)
                    sent += told
                    if as_json:
                        print_json({"run": waits.run_id, "sent": told})
                    continue
                report = (await go_on(hub.kit, waits.run_id)).report
            except HubError as error:
                well = False
                print_error(f"run {waits.run_id}: {error}")
                continue
            if report is None:
                continue
            well = well and all(outcome.well for outcome in report.outcomes)
            runs += report.runs
            if as_json:
                print_json(document(report))
    if not as_json:
        if runs:
            out().print(runs_table(runs))
        out().print(f"the queue was told of {sent}" if sent else f"gone on with {len(runs)}")
    return 0 if well else 1
