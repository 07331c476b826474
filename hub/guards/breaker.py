"""After so many failures in a row nothing is changed for a while; then exactly one try decides.

Closed: changes go on, failures in a row are counted. Open: nothing is changed. Half open, when the pause is over:
one step, which takes the try, goes on, the others wait; its success closes the breaker, its failure opens it anew.
A try whose worker died is over after `TRY` and another step may have it.

What counts: an outcome that leaves something to worry about (not `Outcome.well`: unproven, unreachable, denied,
throttled, failed, interrupted, invalid) is a failure; ``passed`` by its status (fixed, compliant) is a success. Gone,
refused and the like tell nothing about whether changes work: they neither count nor end a row.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from hub.guards import CurrentRules, Proposal
from hub.guards.counting import counted_apart
from hub.guards.rewriting import TRIES, Change, damaged, named, parts, rewrite
from hub.guards.saying import cannot_tell, clipped, moment
from hub.guards.where import Entries, Fit, as_found, as_seen
from hub.journals import Journal, Note
from hub.journals.wire import utc_text
from hub.model import Decision, Run, Step, Verdict
from hub.rules.guard_model import Breaker

TRY = timedelta(minutes=15)
"""As long as Lambda lets a worker live."""
KEPT = timedelta(days=30)
"""So long after the last failure, or the end of the pause, the row is forgotten: nobody tried any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Of one breaker, for one account, bot or region, after the first failure.

    Attributes:
        failures: so many in a row.
        last: the last one's words.
        last_at: when that was.
        open_until: when the pause ends; None while the breaker is closed.
        tried_by: the run that has the try, "" if nobody has it.
        try_ends: when another one may have it.
    """

    failures: int
    last: str
    last_at: datetime
    open_until: datetime | None = None
    tried_by: str = ""
    try_ends: datetime | None = None


class Breakers:
    """Keeps its states in ``journal``; asks the ``breakers`` of the rules in force."""

    name = "breaker"

    def __init__(self, rules: CurrentRules, journal: Journal) -> None:
        self._entries = Entries(rules, "breakers", lambda current: current.breakers)
        self._journal = journal

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        """Let the change go on, let it be the one try, or say until when it has to wait.

        Raises:
            JournalUnwritable: a state cannot be read, or the try not be taken.
        """
        run, now = proposal.run, proposal.now
        step = as_seen(proposal)
        fits = self._entries.about(step)
        for fit in fits:
            if fit.unknown:
                return cannot_tell(self.name, fit)
        halves: list[tuple[Fit[Breaker], str]] = []
        for fit in fits:
            name = _name(fit.entry, step)
            state = _read(await self._journal.note(name))
            if state is None:
                continue
            if (until := waits_until(state, run.run_id, now)) is not None:
                return self._wait(fit, step, state, until)
            if state.open_until is not None:
                halves.append((fit, name))
        # Taken only when no other breaker holds the step back: a try that nobody makes keeps the rest waiting.
        for fit, name in () if proposal.only_asked else halves:
            taken = _read(await rewrite(self._journal, name, _taking(name, run.run_id, now)))
            if taken is not None and (until := waits_until(taken, run.run_id, now)) is not None:
                return self._wait(fit, step, taken, until)
        return None

    async def ended(self, step: Step, run: Run) -> None:
        """Count what came out.

        Raises:
            JournalUnwritable: it is not counted.
        """
        step = as_found(step, run)
        for fit in self._entries.about(step):
            name = _name(fit.entry, step)
            # Each race that is lost is a failure counted, and as soon as the breaker is open none is written.
            tries = fit.entry.failures + TRIES
            await rewrite(self._journal, name, _ending(name, fit.entry, run), tries=tries)

    def _wait(self, fit: Fit[Breaker], step: Step, state: State, until: datetime) -> Verdict:
        about = ", ".join(counted_apart(fit.entry.each, step)) or "all changes"
        if state.tried_by:
            then = f"run {state.tried_by} tries now whether changes work again, and until {moment(until)} others wait"
        else:
            then = f"nothing is changed until {moment(until)}, then one try decides whether changes go on"
        return Verdict(
            decision=Decision.WAIT,
            guard=self.name,
            why=f"breaker {fit.entry.name} of {fit.place} is open for {about} after {state.failures} failures in a "
            f"row, the last at {moment(state.last_at)} ({state.last}); {then}; the step goes on by itself, but only "
            "if the cause is mended by then",
            until=until,
        )


def waits_until(state: State, run_id: str, now: datetime) -> datetime | None:
    """Until when this run may change nothing; None if it may go on now (and takes the try, if the breaker is open)."""
    if state.open_until is not None and now < state.open_until:
        return state.open_until
    if state.try_ends is not None and now < state.try_ends and state.tried_by != run_id:
        return state.try_ends
    return None


def tried(state: State | None, run_id: str, now: datetime) -> State | None:
    """The state when this run has asked for the try; as it was where there is none to have."""
    if state is None or state.open_until is None or waits_until(state, run_id, now) is not None:
        return state
    return replace(state, tried_by=run_id, try_ends=now + TRY)


def after(state: State | None, breaker: Breaker, run: Run) -> State | None:
    """The state after a change has ended; None if nothing is to be remembered."""
    outcome, at = run.outcome, run.closed_at
    assert outcome is not None
    assert at is not None
    is_open = state is not None and state.open_until is not None
    decides = state is not None and state.tried_by == run.run_id
    if is_open and not decides:
        # It began before the breaker opened, or came too late with its try: another one decides.
        return state
    if outcome.status == "passed":
        return None
    if outcome.well:
        return replace(state, tried_by="", try_ends=None) if state is not None else None
    failures = 1 if state is None else state.failures + 1
    return State(
        failures=failures,
        last=clipped(f"run {run.run_id} {outcome}: {run.message}"),
        last_at=at,
        open_until=at + breaker.pause if decides or failures >= breaker.failures else None,
    )


def _taking(name: str, run_id: str, now: datetime) -> Change:
    def take(note: Note | None) -> Note | None:
        state = _read(note)
        return _written(name, state, tried(state, run_id, now), note)

    return take


def _ending(name: str, breaker: Breaker, run: Run) -> Change:
    def end(note: Note | None) -> Note | None:
        state = _read(note)
        return _written(name, state, after(state, breaker, run), note)

    return end


def _name(breaker: Breaker, step: Step) -> str:
    return named("breaker", parts(breaker.name, *counted_apart(breaker.each, step)))


def _written(name: str, was: State | None, now: State | None, note: Note | None) -> Note | None:
    if was == now:
        return note
    if now is None:
        return None
    ends = [each for each in (now.last_at, now.open_until, now.try_ends) if each is not None]
    body = {
        field.name: utc_text(value) if isinstance(value := getattr(now, field.name), datetime) else value
        for field in fields(State)
    }
    return Note(name=name, body=body, until=max(ends) + KEPT)


def _read(note: Note | None) -> State | None:
    if note is None:
        return None
    body = note.body
    try:
        return State(
            failures=int(body["failures"]),
            last=str(body["last"]),
            last_at=datetime.fromisoformat(body["last_at"]),
            open_until=_time(body["open_until"]),
            tried_by=str(body["tried_by"]),
            try_ends=_time(body["try_ends"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(note.name, error) from error


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
