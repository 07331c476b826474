"""``hub lift``: let a bot do again what was taken back."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from hub.cli.console import out, print_error
from hub.cli.starting import command_journal

EXAMPLES = """
[bold]Examples[/]

  hub lift 222233334444/AWS::S3::Bucket/invoices s3_enable_versioning

Exit status: 0 lifted, 1 nothing was held.
"""


def add_to(app: typer.Typer) -> None:
    app.command("lift", epilog=EXAMPLES)(lift)


def lift(
    resource: Annotated[
        str, typer.Argument(metavar="RESOURCE", help="Account, type and id, as the refusal names them.")
    ],
    bot: Annotated[str, typer.Argument(metavar="BOT", help="The bot that may work there again.")],
) -> None:
    """Let findings be fixed again that `hub undo` keeps a bot from."""
    raise typer.Exit(asyncio.run(_lift(resource, bot)))


async def _lift(resource: str, bot: str) -> int:
    from hub.guards.taken_back import lift as lifted  # noqa: PLC0415

    async with command_journal() as journal:
        held = await lifted(journal, lane=resource, bot=bot)
    if held is None:
        print_error(f"{bot} is not kept off {resource[:200]!r}")
        return 1
    out().print(
        f"{bot} may work on {resource} again; {held.by} had taken it back: {held.because}", markup=False
    )
    return 0
