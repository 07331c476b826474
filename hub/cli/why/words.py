"""The parts of the page that people read, as rows of text, whatever they are printed with. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.model import Outcome

GUARDS = ("Guard", "Said", "Why")
CHANGES = ("What", "Before", "After")
PLANNED = ("Call", "Region", "Parameters")
CALLS = ("At (UTC)", "Call", "Region", "Answer", "Request id")
NOT_KEPT = "not kept: an older hub wrote this record"

Told = Mapping[str, Any]
Row = tuple[str, ...]


def value(told: Any) -> str:
    """A value of a snapshot on one line."""
    return "-" if told is None else told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)


def outcome_of(run: Told) -> Outcome | None:
    """The outcome of a run of the document; None while it is open."""
    return Outcome(run["outcome"]) if run["outcome"] else None


def headline(told: Told) -> str:
    """What came of the finding, in one sentence."""
    runs = told["runs"]
    came = len(told["occurrences"])
    last = told["occurrences"][-1]["first_run_at"]
    words = f"It came once, at {last}" if came == 1 else f"It came {came} times, the last time at {last}"
    if told["older_runs_left_out"]:
        words += " (older runs are left out, see --limit)"
    newest = runs[0]
    ended = "is open" if newest["open"] else f"ended {newest['outcome']} ({newest['meaning']})"
    words += f". The newest run, of {newest['bot']}, {ended}."
    if still := len(told["open_runs"]):
        words += f" {_count(still, 'run')} {'is' if still == 1 else 'are'} open."
    return words


def finding(told: Told) -> Iterator[Row]:
    """Name and value of each fact of the finding."""
    about = told["finding"]
    yield "Finding", about["key"] or "(without a key)"
    yield "Rule", _with(about["rule"], about["severity"])
    yield "Account", _with(about["account"], about["account_name"])
    yield "Resource", _with(about["entity_id"] or about["entity_name"] or "-", _other_name(about))
    for each in told["occurrences"]:
        state = "published" if each["report_published"] else "not published"
        yield (
            "Came",
            f"{each['first_run_at']}, report {each['report_id']} {state}, {_count(len(each['runs']), 'run')}",
        )


def facts(run: Told) -> Iterator[Row]:
    """Name and value of each fact of a run but its tables."""
    yield "Outcome", f"{run['outcome'] or 'open'}: {run['meaning'].removeprefix('open: ')}"
    if run["message"]:
        yield "Message", run["message"]
    for note in run["notes"]:
        yield "Note", note
    yield "Bot", " ".join((run["bot"], *(value(each) if each else '""' for each in run["parameters"])))
    if run["decided_by"]:
        yield "Decided by", run["decided_by"]
    yield from _waiting(run)
    if run["suggested_policy"]:
        yield "Policy given", run["suggested_policy"]
    yield "Resource", f"{run['target']['type']} {run['target']['id']}".strip() or "none could be told"
    yield "Where", _with(f"{run['account']}, {run['region'] or 'no region'}", run["account_name"])
    if run["logged_event_at"]:
        yield "Logged event", run["logged_event_at"]
    yield "When", _timing(run)
    yield "Changed", "yes" if run["changed"] else "may have been" if run["open"] and run["before"] else "no"
    yield "Undo", _undo(run["undo"])
    yield "CloudTrail", f"session {run['session']}" if run["session"] else "the account was not entered"
    yield "Report", run["report_id"]


def _waiting(run: Told) -> Iterator[Row]:
    """Who was waited for, who said what, and what came of it."""
    waits = run["waits"]
    if waits is not None:
        until = waits["due_at"] or waits["expires_at"]
        yield "Waits for", f"{waits['for']} until {until}" if until else waits["for"]
        yield "Asked for by", waits["requested_by"]
        for said in filter(None, (waits["given"], waits["answer"])):
            word = "Approved" if said["approved"] else "Rejected"
            yield word, f"by {said['by']} at {said['at']}: {said['because']}"
        if waits["answer"] is None:
            yield "To end it", f"hub reject {run['run']} --because ..."
            if waits["for"] == "a person":
                yield "To go on", f"hub approve {run['run']} --because ..."
    if run["resumes"]:
        yield "Goes on with", f"run {run['resumes']}, which waited"
    if run["resumed_by"]:
        yield "Went on as", f"run {run['resumed_by']}"
    if run["approved_by"]:
        yield "Approved by", run["approved_by"]


def planned(run: Told) -> tuple[Row, ...]:
    """Rows of `PLANNED`: what a run that waits would call; none if that was not worked out."""
    return tuple(
        (f"{call['service']} {call['operation']}", call["region"], value(call["params"]))
        for call in run["planned"] or ()
    )


def guards(run: Told) -> tuple[Row, ...] | str:
    """Rows of `GUARDS`, or why there are none."""
    if run["guards"] is None:
        return NOT_KEPT
    if not run["guards"]:
        return "none was asked: the finding could not be acted on as written"
    return tuple((each["guard"], each["decision"], each["why"] or "-") for each in run["guards"])


def changes(run: Told) -> tuple[Row, ...] | str:
    """Rows of `CHANGES`, or why there are none."""
    if run["before"] is None:
        return "nothing was saved, because nothing was seen"
    if run["after"] is None:
        return f"seen: {value(run['before'])}; what was there afterwards was not recorded"
    rows = [(each["path"] or "all", value(each["before"]), value(each["after"])) for each in run["changes"]]
    if run["changes_left_out"]:
        rows.append((f"{run['changes_left_out']} more, see --json", "", ""))
    return tuple(rows) or f"the same before and after: {value(run['before'])}"


def calls(run: Told) -> tuple[Row, ...] | str:
    """Rows of `CALLS`, or why there are none."""
    if run["calls"] is None:
        return NOT_KEPT
    rows = [_call(each) for each in run["calls"]]
    if run["calls_left_out"]:
        rows.append(("", f"{run['calls_left_out']} more, which CloudTrail has", "", "", ""))
    return tuple(rows) or "none that the hub saw"


def _call(call: Told) -> Row:
    status = "no answer" if call["status"] is None else str(call["status"])
    answer = " ".join(filter(None, (status, call["error"], "(shared)" if call["shared"] else "")))
    named = f"{call['service']} {call['operation']}"
    return call["at"].replace("T", " ").rstrip("Z"), named, call["region"], answer, call["request_id"] or "-"


def _timing(run: Told) -> str:
    if run["open"]:
        return f"{run['opened_at']}, open for {run['seconds']:,.0f} s"
    return f"{run['opened_at']} to {run['closed_at']} ({run['seconds']:,.3f} s)"


def _undo(undo: Told) -> str:
    words = str(undo["why"])
    if undo["command"]:
        words += f": {undo['command']}"
    failed: Sequence[Told] = [each for each in undo["attempts"] if each["run"] != undo["undone_by"]]
    if failed:
        words += "; tried by " + ", ".join(
            f"run {each['run']} ({each['outcome'] or 'open'})" for each in failed
        )
    return words


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _with(text: str, more: str | None) -> str:
    return f"{text} ({more})" if more else text


def _other_name(about: Told) -> str | None:
    name = about["entity_name"]
    return name if about["entity_id"] and name != about["entity_id"] else None
