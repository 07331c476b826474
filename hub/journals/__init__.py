"""Where runs are kept. One Protocol, three homes: `dynamodb`, `sqlite`, `memory`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from hub.model import Outcome, Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on ``name`` until ``expires_at``.

    ``fence`` grows by one each time somebody new takes the lease, also after an expiry, and never
    falls; a write that carries an older fence than the record's is refused.
    """

    name: str
    owner: str
    fence: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """Filters of the history; None means any. ``since`` is aware; newest first; ``limit`` rows."""

    finding_key: str | None = None
    account_id: str | None = None
    bot: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    session: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something the hub keeps beside its runs: who is waited for, how often something was fixed, a saved plan.

    Attributes:
        name: what it is found by, as ``waiting/4be1c0ffee0123456789``; any text.
        body: a JSON object. With name and shelf it takes 300,000 bytes as ASCII text at most.
        until: aware; from then on there is no such note.
        version: 0 for one that was never kept, else what the journal gave it. It grows with every writing,
            also over a note that was dropped or whose time is over.
        shelf: notes of one shelf can be listed; "" for those that nobody lists.
    """

    name: str
    body: Mapping[str, Any]
    until: datetime
    version: int = 0
    shelf: str = ""


class Journal(Protocol):
    """What the flow needs of a journal. Every method may raise `hub.errors.JournalUnwritable`
    when the store cannot be reached or refuses."""

    async def start(self) -> None:
        """Connect, create what is missing where that is the journal's to create (SQLite)."""

    async def stop(self) -> None:
        """Let go of connections. Leases stay until released or expired."""

    async def lease(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        """Take ``name`` if it is free or expired; None if somebody else holds it.

        Taking a lease one already holds (same owner, not expired) also gives None: an owner is one
        task, not one process.
        """

    async def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        """Extend; None when the lease was lost (expired and taken, or released)."""

    async def release(self, lease: Lease) -> None:
        """Give it back early. Nothing happens when it was lost already. The fence number survives."""

    async def open(self, run: Run) -> Run:
        """Write ``run`` (outcome None) before the first change.

        If a record of that run_id exists: a closed one is returned as it is; an open one keeps its
        own ``before`` and ``opened_at`` (the state before the *first* attempt), takes the new
        fence and is returned. One that was put off before anything was saved takes the new ``before``.

        Raises:
            LeaseLost: the record carries a higher fence.
        """

    async def close(self, run: Run) -> None:
        """Write the outcome. Creates the record when it was never opened (nothing was changed).

        A closed record is never overwritten: closing it again with the same outcome does nothing.

        Raises:
            LeaseLost: the record carries a higher fence, or was closed with another outcome.
        """

    async def mark_undone(self, run_id: str, *, by: str) -> None:
        """Note on a closed run which run took it back. The outcome stays as it was."""

    async def get(self, run_id: str) -> Run | None: ...

    def runs(self, query: Query) -> AsyncIterator[Run]:
        """Runs that match, newest ``opened_at`` first, across pages of the store."""

    async def settle(self, occurrence: str, *, report_id: str) -> None:
        """Note that the report of this occurrence is out. Idempotent."""

    async def settled(self, occurrence: str) -> str | None:
        """The report_id if `settle` was called for this occurrence."""

    async def note(self, name: str) -> Note | None:
        """The note of that name, read consistently; None if there is none or its time is over."""

    async def keep(self, note: Note) -> Note | None:
        """Write a note over that very version (0: there must be none, or one whose time is over).

        Returns:
            The note with its new version; None if somebody else was faster, or the time of that version
            is over.

        Raises:
            JournalUnwritable: its body is not JSON, or too large; nothing is written.
        """

    async def drop(self, note: Note) -> bool:
        """Delete that very version of it; False if somebody else was faster, or its time is over."""

    def shelf(self, shelf: str) -> AsyncIterator[Note]:
        """The notes of a shelf, in any order, across pages of the store. May lag a little behind `keep`."""

    async def tally(self, name: str, add: int, *, until: datetime) -> int:
        """Add to the number of that name (which begins at 0, and again when its time is over), atomically.

        Args:
            add: negative to give back; 0 reads, and writes nothing.
            until: aware; when the number begins at 0 again. The first writing decides.

        Returns:
            The number after it.
        """
        ...
