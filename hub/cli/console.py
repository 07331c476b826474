"""How the command line speaks: people get tables and colours, machines get JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from hub.model import Outcome, Run

STYLES = {
    Outcome.COMPLIANT: "green",
    Outcome.FIXED: "bold green",
    Outcome.RESTORED: "bold cyan",
    Outcome.WOULD_FIX: "yellow",
    Outcome.WAITING: "yellow",
    Outcome.REFUSED: "magenta",
    Outcome.GONE: "dim",
}


WIDTH_WITHOUT_TERMINAL = 160


def at_a_terminal() -> bool:
    """Whether there is somebody who could be asked."""
    return sys.stdin.isatty()


def out() -> Console:
    """Standard output, for results."""
    return console(to_stderr=False)


def err() -> Console:
    """Standard error, for progress and errors."""
    return console(to_stderr=True)


def console(*, to_stderr: bool) -> Console:
    """A console; wide enough for a table when the output goes into a file or a pipe."""
    made = Console(stderr=to_stderr, highlight=False)
    if not made.is_terminal and made.width == 80:
        made.width = WIDTH_WITHOUT_TERMINAL
    return made


def print_error(text: str) -> None:
    """One line about what went wrong."""
    err().print(f"[bold red]error:[/] {escape(text)}", soft_wrap=True)


def print_json(value: Any) -> None:
    """One line of JSON on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")
    sys.stdout.flush()


def outcome_text(outcome: Outcome | None) -> Text:
    """The outcome in its colour; a run without one is still open."""
    if outcome is None:
        return Text("open", style="bold yellow")
    return Text(str(outcome), style=STYLES.get(outcome, "bold red"))


def runs_table(runs: Iterable[Run], *, title: str | None = None, with_run: bool = True) -> Table:
    """Account, resource, bot, outcome, seconds, and what happened."""
    table = Table(title=title, title_justify="left", header_style="bold", expand=False)
    table.add_column("Account", no_wrap=True)
    table.add_column("Resource", overflow="fold")
    table.add_column("Bot", overflow="fold")
    table.add_column("Outcome", no_wrap=True)
    table.add_column("Seconds", justify="right", no_wrap=True)
    if with_run:
        table.add_column("Run", no_wrap=True)
    table.add_column("What happened", overflow="fold")
    for run in runs:
        row = [
            Text(run.account_id),
            Text(run.target_id or run.entity_id or run.entity_name or "-"),
            Text(run.bot),
            outcome_text(run.outcome),
            Text(f"{run.seconds:.2f}"),
        ]
        if with_run:
            row.append(Text(run.run_id))
        table.add_row(*row, Text(run.message))
    return table
