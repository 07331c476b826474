"""The page for a terminal. Without one it is the same text, without colours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from hub.cli.console import outcome_text
from hub.cli.sheets import facts, part
from hub.cli.why import words


def page(told: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Everything to be printed, in order: the finding, then its runs, the newest first."""
    yield Text(words.headline(told), style="bold")
    yield facts(words.finding(told))
    for run in told["runs"]:
        yield _title(run, asked=run["run"] == told["asked_run"])
        yield Padding(facts(words.facts(run)), (0, 0, 0, 2), expand=False)
        yield from part("Guards", words.GUARDS, words.guards(run), coloured=1)
        if run["planned"]:
            yield from part("What would be called", words.PLANNED, words.planned(run))
        yield from part("What was changed", words.CHANGES, words.changes(run))
        yield from part("Calls", words.CALLS, words.calls(run), whole=(0, 4))


def _title(run: Mapping[str, Any], *, asked: bool) -> Text:
    title = Text.assemble("\nRun ", (run["run"], "bold"), ": ", outcome_text(words.outcome_of(run)))
    return title.append(" (asked for)" if asked else "")
