"""What every journal decides alike, so that the stores differ in nothing but where they write. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hub.errors import InternalError, JournalUnwritable, LeaseLost
from hub.journals import Query
from hub.model import Run

# A lease's record stays so much longer than the runs written under it: with it gone its fence would
# begin at 1 again, below the fences those runs carry.
LEASE_EXTRA = timedelta(days=30)
# A note's record stays so much longer than the note, and also when it is dropped: with it gone versions would
# begin at 1 again, and somebody who read an earlier note of that name could write over a later one.
NOTE_EXTRA = timedelta(days=7)
MAX_KEEP_DAYS = 36_500  # dates end in the year 9999


def kept_for(days: int) -> timedelta:
    """How long runs are kept, 100 years at most."""
    return timedelta(days=min(days, MAX_KEEP_DAYS))


def utc_now() -> datetime:
    """The clock of a journal that was given none."""
    return datetime.now(UTC)


def to_open(stored: Run | None, run: Run) -> Run:
    """The record after ``open(run)``; the very ``stored`` if that is closed and stays as it is.

    A second attempt writes its own session and notes, but never its own ``before``: by then the
    first attempt may have changed the resource.

    Raises:
        LeaseLost: a later holder of the lease wrote ``stored``.
    """
    if run.outcome is not None:
        raise InternalError(f"run {run.run_id} has an outcome already; it is closed, not opened")
    if stored is None:
        return run
    _refuse_older(stored, run)
    if stored.outcome is not None:
        return stored
    # A run that was put off before its first look has nothing saved yet.
    before = run.before if stored.before is None else stored.before
    return replace(run, before=before, opened_at=stored.opened_at)


def to_close(stored: Run | None, run: Run) -> Run | None:
    """The record to write for ``close(run)``; None when it is written already.

    What was saved at opening outlives a closing that does not know it: whoever closes after an
    error may hold the run as it was before it was opened.

    Raises:
        LeaseLost: a later holder of the lease wrote ``stored``, or it ended otherwise.
    """
    if run.outcome is None:
        raise InternalError(f"run {run.run_id} has no outcome; it cannot be closed")
    if stored is None:
        return run
    _refuse_older(stored, run)
    if stored.outcome is None:
        return replace(
            run,
            before=run.before if stored.before is None else stored.before,
            opened_at=stored.opened_at,
            session=run.session or stored.session,
            notes=run.notes or stored.notes,
            resumes=run.resumes or stored.resumes,
            approved_by=run.approved_by or stored.approved_by,
        )
    if stored.outcome is not run.outcome:
        raise LeaseLost(
            f"run {run.run_id} was closed as {stored.outcome} by another worker; {run.outcome} is not recorded"
        )
    return None


def to_undone(stored: Run | None, run_id: str, *, by: str) -> Run:
    """The record after ``mark_undone``.

    Raises:
        JournalUnwritable: there is no closed run of this id.
    """
    if stored is None or stored.outcome is None:
        raise JournalUnwritable(
            f"the journal holds no closed run {run_id[:80]!r}, so it cannot be marked as undone by {by[:80]}"
        )
    return replace(stored, undone_by=by)


def matches(run: Run, query: Query) -> bool:
    """Whether the run passes every filter of the query but ``limit``."""
    wanted = (
        (query.finding_key, run.finding_key),
        (query.account_id, run.account_id),
        (query.bot, run.bot),
        (query.outcome, run.outcome),
        (query.session, run.session),
    )
    if query.since is not None and run.opened_at < query.since:
        return False
    return all(want is None or want == has for want, has in wanted)


def _refuse_older(stored: Run, run: Run) -> None:
    if stored.fence > run.fence:
        raise LeaseLost(
            f"another worker took over run {run.run_id} (fence {stored.fence}, this worker has {run.fence})"
        )
