"""``hub run``: settle findings from files or standard input, then exit."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.console import err, out, print_error, print_json, runs_table
from hub.cli.counting import counted
from hub.cli.starting import command_settings
from hub.model import Message

EXAMPLES = """
[bold]Examples[/]

  hub run finding.json                      settle one finding
  cat findings.jsonl | hub run - --json     many, reports as JSON lines
  hub run findings/*.json --dry-run         look and report, change nothing

Each file may hold one finding, a JSON array, JSON lines, or an SNS or Lambda envelope.
Exit status: 0 all well, 1 something failed, 2 something could not be read.
"""


def add_to(app: typer.Typer) -> None:
    app.command("run", epilog=EXAMPLES)(run)


def run(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...|-", help="Files with findings, - for standard input.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print each report as one line of JSON.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look and report, change nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="Append the reports to this file as JSON lines.")
    ] = None,
) -> None:
    """Settle findings from files or standard input, then exit."""
    raise typer.Exit(asyncio.run(_run(files, as_json=as_json, dry_run=dry_run, report_file=report)))


async def _run(files: list[str], *, as_json: bool, dry_run: bool, report_file: Path | None) -> int:
    from hub.app import open_hub  # noqa: PLC0415
    from hub.cli.batch import Batch  # noqa: PLC0415
    from hub.collecting import collect_seldom  # noqa: PLC0415
    from hub.sinks.file import FileSink  # noqa: PLC0415

    collect_seldom()
    settings = command_settings(**({"dry_run": True} if dry_run else {}))
    async with open_hub(settings, sinks=[FileSink(report_file)] if report_file else ()) as hub:
        with counted("settling findings", shown=not as_json) as count:

            def advance(done: int, taken: int, *, all_taken: bool) -> None:
                if count is not None:
                    count(done, taken if all_taken else 0)

            batch = Batch(
                hub,
                concurrency=settings.concurrency,
                on_progress=advance,
                on_wait=None if as_json else _say_waiting,
            )
            async for report in batch.settle(messages(files)):
                if as_json:
                    from hub.flow.report import document  # noqa: PLC0415

                    print_json(document(report))
    if not as_json:
        if batch.runs:
            out().print(runs_table(batch.runs))
        for text in batch.unreadable:
            print_error(text)
        out().print(batch.summary())
        if batch.waiting:
            ends = (
                "; HUB_JOURNAL is memory, so they end with this process"
                if settings.journal == "memory"
                else ""
            )
            out().print(
                f"{batch.waiting} wait: see `hub waiting`; a worker or `hub resume` goes on with them{ends}"
            )
    return batch.exit_status


def messages(files: list[str]) -> Iterator[Message]:
    """Every message of every file, read as it is needed.

    Raises:
        FindingUnreadable: a file cannot be opened or is empty.
    """
    from hub.errors import FindingUnreadable  # noqa: PLC0415
    from hub.flow.ingest import from_stream  # noqa: PLC0415

    nonce = secrets.token_hex(8)
    for name in files:
        if name == "-":
            yield from from_stream(sys.stdin, name="standard input", nonce=nonce)
            continue
        try:
            with Path(name).open(encoding="utf-8-sig", errors="replace") as stream:
                yield from from_stream(stream, name=name, nonce=nonce)
        except OSError as error:
            raise FindingUnreadable(f"{name} could not be read: {error.strerror}") from error


def _say_waiting(awaited: str, seconds: float) -> None:
    err().print(f"waiting {seconds:.0f} s: {awaited}", style="dim", markup=False)
