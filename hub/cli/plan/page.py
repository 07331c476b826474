"""The plan for a terminal, 100 columns wide or more: a table of the steps, and each step beneath it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from hub.cli.console import outcome_text
from hub.cli.plan import words
from hub.cli.sheets import facts, part
from hub.model import Outcome


def page(
    steps: Sequence[Mapping[str, Any]], head: Mapping[str, Any] | None = None
) -> Iterator[RenderableType]:
    """Everything to be printed, in order.

    Args:
        head: of a saved plan.
    """
    if head is not None:
        yield facts(words.of_plan(head))
    if not steps:
        yield "nothing to do: no finding or rule names a bot, or all is right"
        return
    yield _table(steps)
    for number, step in enumerate(steps, 1):
        yield Text.assemble(
            f"\n{number}. ", (words.title(step), "bold"), ": ", outcome_text(Outcome(step["outcome"]))
        )
        yield Padding(facts(words.facts(step)), (0, 0, 0, 2), expand=False)
        yield from part("Guards", words.GUARDS, words.guards(step), coloured=1)
        yield from part("Live state", words.STATE, words.state(step))
        yield from part(words.calls_title(step), words.CALLS, words.calls(step))
    yield Text(f"\n{words.headline(steps)}")


def _table(steps: Sequence[Mapping[str, Any]]) -> Table:
    table = Table(header_style="bold")
    for column in words.STEPS:
        table.add_column(column, overflow="fold", no_wrap=column in ("", "Account", "Would be", "Undo"))
    for number, step in enumerate(steps, 1):
        *cells, outcome, undo = words.row(number, step)
        table.add_row(*map(Text, cells), outcome_text(Outcome(outcome)), Text(undo))
    return table
