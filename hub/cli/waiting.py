"""``hub waiting``: what waits for a person or for another moment."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from hub.cli.console import out, print_json
from hub.cli.starting import command_journal

if TYPE_CHECKING:
    from hub.flow.waiting import Waiting
    from hub.model import Answer

EXAMPLES = """
[bold]Examples[/]

  hub waiting                            everything that waits, the oldest first
  hub waiting --account 222233334444 --json
  hub why RUN                            all about one of them: what is there, what would be called
  hub approve RUN --because "the team is gone, see OPS-17"
"""


def add_to(app: typer.Typer) -> None:
    app.command("waiting", epilog=EXAMPLES)(waiting)


def waiting(
    *,
    account: Annotated[str | None, typer.Option(help="Only what waits in this account.")] = None,
    bot: Annotated[str | None, typer.Option(help="Only what this bot would change.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print each as one line of JSON.")] = False,
) -> None:
    """List the runs that wait for a person's yes or for another moment."""
    found = asyncio.run(_found(account, bot))
    if as_json:
        for each in found:
            print_json(told(each))
        return
    out().print(_table(found, datetime.now(UTC)) if found else "nothing waits")


async def _found(account: str | None, bot: str | None) -> list[Waiting]:
    from hub.flow.waiting import everybody  # noqa: PLC0415

    async with command_journal() as journal:
        found = [
            each
            async for each in everybody(journal)
            if account in (None, each.account_id) and bot in (None, each.bot)
        ]
    return sorted(found, key=lambda each: (each.since, each.run_id))


def told(waits: Waiting) -> dict[str, Any]:
    """One that waits, for machines; see docs/approval.md for the fields."""
    from hub.flow.redaction import plain, redactor  # noqa: PLC0415 - what only this command needs

    facts = {
        "run": waits.run_id,
        "since": waits.since.isoformat(),
        "guard": waits.guard,
        "bot": waits.bot,
        "account": waits.account_id,
        "region": waits.region,
        "resource": waits.target_id,
        "finding_key": waits.finding_key,
        "why": waits.why,
        "waits_for": "a person" if waits.due_at is None else "a moment",
        "due_at": _text(waits.due_at),
        "expires_at": _text(waits.expires_at),
        "requested_by": waits.requested_by,
        "answer": said(waits.answer),
        "given": said(waits.given),
    }
    clean: dict[str, Any] = plain(facts, redactor(None))
    return clean


def said(answer: Answer | None) -> dict[str, Any] | None:
    """An answer, for machines."""
    if answer is None:
        return None
    return {
        "approved": answer.approved,
        "by": answer.by,
        "because": answer.because,
        "at": answer.at.isoformat(),
    }


def _table(found: list[Waiting], now: datetime) -> Table:
    table = Table(header_style="bold")
    table.add_column("Run", no_wrap=True)
    table.add_column("Since (UTC)", no_wrap=True)
    for column in ("Guard", "Bot", "Account", "Resource", "Why", "State"):
        table.add_column(column, overflow="fold")
    for each in found:
        facts = told(each)
        cells = [facts[name] for name in ("guard", "bot", "account", "resource", "why")]
        table.add_row(*map(Text, (each.run_id, _minute(each.since), *cells, _state(each, now))))
    return table


def _state(waits: Waiting, now: datetime) -> str:
    if waits.answer is not None:
        return f"{'approved' if waits.answer.approved else 'rejected'} by {waits.answer.by}, goes on soon"
    if waits.due_at is not None:
        return "goes on soon" if waits.due_at <= now else f"goes on by itself at {_minute(waits.due_at)} UTC"
    if waits.expires_at is None:
        return "waits for a person"
    until = f"{_minute(waits.expires_at)} UTC"
    return (
        f"waited for a person until {until}"
        if waits.expires_at <= now
        else f"waits for a person until {until}"
    )


def _minute(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
