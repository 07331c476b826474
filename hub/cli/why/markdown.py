"""The page for a ticket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub.cli.marking import block, code, facts, part, plain
from hub.cli.why import words


def markdown(told: Mapping[str, Any]) -> str:
    """The whole, the newest run first."""
    return "\n".join(_lines(told)) + "\n"


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Finding {code(told['finding']['key'], empty='without a key')}"
    yield ""
    yield plain(words.headline(told))
    yield ""
    yield from facts(words.finding(told))
    for run in told["runs"]:
        yield ""
        asked = ", asked for" if run["run"] == told["asked_run"] else ""
        yield f"## Run {code(run['run'])}: {run['outcome'] or 'open'}{asked}"
        yield ""
        yield from facts(words.facts(run))
        yield from part("Guards", words.GUARDS, words.guards(run))
        if run["planned"]:
            yield from part("What would be called", words.PLANNED, words.planned(run))
        yield from part("What was changed", words.CHANGES, words.changes(run))
        yield from part("Calls", words.CALLS, words.calls(run))
        for name in ("before", "after"):
            if run[name] is not None:
                yield from block(name.capitalize(), run[name])
