"""The parts of a plan that people read, as rows of text, whatever they are printed with. Pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

STEPS = ("", "Account", "Region", "Resource", "Bot", "Would be", "Undo")
GUARDS = ("Guard", "Says", "Why")
STATE = ("What", "Now")
CALLS = ("Call", "Region", "Parameters")

Told = Mapping[str, Any]
Row = tuple[str, ...]


def headline(steps: Sequence[Told]) -> str:
    """How many of what, in one sentence."""
    counts = Counter(step["outcome"] for step in steps)
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.most_common())
    return f"{len(steps)} {'step' if len(steps) == 1 else 'steps'}: {told}"


def of_plan(head: Told) -> Iterator[Row]:
    """Name and value of each fact of a saved plan."""
    yield "Plan", head["plan"]
    yield "Made", _mark(head["made"])
    yield "By hub", head["hub"]
    yield "Good until", _at(head["good_until"])
    if head["begun"]:
        yield "Begun", _mark(head["begun"])
    yield "Carried out", _mark(head["applied"]) if head["applied"] else "not yet"


def row(number: int, step: Told) -> Row:
    """A row of `STEPS`."""
    return (
        str(number),
        step["account"],
        step["region"],
        step["target"]["id"] or "-",
        step["bot"],
        step["outcome"],
        step["undo"]["degree"],
    )


def title(step: Told) -> str:
    """What is to be done to what."""
    return f"{step['bot']} on {step['target']['id'] or '-'}"


def facts(step: Told) -> Iterator[Row]:
    """Name and value of each fact of a step but its tables."""
    yield "Would be", f"{step['outcome']}: {step['message']}"
    for note in step["notes"]:
        yield "Note", note
    yield "Finding", _with(step["finding"]["key"] or "(without a key)", step["finding"]["rule"])
    yield "Where", _with(f"{step['account']}, {step['region'] or 'no region'}", step["account_name"])
    yield "Resource", f"{step['target']['type']} {step['target']['id']}".strip() or "none could be told"
    yield "Bot", " ".join((step["bot"], *(each or '""' for each in step["parameters"])))
    if step["suggested_policy"]:
        yield "Policy given", step["suggested_policy"]
    if step["decided_by"]:
        yield "Decided by", step["decided_by"]
    yield "Undo", ": ".join(filter(None, step["undo"].values()))


def guards(step: Told) -> tuple[Row, ...] | str:
    """Rows of `GUARDS`, or why there are none."""
    if not step["guards"]:
        return "none was asked"
    return tuple((each["guard"], each["decision"], each["why"] or "-") for each in step["guards"])


def state(step: Told) -> tuple[Row, ...] | str:
    """Rows of `STATE`, or why there are none."""
    if step["before"] is None:
        return "not looked at"
    return (
        tuple((name, value(now)) for name, now in step["before"].items())
        or "nothing that the bot would touch"
    )


def calls(step: Told) -> tuple[Row, ...] | str:
    """Rows of `CALLS`, or why there are none."""
    if step["calls"] is None:
        return "none"
    rows = [
        (f"{call['service']} {call['operation']}", call["region"], _parameters(call["params"]))
        for call in step["calls"]
    ]
    if step["calls_after_these"]:
        rows.append(("maybe more", "", step["calls_after_these"]))
    return tuple(rows)


def _parameters(told: Told) -> str:
    """One on a line."""
    return "\n".join(f"{name}: {' '.join(value(each).splitlines())}" for name, each in told.items())


def calls_title(step: Told) -> str:
    """What the calls are."""
    return "Calls, as long as AWS refuses none" if step["calls"] else "Calls"


def value(told: Any) -> str:
    """A value on one line."""
    return "-" if told is None else told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)


def _mark(told: Told) -> str:
    return f"{_at(told['at'])} by {told['by']}"


def _at(text: str) -> str:
    return f"{text[:16].replace('T', ' ')} UTC"


def _with(text: str, more: str | None) -> str:
    return f"{text} ({more})" if more else text
