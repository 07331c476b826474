"""``hub history``: what the journal knows."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.ages import moment
from hub.cli.console import out, print_error, print_json, runs_table
from hub.cli.starting import command_journal
from hub.model import Outcome

if TYPE_CHECKING:
    from hub.journals import Query
    from hub.model import Run

EXAMPLES = """
[bold]Examples[/]

  hub history --since 2h                          the last two hours
  hub history --account 222233334444 --outcome denied
  hub history 4be1c0ffee0123456789                everything about one run
"""


def add_to(app: typer.Typer) -> None:
    app.command("history", epilog=EXAMPLES)(history)


def history(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", help="Show everything about this run.")
    ] = None,
    *,
    finding: Annotated[str | None, typer.Option(help="Only runs of this findingKey.")] = None,
    account: Annotated[str | None, typer.Option(help="Only runs in this account.")] = None,
    bot: Annotated[str | None, typer.Option(help="Only runs of this bot.")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="Only runs that ended so.")] = None,
    since: Annotated[str | None, typer.Option(help="Not older than this: 2h, 7d, 2026-11-24T08:00.")] = None,
    session: Annotated[
        str | None, typer.Option(help="Only runs of this role session, as CloudTrail names it.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print each run as one line of JSON.")] = False,
) -> None:
    """List runs of the journal, newest first, or show one whole."""
    from hub.journals import Query  # noqa: PLC0415 - what only this command needs is loaded when it runs

    query = Query(
        finding_key=finding,
        account_id=account,
        bot=bot,
        outcome=outcome,
        since=moment(since, now=datetime.now(UTC)) if since else None,
        session=session,
        limit=limit,
    )
    raise typer.Exit(asyncio.run(_history(run, query, as_json=as_json)))


async def _history(run_id: str | None, query: Query, *, as_json: bool) -> int:
    from hub.journals.wire import to_json  # noqa: PLC0415

    runs: list[Run] = []
    async with command_journal() as journal:
        if run_id is not None:
            found = await journal.get(run_id)
            if found is None:
                print_error(f"the journal knows no run {run_id!r}")
                return 1
            out().print_json(data=to_json(found), default=str)
            return 0
        async for run in journal.runs(query):
            if as_json:
                print_json(to_json(run))
            else:
                runs.append(run)
    if not as_json:
        out().print(runs_table(runs) if runs else "no run matches")
    return 0
