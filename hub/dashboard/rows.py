"""The entries of reports as rows of a table. Whatever a report lacks is left blank."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.model import Outcome

STATUSES = ("passed", "dry run", "pending", "skipped", "failed")
OUTCOMES = tuple(outcome.value for outcome in Outcome)
MAX_FACTS = 100
MAX_SECONDS = 1e9  # beyond that, and what is no number, is no duration
MAX_FACT_CHARACTERS = 4000

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One value of a bot's snapshot, before and after."""

    path: str
    before: str
    after: str

    @property
    def differs(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An entry of a report as the table shows it.

    ``undone_by`` is the run that took it back. ``looked_again``: the facts say what was there after.
    """

    outcome: str
    status: str
    account: str
    account_name: str
    resource: str
    resource_id: str
    resource_type: str
    region: str
    bot: str
    parameters: tuple[str, ...]
    rule: str
    severity: str
    message: str
    seconds: float | None
    run: str
    undo: str
    undo_command: str
    undo_of: str
    undone_by: str
    session: str
    finding: str
    found_at: str
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    facts_left_out: int
    looked_again: bool

    @property
    def rank(self) -> int:
        """For sorting: what somebody should look at first has the highest."""
        place = OUTCOMES.index(self.outcome) if self.outcome in OUTCOMES else len(OUTCOMES)
        return STATUSES.index(self.status) * 100 + place


def rows(reports: Sequence[Document]) -> Iterator[Row]:
    """Every entry of every report, and every message that failed as a whole."""
    undone = {
        str(entry["Undo of"]): _text(entry.get("Run"))
        for report in reports
        for entry in _entries(report)
        if entry.get("Undo of") and entry.get("Outcome") == Outcome.RESTORED
    }
    for report in reports:
        for entry in _entries(report):
            yield _row(report, entry, undone)
        if report.get("Handle event failed"):
            yield _row(
                report, {"Bot message": report["Handle event failed"], "Outcome": Outcome.INVALID}, undone
            )


def _entries(report: Document) -> list[Document]:
    entries = report.get("Rules violations found")
    return [entry for entry in entries if isinstance(entry, Mapping)] if isinstance(entries, list) else []


def _row(report: Document, entry: Document, undone: Mapping[str, str]) -> Row:
    facts = list(_facts(entry.get("Before"), entry.get("After")))
    undo = entry.get("Undo")
    undo = undo if isinstance(undo, Mapping) else {}
    seconds = entry.get("Duration")
    status = _text(entry.get("Execution status"))
    run = _text(entry.get("Run"))
    return Row(
        outcome=_text(entry.get("Outcome")) or "failed",
        # A status nobody knows, or none at all, is nothing to feel safe about.
        status=status if status in STATUSES else "failed",
        account=_text(report.get("Account id")),
        account_name=_text(report.get("Account name")),
        resource=_text(entry.get("Name")) or _text(entry.get("ID")),
        resource_id=_text(entry.get("ID")),
        resource_type=_text(entry.get("Resource type")),
        region=_text(entry.get("Region")),
        bot=_text(entry.get("Remediation")),
        parameters=_texts(entry.get("Parameters")),
        rule=_text(entry.get("Rule")),
        severity=_text(report.get("Severity")),
        message=_text(entry.get("Bot message")),
        seconds=seconds if isinstance(seconds, int | float) and 0 <= seconds < MAX_SECONDS else None,
        run=run,
        undo=_text(undo.get("degree")),
        undo_command=_text(undo.get("how")),
        undo_of=_text(entry.get("Undo of")),
        undone_by=undone.get(run, ""),
        session=_text(entry.get("Session")),
        finding=_text(report.get("findingKey")),
        found_at=_text(report.get("ReportTime")),
        notes=_texts(entry.get("Notes")),
        facts=tuple(facts[:MAX_FACTS]),
        facts_left_out=max(0, len(facts) - MAX_FACTS),
        looked_again=entry.get("After") is not None,
    )


def _facts(before: Any, after: Any, path: str = "") -> Iterator[Fact]:
    """What the snapshots hold, key by key down to the values."""
    if before is None and after is None and not path:
        return
    if (isinstance(before, Mapping) and before) or (isinstance(after, Mapping) and after):
        left = before if isinstance(before, Mapping) else {}
        right = after if isinstance(after, Mapping) else {}
        for key in dict.fromkeys((*left, *right)):
            yield from _facts(left.get(key), right.get(key), f"{path}.{key}" if path else str(key))
    else:
        yield Fact(path=path, before=_shown(before), after=_shown(after))


def _shown(value: Any) -> str:
    if isinstance(value, list) and value:
        text = "\n".join(json.dumps(each, ensure_ascii=False, default=str) for each in value)
    else:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    text = "" if value is None else text
    return text if len(text) <= MAX_FACT_CHARACTERS else text[:MAX_FACT_CHARACTERS] + "…"


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(each) for each in value) if isinstance(value, list | tuple) else ()
