"""Notes down what happens in a step while it happens: the guards' words, and the calls that went to AWS.

A step's notes are found through a context variable, so that neither bots nor guards hand them around. What
happens outside any step (doctor, a plan) is noted nowhere. Only names are noted, never parameters or answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any

from hub.model import Call, Run, Verdict

MOST_CALLS = 100
# Of reads only so many: whatever a step reads, there is room for what it changes.
MOST_READS = 60
MOST_WORDS = 20
LONGEST_WHY = 600  # characters
LONGEST_NAME = 64  # characters of what AWS answers: request ids take 36 at most, error codes about as many
_READS = ("Get", "List", "Describe", "Head", "BatchGet", "Lookup", "Query", "Scan", "Search", "Simulate")


def changes(call: Call) -> bool:
    """Whether it is a call that changes something, or would have if AWS had let it."""
    return not call.operation.startswith(_READS)


@dataclass(slots=True)
class Notes:
    """Of one attempt of one run, with what earlier attempts had noted before it."""

    run_id: str = ""
    calls: list[Call] = field(default_factory=list)
    left_out: int = 0
    words: dict[Verdict, None] = field(default_factory=dict)

    def call(self, call: Call) -> None:
        """Note a call, or count it when there are too many."""
        noted = len(self.calls)
        if noted < MOST_READS or (noted < MOST_CALLS and changes(call)):
            self.calls.append(call)
        else:
            self.left_out += 1

    def sent(
        self, at: float, service: str, operation: str, region: str, *, answer: Any = None, error: str = ""
    ) -> None:
        """Note a call that was sent.

        Args:
            at: when, in seconds since 1970.
            answer: what came back, as botocore reads it; None if nothing did.
            error: AWS's code for what went wrong, or the hub's (``Network``).
        """
        told = {} if answer is None else answer.get("ResponseMetadata", {})
        request_id = str(told.get("RequestId", ""))[:LONGEST_NAME]
        status = int(told.get("HTTPStatusCode", 0))
        self.call(
            Call(round(at, 3), service, operation, region, request_id, status, error[:LONGEST_NAME], False)
        )

    def word(self, verdict: Verdict) -> None:
        """Note what a guard said. The same word about another resource of the step is not noted again."""
        if len(verdict.why) > LONGEST_WHY:
            verdict = replace(verdict, why=verdict.why[:LONGEST_WHY])
        if len(self.words) < MOST_WORDS:
            self.words[verdict] = None

    def of_many(self, others: Notes, *, shared: bool) -> None:
        """Take over the calls that were noted apart, as shared with other findings or not."""
        for call in others.calls:
            self.call(call._replace(shared=True) if shared else call)
        self.left_out += others.left_out


_current: ContextVar[Notes | None] = ContextVar("hub_notes", default=None)


def current() -> Notes | None:
    """The notes of the running step."""
    return _current.get()


@contextmanager
def noting(run_id: str = "", earlier: Run | None = None) -> Iterator[Notes]:
    """What happens inside the block is noted down there.

    Args:
        run_id: whose notes they are; "" for calls that are noted apart.
        earlier: the run as an attempt before left it, whose notes are gone on with.
    """
    notes = Notes(run_id)
    if earlier is not None:
        notes.calls.extend(earlier.calls or ())
        notes.left_out = earlier.calls_left_out
        notes.words.update(dict.fromkeys(earlier.verdicts or ()))
    token = _current.set(notes)
    try:
        yield notes
    finally:
        _current.reset(token)


def with_notes(run: Run) -> Run:
    """The run with all that was noted about it so far; as it is if the notes are another's."""
    notes = _current.get()
    if notes is None or notes.run_id != run.run_id:
        return run
    return replace(run, verdicts=tuple(notes.words), calls=tuple(notes.calls), calls_left_out=notes.left_out)
