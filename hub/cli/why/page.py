"""The page for a terminal. Without one it is the same text, without colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hub.cli.console import outcome_text
from hub.cli.why import words

SAID = {"go": "green", "dry run": "yellow", "wait": "yellow"}


def page(told: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Everything to be printed, in order: the finding, then its runs, the newest first."""
    yield Text(words.headline(told), style="bold")
    yield _facts(words.finding(told))
    for run in told["runs"]:
        yield _title(run, asked=run["run"] == told["asked_run"])
        yield Padding(_facts(words.facts(run)), (0, 0, 0, 2), expand=False)
        yield from _part("Guards", words.GUARDS, words.guards(run), coloured=1)
        if run["planned"]:
            yield from _part("What would be called", words.PLANNED, words.planned(run))
        yield from _part("What was changed", words.CHANGES, words.changes(run))
        yield from _part("Calls", words.CALLS, words.calls(run), whole=(0, 4))


def _title(run: Mapping[str, Any], *, asked: bool) -> Text:
    title = Text.assemble("\nRun ", (run["run"], "bold"), ": ", outcome_text(words.outcome_of(run)))
    return title.append(" (asked for)" if asked else "")


def _facts(rows: Iterable[words.Row]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(Text(name), Text(text))
    return table


def _part(
    title: str,
    names: tuple[str, ...],
    rows: tuple[words.Row, ...] | str,
    *,
    coloured: int | None = None,
    whole: tuple[int, ...] = (),
) -> Iterator[RenderableType]:
    if isinstance(rows, str):
        yield Padding(Text.assemble((f"{title}: ", "dim"), rows), (0, 0, 0, 2), expand=False)
        return
    table = Table(title=title, title_justify="left", title_style="dim", header_style="bold", box=box.SIMPLE)
    for number, name in enumerate(names):
        table.add_column(name, overflow="fold", no_wrap=number in whole)
    for row in rows:
        cells = [Text(cell) for cell in row]
        if coloured is not None:
            cells[coloured].stylize(SAID.get(row[coloured], "bold magenta"))
        table.add_row(*cells)
    yield Padding(table, (0, 0, 0, 2), expand=False)
