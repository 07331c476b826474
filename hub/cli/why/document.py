"""What the journal knows of a finding as one document: what auditors get, and what the pages are made of. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hub import __version__
from hub.flow.differences import differences
from hub.flow.redaction import plain, redactor
from hub.flow.report import report_id
from hub.model import Answer, Call, Run

if TYPE_CHECKING:
    from hub.flow.waiting import Waiting

SCHEMA = "remediation-hub/why/1"
MOST_CHANGES = 200

Told = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The runs of one finding, newest first.

    Attributes:
        more: there are older ones.
        asked_run: the run that was asked about; "" if the finding was.
        reports: of each occurrence the id of its report, None if that is not out.
        waiting: whom or what those runs wait for that do so still.
    """

    runs: tuple[Run, ...]
    more: bool = False
    asked_run: str = ""
    reports: Mapping[str, str | None]
    waiting: Mapping[str, Waiting] = field(default_factory=dict)


def document(known: Known, *, now: datetime) -> Told:
    """The whole; see docs/why.md for its fields. New ones may come, none changes its meaning.

    Every text in it is free of secrets and control characters.
    """
    newest = known.runs[0]
    told = {
        "schema": SCHEMA,
        "at": _time(now),
        "hub_version": __version__,
        "asked_run": known.asked_run or None,
        "finding": {
            "key": newest.finding_key,
            "rule": newest.rule,
            "severity": newest.severity,
            "account": newest.account_id,
            "account_name": newest.account_name,
            "entity_id": newest.entity_id,
            "entity_name": newest.entity_name,
        },
        "occurrences": list(_occurrences(known)),
        "open_runs": [run.run_id for run in known.runs if run.outcome is None],
        "older_runs_left_out": known.more,
        "runs": [_run(run, known, now) for run in known.runs],
    }
    clean: Told = plain(told, redactor(None))
    return clean


def _occurrences(known: Known) -> Iterator[Told]:
    """Oldest first. An undo belongs to the occurrence whose change it took back."""
    for occurrence in dict.fromkeys(run.occurrence for run in reversed(known.runs)):
        runs = [run for run in reversed(known.runs) if run.occurrence == occurrence]
        report = known.reports.get(occurrence)
        yield {
            "occurrence": occurrence,
            "first_run_at": _time(runs[0].opened_at),
            "runs": [run.run_id for run in runs],
            "report_id": report or report_id(occurrence),
            "report_published": report is not None,
        }


def _run(run: Run, known: Known, now: datetime) -> Told:
    outcome = run.outcome
    both = run.before is not None and run.after is not None
    changes = [each._asdict() for each in differences(run.before, run.after)] if both else []
    return {
        "run": run.run_id,
        "occurrence": run.occurrence,
        "report_id": _report_of(run),
        "bot": run.bot,
        "parameters": list(run.args),
        "suggested_policy": run.suggested_policy,
        "account": run.account_id,
        "account_name": run.account_name,
        "partition": run.partition,
        "region": run.region,
        "target": {"type": run.target_type, "id": run.target_id},
        "logged_event_at": run.event_time,
        "open": outcome is None,
        "outcome": outcome.value if outcome else None,
        "meaning": outcome.meaning if outcome else standing(run),
        "needs_person": outcome.needs_person if outcome else None,
        "message": run.message,
        "decided_by": run.decided_by or None,
        "notes": list(run.notes),
        "guards": None
        if run.verdicts is None
        else [
            {"guard": word.guard, "decision": word.decision.value, "why": word.why} for word in run.verdicts
        ],
        "changed": run.changed,
        "changes": changes[:MOST_CHANGES],
        "changes_left_out": max(0, len(changes) - MOST_CHANGES),
        "before": run.before,
        "after": run.after,
        "calls": None if run.calls is None else [_call(call) for call in run.calls],
        "calls_left_out": run.calls_left_out,
        "opened_at": _time(run.opened_at),
        "closed_at": _time(run.closed_at) if run.closed_at else None,
        "seconds": round(run.seconds if run.closed_at else (now - run.opened_at).total_seconds(), 3),
        "session": run.session,
        "fence": run.fence,
        "undo": _undo(run, known),
        "waits": _waits(known.waiting.get(run.run_id)),
        "resumes": run.resumes,
        "resumed_by": next((each.run_id for each in known.runs if each.resumes == run.run_id), None),
        "approved_by": run.approved_by or None,
        "planned": None if run.planned is None else [call._asdict() for call in run.planned],
    }


def _waits(waits: Waiting | None) -> Told | None:
    if waits is None:
        return None
    return {
        "guard": waits.guard,
        "why": waits.why,
        "for": "a person" if waits.due_at is None else "a moment",
        "due_at": _time(waits.due_at) if waits.due_at else None,
        "expires_at": _time(waits.expires_at) if waits.expires_at else None,
        "requested_by": waits.requested_by,
        "answer": _answer(waits.answer),
        "given": _answer(waits.given),
    }


def _answer(answer: Answer | None) -> Told | None:
    if answer is None:
        return None
    return {
        "approved": answer.approved,
        "by": answer.by,
        "because": answer.because,
        "at": _time(answer.at),
    }


def standing(run: Run) -> str:
    """What can be said of a run without an outcome."""
    if run.before is None:
        return (
            "open: it waits for AWS and has changed nothing; it goes on when its message is delivered again"
        )
    return (
        "open: a worker is at it or was cut off, so the change may have been made and is not proven; it is "
        "finished when its message is delivered again"
    )


def _report_of(run: Run) -> str:
    # An undo is reported by itself, and so is what goes on after it waited.
    return report_id(run.run_id if run.undo_of or run.resumes else run.occurrence)


def _call(call: Call) -> Told:
    return {
        "at": _time(datetime.fromtimestamp(call.at, UTC)),
        "service": call.service,
        "operation": call.operation,
        "region": call.region,
        "request_id": call.request_id or None,
        "status": call.status or None,
        "error": call.error or None,
        "shared": call.shared,
    }


def _undo(run: Run, known: Known) -> Told:
    possible, why = _way_back(run)
    tries = [each for each in known.runs if each.undo_of == run.run_id]
    return {
        "degree": run.undo,
        "possible": possible,
        "why": why,
        "command": f"hub undo {run.run_id}" if possible else None,
        "undo_of": run.undo_of,
        "undone_by": run.undone_by,
        "attempts": [
            {"run": each.run_id, "outcome": each.outcome.value if each.outcome else None} for each in tries
        ],
    }


def _way_back(run: Run) -> tuple[bool, str]:
    """Whether `hub undo` would try, and why (not)."""
    if run.undo_of is not None:
        return False, f"this run is the undo of run {run.undo_of}"
    if run.undone_by is not None:
        return False, f"undone by run {run.undone_by}"
    if run.outcome is not None and not run.changed:
        return False, "nothing was changed"
    if run.before is None:
        return False, "no state from before was kept"
    match run.undo:
        case "none":
            return False, f"{run.bot} cannot be undone; what was there is kept here for a person"
        case "nearest":
            return True, f"as near as AWS allows; `hub bots {run.bot}` says what stays different"
        case _:
            return True, "exactly what was there is put back"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
