"""``hub why``: everything the journal knows of one finding, on one page."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from hub.cli.console import out, print_error, print_json
from hub.cli.starting import command_journal

if TYPE_CHECKING:
    from hub.cli.why.document import Known
    from hub.journals import Journal

EXAMPLES = """
[bold]Examples[/]

  hub why lpPo4SuLQaMbGYnZ67ybuA             what came of this finding, by its findingKey
  hub why 4be1c0ffee0123456789               the same, by the id of any of its runs
  hub why lpPo4SuLQaMbGYnZ67ybuA --markdown  for a ticket
  hub why lpPo4SuLQaMbGYnZ67ybuA --json      one document, for auditors

It reads the journal only, and asks nothing of the account.
Exit status: 0 found, 1 the journal knows nothing of it, 2 unusable input or settings.
"""


def add_to(app: typer.Typer) -> None:
    app.command("why", epilog=EXAMPLES)(why)


def why(
    key: Annotated[str, typer.Argument(metavar="FINDING_KEY|RUN", help="A findingKey, or the id of a run.")],
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many runs, the newest.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print Markdown, for a ticket.")] = False,
) -> None:
    """Tell what came of a finding and why: who decided, what was called and changed, what proves it."""
    if not key.strip():
        raise typer.BadParameter("it is empty", param_hint="FINDING_KEY")
    if as_json and as_markdown:
        raise typer.BadParameter("--json and --markdown exclude each other")
    known = asyncio.run(_known(key, limit=limit))
    if known is None:
        print_error(
            f"the journal knows no finding and no run {key[:200]!r}; `hub history --since 7d` lists what it knows. "
            "Findings that passed, named no bot or could not be read have no runs"
        )
        raise typer.Exit(1)

    from hub.cli.why.document import document  # noqa: PLC0415 - what only this command needs

    told = document(known, now=datetime.now(UTC))
    if as_json:
        print_json(told)
    elif as_markdown:
        from hub.cli.why.markdown import markdown  # noqa: PLC0415

        sys.stdout.write(markdown(told))
    else:
        from hub.cli.why.page import page  # noqa: PLC0415

        for part in page(told):
            out().print(part)


async def _known(key: str, *, limit: int) -> Known | None:

    async with command_journal() as journal:
        return await look_up(journal, key, limit=limit)


async def look_up(journal: Journal, key: str, *, limit: int) -> Known | None:
    """What the journal knows of a finding, or of the finding of a run; None if nothing.

    Raises:
        JournalUnwritable: the journal could not be read.
    """
    from hub.cli.why.document import Known  # noqa: PLC0415 - what only this command needs
    from hub.flow import waiting  # noqa: PLC0415
    from hub.journals import Query  # noqa: PLC0415
    from hub.model import Outcome  # noqa: PLC0415

    runs = [run async for run in journal.runs(Query(finding_key=key, limit=limit + 1))]
    asked_run = ""
    if not runs:
        run = await journal.get(key)
        if run is None:
            return None
        asked_run = run.run_id
        # Findings without a key have nothing in common.
        query = Query(finding_key=run.finding_key, limit=limit + 1)
        runs = [each async for each in journal.runs(query)] if run.finding_key else []
        if run.run_id not in {each.run_id for each in runs[:limit]}:
            runs = [*runs[: limit - 1], run, *runs[limit:]]
    occurrences = dict.fromkeys(run.occurrence for run in runs[:limit])
    reports = {each: await journal.settled(each) for each in occurrences}
    waits = [
        await waiting.read(journal, run.run_id) for run in runs[:limit] if run.outcome is Outcome.WAITING
    ]
    return Known(
        runs=tuple(runs[:limit]),
        more=len(runs) > limit,
        asked_run=asked_run,
        reports=reports,
        waiting={each.run_id: each for each in waits if each is not None},
    )
