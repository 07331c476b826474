"""The page for a ticket. What findings and resources are called is shown as it is and marks nothing up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.cli.why import words

# Ticket systems make links of addresses too, and tell people and other tickets by these signs.
_MARKS = re.compile(r"([\\`*_\[\]<>#|~&$@]|:(?=//)|(?<=www)\.)")


def markdown(told: Mapping[str, Any]) -> str:
    """The whole, the newest run first."""
    return "\n".join(_lines(told)) + "\n"


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Finding {_code(told['finding']['key'])}"
    yield ""
    yield _plain(words.headline(told))
    yield ""
    yield from _list(words.finding(told))
    for run in told["runs"]:
        yield ""
        asked = ", asked for" if run["run"] == told["asked_run"] else ""
        yield f"## Run {_code(run['run'])}: {run['outcome'] or 'open'}{asked}"
        yield ""
        yield from _list(words.facts(run))
        yield from _part("Guards", words.GUARDS, words.guards(run))
        if run["planned"]:
            yield from _part("What would be called", words.PLANNED, words.planned(run))
        yield from _part("What was changed", words.CHANGES, words.changes(run))
        yield from _part("Calls", words.CALLS, words.calls(run))
        for name in ("before", "after"):
            if run[name] is not None:
                yield from _block(name.capitalize(), run[name])


def _list(rows: Iterable[words.Row]) -> Iterator[str]:
    for name, text in rows:
        yield f"* {name}: {_plain(text)}"


def _part(title: str, names: words.Row, rows: tuple[words.Row, ...] | str) -> Iterator[str]:
    yield ""
    if isinstance(rows, str):
        yield f"**{title}:** {_plain(rows)}"
        return
    yield f"**{title}**"
    yield ""
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(_plain(cell) for cell in row)} |"


def _block(title: str, state: Any) -> Iterator[str]:
    text = json.dumps(state, indent=2, ensure_ascii=False)
    # Longer than whatever fence the text itself holds.
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    yield from ("", f"**{title}**", "", f"{fence}json", text, fence)


def _plain(text: str) -> str:
    return _MARKS.sub(r"\\\1", " ".join(text.splitlines()))


def _code(text: str) -> str:
    told = " ".join(text.splitlines()).replace("`", "'").strip()
    return f"`{told}`" if told else "without a key"
