"""The published report: an entry for every due bot, in every outcome. Pure.

The first keys, their order and their spelling are those of the CloudBots report, which dashboards
and mailboxes already read; everything else was added after them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from hub import __version__
from hub.flow.ids import derived_id
from hub.flow.redaction import plain, redactor
from hub.flow.shortening import PLANNED, shortened
from hub.flow.waiting_words import waiting_words
from hub.model import Finding, Outcome, Report, Run

__all__ = ["as_json", "attributes", "document", "report_id", "shortened", "text"]

SCHEMA_VERSION = 1  # raise it when a reader of the added keys would misread a newer report
ENTRIES = "Rules violations found"
ERROR = "Handle event failed"
MAX_ATTRIBUTE_BYTES = 256
MAX_BOTS_BYTES = 4096
# The worst first; the first of these that any entry has is the report's.
STATUSES = ("failed", "pending", "dry run", "skipped", "passed")
OUTCOMES = (
    Outcome.UNPROVEN, Outcome.INTERRUPTED, Outcome.FAILED, Outcome.DENIED, Outcome.THROTTLED,
    Outcome.UNREACHABLE, Outcome.INVALID, Outcome.WAITING, Outcome.WOULD_FIX, Outcome.REFUSED,
    Outcome.GONE, Outcome.RESTORED, Outcome.FIXED, Outcome.COMPLIANT,
)  # fmt: skip


def report_id(occurrence: str) -> str:
    """The id of the report about this occurrence: the same whoever works it out, however often."""
    return derived_id(f"report:{occurrence}")


def document(report: Report) -> dict[str, Any]:
    """The report as JSON: no secret in it, nothing that `json.dumps` or SNS would refuse."""
    finding = report.finding
    clean = _cleaner(finding)
    told: dict[str, Any] = {
        "ReportTime": clean(finding.report_time),
        # The key is a credential, and the other three are of no use without it.
        "logsHttpEndpoint": None,
        "logsHttpEndpointKey": None,
        "logsHttpEndpointStreamName": None,
        "logsHttpEndpointStreamPartitionKey": None,
        "dome9AccountId": clean(finding.dome9_account_id),
        "executionId": clean(finding.execution_id),
        "vendor": clean(finding.vendor),
        "Account id": clean(finding.account_id),
        "findingKey": clean(finding.key),
        ENTRIES: [_entry(run, clean) for run in report.runs],
        "Report id": report.report_id,
        "Schema version": SCHEMA_VERSION,
        "Hub version": __version__,
        "Severity": clean(finding.severity),
        "Account name": clean(finding.account_name),
    }
    if finding.notes:
        told["Finding notes"] = clean(finding.notes)
    if report.error is not None:
        told[ERROR] = clean(report.error)
    return told


def _cleaner(finding: Finding) -> Callable[[Any], Any]:
    redact = redactor(finding.feedback.key.get_secret_value() if finding.feedback else None)
    return lambda value: plain(value, redact)


def _entry(run: Run, clean: Callable[[Any], Any]) -> dict[str, Any]:
    outcome = run.outcome or Outcome.INTERRUPTED
    entry = {
        "Rule": clean(run.rule),
        "ID": clean(run.entity_id),
        "Name": clean(run.entity_name),
        "Remediation": clean(run.bot),
        "Execution status": outcome.status,
        "Bot message": clean(run.message) or f"ended as {outcome}, without a word about why",
        "Outcome": outcome.value,
        "Changed": run.changed,
        "Region": clean(run.region),
        "Account name": clean(run.account_name),
        "Resource type": clean(run.target_type),
        "Parameters": clean(run.args),
        "Run": run.run_id,  # the hub made it, so nothing in it came from outside
        "Undo": {"degree": clean(run.undo), "how": _way_back(run, outcome)},
        "Duration": round(run.seconds, 3),
        "Session": clean(run.session),
        "Notes": clean(run.notes),
        "Before": clean(run.before),
        "After": clean(run.after),
    }
    if run.undo_of is not None:
        entry["Undo of"] = run.undo_of
    if run.planned is not None:
        entry[PLANNED] = clean([call._asdict() for call in run.planned])
    return entry | {name: clean(value) for name, value in waiting_words(run).items()}


def _way_back(run: Run, outcome: Outcome) -> str | None:
    possible = run.changed and run.undo != "none" and run.undone_by is None and run.undo_of is None
    return f"hub undo {run.run_id}" if possible and outcome is not Outcome.RESTORED else None


def as_json(told: Any) -> str:
    """One line of JSON, other alphabets as they are: an escaped letter takes up to six times the room."""
    return json.dumps(told, ensure_ascii=False)


def text(told: Mapping[str, Any]) -> str:
    """A `document` as lines ``Key: value`` for people, in the shape CloudBots readers parse.

    Entries begin with a line "Rule: ..." that has no blank before it, and so does "Bot message: ...";
    all other lines begin with a blank. Each value takes one line, whatever it is.
    """
    entries = told.get(ENTRIES)
    head = [f" {_one_line(name)}: {_value(told[name])}" for name in told if name != ENTRIES]
    lines = [line.removeprefix(" ") if index == 0 else line for index, line in enumerate(head)]
    lines.append("Rule violations found:")
    for entry in entries if isinstance(entries, list | tuple) else ():
        if isinstance(entry, Mapping):
            for name in entry:
                blank = "" if name in ("Rule", "Bot message") else " "
                lines.append(f"{blank}{_one_line(name)}: {_value(entry[name])}")
        else:
            lines.append(_value(entry))
    return "\n".join(lines) + "\n"


def _value(value: Any) -> str:
    told = plain(value, str)
    return _one_line(told if isinstance(told, str) else as_json(told))


def _one_line(value: object) -> str:
    # A line break inside a name must not look like a line of the report.
    return " ".join(str(value).splitlines())


def attributes(report: Report) -> dict[str, str]:
    """What subscriptions can filter on; ``bots`` is a JSON list of texts, the others are plain texts.

    SNS takes no empty values, so what is not known is left out.
    """
    clean = _cleaner(report.finding)
    found = {
        "accountId": clean(report.finding.account_id),
        "findingKey": clean(report.finding.key),
        "severity": clean(report.finding.severity),
        "status": _status(report),
        "outcome": _outcome(report).value,
        "needsPerson": _needs_person(report),
        "reportId": report.report_id,
    }
    told = {name: _first_bytes(value, MAX_ATTRIBUTE_BYTES) for name, value in found.items() if value}
    bots = _bots(dict.fromkeys(clean(run.bot) for run in report.runs))
    return told | ({"bots": bots} if bots else {})


def _status(report: Report) -> str:
    present = {outcome.status for outcome in report.outcomes}
    if report.error is not None or not present:
        return "failed"
    return next(status for status in STATUSES if status in present)


def _outcome(report: Report) -> Outcome:
    present = set(report.outcomes)
    if report.error is not None or not present:
        present.add(Outcome.INVALID)
    return next(outcome for outcome in OUTCOMES if outcome in present)


def _needs_person(report: Report) -> str:
    """Not to be read off the worst outcome: what may pass by itself can be worse than what does not."""
    unhandled = report.error is not None or not report.runs
    return "true" if unhandled or any(outcome.needs_person for outcome in report.outcomes) else "false"


def _bots(names: Mapping[str, None]) -> str:
    """As many names as SNS should carry, for subscriptions that listen to some bots only."""
    kept: list[str] = []
    size = 2
    for name in names:
        size += len(json.dumps(name, ensure_ascii=False).encode()) + 2
        if size > MAX_BOTS_BYTES:
            break
        if name:
            kept.append(name)
    return json.dumps(kept, ensure_ascii=False) if kept else ""


def _first_bytes(value: str, limit: int) -> str:
    return value.encode()[:limit].decode(errors="ignore")
