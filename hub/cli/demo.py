"""``hub demo``: the main job on an embedded AWS."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
[bold]Examples[/]

  hub demo                      12 accounts in 2 nested OUs
  hub demo --accounts 40 --out /tmp/demo

Needs the package's demo extra. Talks to loopback only and leaves nothing but the files in --out.
Exit status: 0 every outcome was the expected one, 1 one was not.
"""


def add_to(app: typer.Typer) -> None:
    app.command("demo", epilog=EXAMPLES)(demo)


def demo(
    *,
    accounts: Annotated[
        int, typer.Option(min=1, max=200, help="Workload accounts of the organization.")
    ] = 12,
    out: Annotated[Path, typer.Option(help="Folder for the reports and the page.")] = Path("demo-output"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the entries as JSON lines.")] = False,
) -> None:
    """Build an organization on an embedded AWS, break it, fix it, prove it, and undo one fix."""
    from hub.demo.story import tell  # noqa: PLC0415 - the demo's packages are an extra

    raise typer.Exit(asyncio.run(tell(accounts=accounts, folder=out, as_json=as_json)))
