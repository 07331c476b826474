"""Steps that wait for a person's yes or for another moment, and what is kept of them to go on.

A run that waits is closed as such in the journal, with the finding, what was there and what would be called. A
note on a shelf says whom or what it waits for; it goes when the step has been taken up again (`hub.flow.resume`).
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hub.errors import JournalUnwritable
from hub.flow import record
from hub.flow.kept import kept_finding
from hub.flow.kit import Kit
from hub.guards import repeat
from hub.journals import Journal, Note
from hub.model import Answer, Outcome, Run, Step, Verdict

log = logging.getLogger(__name__)

SHELF = "waiting"
# After it could go on, so long its note is kept for somebody to see to it.
KEPT = timedelta(days=30)
# One that nobody ever answers, of a guard that names no end.
LONGEST = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Whom or what a run waits for.

    Attributes:
        due_at: when it is taken up again by itself; None if a person has to say yes.
        expires_at: after that it ends as refused.
        requested_by: the identity under which the finding was settled.
        given: what a person said before it came to wait for another moment.
        answer: what a person said to this.
        sent_at: when the queue was last told to take it up.
        planned: it is carried out only on the state it was planned for.
        attempt: how often it was taken up and AWS could not be reached.
        again_at: not before is it taken up once more.
        note: what it was read from.
    """

    run_id: str
    guard: str
    why: str
    since: datetime
    due_at: datetime | None
    expires_at: datetime | None
    requested_by: str
    finding_key: str
    account_id: str
    region: str
    bot: str
    target_id: str
    given: Answer | None = None
    answer: Answer | None = None
    sent_at: datetime | None = None
    planned: bool = False
    attempt: int = 0
    again_at: datetime | None = None
    note: Note | None = None

    def ready(self, now: datetime) -> bool:
        """Whether it can go on, or has waited long enough."""
        if self.again_at is not None:
            return self.again_at <= now
        if self.answer is not None:
            return True
        return any(at is not None and at <= now for at in (self.due_at, self.expires_at))


async def wait(kit: Kit, step: Step, run: Run, verdict: Verdict) -> Run:
    """Close the run as waiting, and note what it waits for.

    Raises:
        JournalUnwritable, LeaseLost: it was not written.
    """
    assert step.bot is not None
    now = kit.now()
    expires_at = verdict.expires_at
    if verdict.until is None and expires_at is None:
        expires_at = now + LONGEST
    if expires_at is not None:
        # Without its record, which goes when the journal's days are over, it could not go on.
        expires_at = min(expires_at, now + timedelta(days=kit.settings.journal_days) - timedelta(hours=1))
    # Whoever asked for it in the first place, also when a worker has gone on with it since.
    earlier = await read(kit.journal, step.resumes) if step.resumes else None
    waiting = Waiting(
        run_id=run.run_id,
        guard=verdict.guard,
        why=verdict.why,
        since=now,
        due_at=verdict.until,
        expires_at=expires_at,
        requested_by=earlier.requested_by if earlier else (await kit.identity.caller())["Arn"],
        finding_key=run.finding_key,
        account_id=run.account_id,
        region=run.region,
        bot=run.bot,
        target_id=run.target_id,
        given=step.answer,
        planned=earlier.planned if earlier else step.expected is not None,
    )
    try:
        finding = kept_finding(step.finding, step.bot)
    except JournalUnwritable as error:
        return await record.close(kit, run, Outcome.FAILED, f"{verdict.why}; but {error}")
    # First the note: a run that waits without one would wait for ever. One without such a run is passed over.
    old = await read(kit.journal, run.run_id)
    if old is None or old.answer is None:
        await kit.journal.keep(_note(waiting, old.note.version if old and old.note else 0))
    until = verdict.until or expires_at
    assert until is not None
    await repeat.waits(kit.journal, step, run.run_id, until, verdict)
    return await record.close(kit, replace(run, finding=finding), Outcome.WAITING, verdict.why)


async def read(journal: Journal, run_id: str) -> Waiting | None:
    """Whom or what this run waits for; None if it does not wait (any more)."""
    note = await journal.note(_name(run_id))
    return None if note is None else _of(note)


async def everybody(journal: Journal) -> AsyncIterator[Waiting]:
    """All that wait, in any order."""
    async for note in journal.shelf(SHELF):
        try:
            yield _of(note)
        except JournalUnwritable as error:
            # The others are not to wait for ever because of this one.
            log.error("passed over", extra={"note": note.name, "error": str(error)})


async def write(journal: Journal, waiting: Waiting) -> Waiting | None:
    """Write it over what it was read from; None if somebody else was faster."""
    assert waiting.note is not None
    kept = await journal.keep(_note(waiting, waiting.note.version))
    return None if kept is None else replace(waiting, note=kept)


async def no_more(journal: Journal, waiting: Waiting) -> None:
    """It has been taken up, and what came of that is recorded."""
    while waiting.note is not None and not await journal.drop(waiting.note):
        again = await read(journal, waiting.run_id)
        if again is None:
            return
        waiting = again


def _name(run_id: str) -> str:
    return f"waiting/{run_id}"


def _note(waiting: Waiting, version: int) -> Note:
    ends = max(at for at in (waiting.due_at, waiting.expires_at, waiting.since) if at is not None)
    told: dict[str, Any] = {
        "run": waiting.run_id,
        "guard": waiting.guard,
        "why": waiting.why,
        "since": waiting.since.isoformat(),
        "due_at": _text(waiting.due_at),
        "expires_at": _text(waiting.expires_at),
        "requested_by": waiting.requested_by,
        "finding_key": waiting.finding_key,
        "account": waiting.account_id,
        "region": waiting.region,
        "bot": waiting.bot,
        "target": waiting.target_id,
        "given": _said(waiting.given),
        "answer": _said(waiting.answer),
        "sent_at": _text(waiting.sent_at),
        "planned": waiting.planned,
        "attempt": waiting.attempt,
        "again_at": _text(waiting.again_at),
    }
    return Note(name=_name(waiting.run_id), body=told, until=ends + KEPT, version=version, shelf=SHELF)


def _of(note: Note) -> Waiting:
    told = note.body
    try:
        return Waiting(
            run_id=told["run"],
            guard=told["guard"],
            why=told["why"],
            since=datetime.fromisoformat(told["since"]),
            due_at=_time(told["due_at"]),
            expires_at=_time(told["expires_at"]),
            requested_by=told["requested_by"],
            finding_key=told["finding_key"],
            account_id=told["account"],
            region=told["region"],
            bot=told["bot"],
            target_id=told["target"],
            given=_answer(told["given"]),
            answer=_answer(told["answer"]),
            sent_at=_time(told["sent_at"]),
            planned=told["planned"],
            attempt=told["attempt"],
            again_at=_time(told["again_at"]),
            note=note,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise JournalUnwritable(f"note {note.name} of the journal is damaged: {error}") from error


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _said(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {
        "approved": answer.approved,
        "by": answer.by,
        "because": answer.because,
        "at": answer.at.isoformat(),
        "requested_by": answer.requested_by,
    }


def _answer(told: Mapping[str, Any] | None) -> Answer | None:
    if told is None:
        return None
    return Answer(
        approved=bool(told["approved"]),
        by=told["by"],
        because=told["because"],
        at=datetime.fromisoformat(told["at"]),
        requested_by=told["requested_by"],
    )
