"""Pieces of pages for a terminal. Without one they are the same text, without colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

SAID = {"go": "green", "dry run": "yellow", "wait": "yellow"}


def facts(rows: Iterable[tuple[str, ...]]) -> Table:
    """Names and values."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in rows:
        table.add_row(Text(name), Text(text))
    return table


def part(
    title: str,
    names: Sequence[str],
    rows: Sequence[Sequence[str]] | str,
    *,
    coloured: int | None = None,
    whole: tuple[int, ...] = (),
) -> Iterator[RenderableType]:
    """A table, or in one sentence why there is none.

    Args:
        coloured: the column that holds what a guard said.
        whole: the columns that are never broken into lines.
    """
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
