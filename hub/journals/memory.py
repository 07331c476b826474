"""The journal of one process, gone with it. For tests, previews and trying things out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hub.journals import Lease, Note, Query
from hub.journals.rules import matches, to_close, to_open, to_undone, utc_now
from hub.journals.wire import dumps, from_microseconds, loads, microseconds, note_text, to_note, utc_text
from hub.model import Run


@dataclass(frozen=True, slots=True)
class _Kept:
    """``owner`` is None when the lease was given back; the fence stays."""

    owner: str | None
    fence: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _KeptNote:
    """``text`` is None when the note was dropped; the version stays. ``ends_at`` in microseconds since 1970."""

    text: str | None
    shelf: str
    ends_at: int
    version: int


class MemoryJournal:
    """A `hub.journals.Journal` in dictionaries.

    Runs and notes are kept as text, so that what cannot be written to a real store fails here too and nobody
    can change a record from outside. No method gives way to another task, so each is atomic.
    """

    def __init__(self, *, now: Callable[[], datetime] = utc_now) -> None:
        self._now = now
        self._leases: dict[str, _Kept] = {}
        self._runs: dict[str, str] = {}
        self._settled: dict[str, str] = {}
        self._notes: dict[str, _KeptNote] = {}
        self._tallies: dict[str, tuple[int, int]] = {}  # number, and when it ends

    async def start(self) -> None:
        """There is nothing to connect to."""

    async def stop(self) -> None:
        """There is nothing to let go of."""

    async def lease(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        now = self._now()
        kept = self._leases.get(name)
        if kept is not None and kept.owner is not None and kept.expires_at > now:
            return None
        fence = kept.fence + 1 if kept else 1
        return self._keep(Lease(name=name, owner=owner, fence=fence, expires_at=_after(now, seconds)))

    async def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        if not self._holds(lease):
            return None
        expires_at = _after(self._now(), seconds)
        return self._keep(Lease(name=lease.name, owner=lease.owner, fence=lease.fence, expires_at=expires_at))

    async def release(self, lease: Lease) -> None:
        if self._holds(lease):
            self._leases[lease.name] = _Kept(None, lease.fence, lease.expires_at)

    async def open(self, run: Run) -> Run:
        return self._write(to_open(self._read(run.run_id), run))

    async def close(self, run: Run) -> None:
        closed = to_close(self._read(run.run_id), run)
        if closed is not None:
            self._write(closed)

    async def mark_undone(self, run_id: str, *, by: str) -> None:
        self._write(to_undone(self._read(run_id), run_id, by=by))

    async def get(self, run_id: str) -> Run | None:
        return self._read(run_id)

    async def runs(self, query: Query) -> AsyncIterator[Run]:
        found = [run for run in map(loads, self._runs.values()) if matches(run, query)]
        found.sort(key=lambda run: (utc_text(run.opened_at), run.run_id), reverse=True)
        for run in found[: max(0, query.limit)]:
            yield run

    async def settle(self, occurrence: str, *, report_id: str) -> None:
        self._settled.setdefault(occurrence, report_id)

    async def settled(self, occurrence: str) -> str | None:
        return self._settled.get(occurrence)

    async def note(self, name: str) -> Note | None:
        kept = self._notes.get(name)
        if kept is None or kept.text is None or kept.ends_at <= microseconds(self._now()):
            return None
        return to_note(kept.text, until=from_microseconds(kept.ends_at), version=kept.version)

    async def keep(self, note: Note) -> Note | None:
        text, ends_at = note_text(note), microseconds(note.until)
        known = await self.note(note.name)
        if (known.version if known else 0) != note.version:
            return None
        last = self._notes.get(note.name)
        version = last.version + 1 if last else 1
        self._notes[note.name] = _KeptNote(text, note.shelf, ends_at, version)
        return replace(note, version=version)

    async def drop(self, note: Note) -> bool:
        known = await self.note(note.name)
        if known is None or known.version != note.version:
            return False
        self._notes[note.name] = replace(self._notes[note.name], text=None)
        return True

    async def shelf(self, shelf: str) -> AsyncIterator[Note]:
        for name in [name for name, kept in self._notes.items() if shelf and kept.shelf == shelf]:
            note = await self.note(name)
            if note is not None and note.shelf == shelf:
                yield note

    async def tally(self, name: str, add: int, *, until: datetime) -> int:
        begins_over_at = microseconds(until)
        number, ends_at = self._tallies.get(name, (0, begins_over_at))
        if ends_at <= microseconds(self._now()):
            number, ends_at = 0, begins_over_at
        if add:
            self._tallies[name] = (number + add, ends_at)
        return number + add

    def _holds(self, lease: Lease) -> bool:
        kept = self._leases.get(lease.name)
        return kept is not None and (kept.owner, kept.fence) == (lease.owner, lease.fence)

    def _keep(self, lease: Lease) -> Lease:
        self._leases[lease.name] = _Kept(lease.owner, lease.fence, lease.expires_at)
        return lease

    def _read(self, run_id: str) -> Run | None:
        text = self._runs.get(run_id)
        return None if text is None else loads(text)

    def _write(self, run: Run) -> Run:
        text = self._runs[run.run_id] = dumps(run)
        return loads(text)


def _after(now: datetime, seconds: float) -> datetime:
    return now + timedelta(seconds=seconds)
