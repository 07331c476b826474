"""The plan for a change ticket."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.cli.marking import block, code, facts, part, plain
from hub.cli.plan import words


def markdown(steps: Sequence[Mapping[str, Any]], head: Mapping[str, Any] | None = None) -> str:
    """The whole.

    Args:
        head: of a saved plan.
    """
    return "\n".join(_lines(steps, head)) + "\n"


def _lines(steps: Sequence[Mapping[str, Any]], head: Mapping[str, Any] | None) -> Iterator[str]:
    yield "# Remediation plan"
    yield ""
    if head is not None:
        yield from facts(words.of_plan(head))
        command = f"hub apply {head['plan']}"
        yield f"* To carry it out: {code(command)}"
        yield ""
    if not steps:
        yield "Nothing to do."
        return
    yield plain(words.headline(steps))
    yield from part("Steps", words.STEPS, tuple(map(words.row, range(1, len(steps) + 1), steps)))
    for number, step in enumerate(steps, 1):
        yield ""
        yield f"## {number}. {code(step['bot'])} on {code(step['target']['id'])}: {step['outcome']}"
        yield ""
        yield from facts(words.facts(step))
        yield from part("Guards", words.GUARDS, words.guards(step))
        if step["before"] is not None:
            yield from block("Live state", step["before"])
        if step["calls"]:
            yield from block(words.calls_title(step), step["calls"])
        if step["calls_after_these"]:
            yield ""
            yield f"**Maybe more calls:** {plain(step['calls_after_these'])}"
