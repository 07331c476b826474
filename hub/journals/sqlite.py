"""The journal in one SQLite file, for hubs on one machine. Several processes may share the file;
it must lie on a local disk, because network file systems do not lock reliably."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from hub.batching import Batcher
from hub.errors import InternalError
from hub.journals import Lease, Query
from hub.journals.rules import LEASE_EXTRA, kept_for, matches, to_close, to_open, to_undone, utc_now
from hub.journals.schema import SCHEMA, Schema
from hub.journals.sqlite_file import connect, in_words, transaction
from hub.journals.sqlite_notes import SqliteNotes, forget_notes
from hub.journals.wire import dumps, index_text, loads, microseconds, utc_text
from hub.model import Run

T = TypeVar("T")

_Work = Callable[[sqlite3.Connection], Any]

PAGE_ROWS = 200
MOST_TOGETHER = 100


class SqliteJournal(SqliteNotes):
    """A `hub.journals.Journal` in the file ``path``.

    One thread owns the one connection, so calls of many tasks queue up there and a cancelled task
    never leaves a call half done. Writes that wait together become one transaction, in which each is still
    all or nothing.

    Args:
        path: the file; created if it is missing, its folder is not.
        keep_days: runs opened longer ago are deleted at `start`; None keeps everything.
        busy_seconds: how long a call waits for another process to finish its own.
        now: the clock, aware.
        schema: what this hub writes.
    """

    def __init__(
        self,
        path: Path,
        *,
        keep_days: int | None = None,
        busy_seconds: float = 15.0,
        now: Callable[[], datetime] = utc_now,
        schema: Schema = SCHEMA,
    ) -> None:
        self._path = path
        self._schema = schema
        self._keep_days = keep_days
        self._busy_seconds = busy_seconds
        self._now = now
        self._thread: ThreadPoolExecutor | None = None
        self._connection: sqlite3.Connection | None = None
        # Waiting for the disk takes longer than all the rest: what comes meanwhile shares the next wait.
        self._writes: Batcher[_Work, Any] = Batcher(self._write_all, at_once=1, most=MOST_TOGETHER)

    async def start(self) -> None:
        if self._thread is None:
            self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hub-journal")
        await self._in_thread(self._connect)
        if self._keep_days is not None:
            await self._write(self._forget_old)

    async def stop(self) -> None:
        await self._writes.close()
        if self._thread is not None:
            try:
                await self._in_thread(self._disconnect)
            finally:
                self._thread.shutdown()
                self._thread = None

    async def lease(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        def take(connection: sqlite3.Connection) -> Lease | None:
            now = self._now()
            expires_at = now + timedelta(seconds=seconds)
            rows = connection.execute(
                """INSERT INTO lease (name, owner, fence, ends_at) VALUES (:name, :owner, 1, :ends_at)
                   ON CONFLICT (name) DO UPDATE SET owner = :owner, fence = fence + 1, ends_at = :ends_at
                   WHERE owner IS NULL OR ends_at <= :now RETURNING fence""",
                {
                    "name": index_text(name),
                    "owner": owner,
                    "ends_at": microseconds(expires_at),
                    "now": microseconds(now),
                },
            ).fetchall()
            return Lease(name=name, owner=owner, fence=rows[0][0], expires_at=expires_at) if rows else None

        return await self._write(take)

    async def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        def extend(connection: sqlite3.Connection) -> Lease | None:
            expires_at = self._now() + timedelta(seconds=seconds)
            extended = connection.execute(
                "UPDATE lease SET ends_at = ? WHERE name = ? AND owner = ? AND fence = ?",
                (microseconds(expires_at), index_text(lease.name), lease.owner, lease.fence),
            )
            if not extended.rowcount:
                return None
            return Lease(name=lease.name, owner=lease.owner, fence=lease.fence, expires_at=expires_at)

        return await self._write(extend)

    async def release(self, lease: Lease) -> None:
        await self._write(
            lambda connection: connection.execute(
                "UPDATE lease SET owner = NULL WHERE name = ? AND owner = ? AND fence = ?",
                (index_text(lease.name), lease.owner, lease.fence),
            )
        )

    async def open(self, run: Run) -> Run:
        def write(connection: sqlite3.Connection) -> Run:
            stored = _read(connection, run.run_id)
            opened = to_open(stored, run)
            if opened is not stored:
                _put(connection, opened)
            return opened

        return await self._write(write)

    async def close(self, run: Run) -> None:
        def write(connection: sqlite3.Connection) -> None:
            closed = to_close(_read(connection, run.run_id), run)
            if closed is not None:
                _put(connection, closed)

        await self._write(write)

    async def mark_undone(self, run_id: str, *, by: str) -> None:
        await self._write(
            lambda connection: _put(connection, to_undone(_read(connection, run_id), run_id, by=by))
        )

    async def get(self, run_id: str) -> Run | None:
        return await self._do(lambda connection: _read(connection, run_id))

    async def runs(self, query: Query) -> AsyncIterator[Run]:
        left = query.limit
        after: tuple[str, str] | None = None
        while left > 0:
            # Each page is a query of its own: a reader that stops in the middle holds nothing open.
            page = await self._do(partial(_page, query=query, after=after))
            for _, _, record in page:
                run = loads(record)
                if left > 0 and matches(run, query):
                    left -= 1
                    yield run
            if len(page) < PAGE_ROWS:
                return
            after = page[-1][:2]

    async def settle(self, occurrence: str, *, report_id: str) -> None:
        await self._write(
            lambda connection: connection.execute(
                "INSERT INTO settled (occurrence, report_id, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                (index_text(occurrence), report_id, utc_text(self._now())),
            )
        )

    async def settled(self, occurrence: str) -> str | None:
        def read(connection: sqlite3.Connection) -> str | None:
            row = connection.execute(
                "SELECT report_id FROM settled WHERE occurrence = ?", (index_text(occurrence),)
            ).fetchone()
            return row[0] if row else None

        return await self._do(read)

    def _connect(self) -> None:
        if self._connection is None:
            self._connection = connect(self._path, busy_seconds=self._busy_seconds, schema=self._schema)

    def _disconnect(self) -> None:
        if self._connection is not None:
            connection, self._connection = self._connection, None
            with in_words(self._path):
                connection.close()

    def _forget_old(self, connection: sqlite3.Connection) -> None:
        assert self._keep_days is not None
        oldest = self._now() - kept_for(self._keep_days)
        connection.execute("DELETE FROM run WHERE opened_at < ?", (utc_text(oldest),))
        connection.execute("DELETE FROM settled WHERE at < ?", (utc_text(oldest),))
        ended = oldest - LEASE_EXTRA
        connection.execute("DELETE FROM lease WHERE ends_at < ?", (microseconds(ended),))
        forget_notes(connection, self._now())

    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """``work``, all or nothing; on the disk when this returns."""
        written: T = await self._writes.do(work)
        return written

    async def _write_all(self, works: Sequence[_Work]) -> Sequence[Any]:
        """What came of each; what went wrong is among them as an error."""

        def in_one(connection: sqlite3.Connection) -> list[Any]:
            with transaction(connection):
                return [self._one_of_many(connection, work) for work in works]

        return await self._do(in_one)

    def _one_of_many(self, connection: sqlite3.Connection, work: _Work) -> Any:
        connection.execute("SAVEPOINT one")
        try:
            with in_words(self._path):
                done = work(connection)
        except Exception as error:
            if not connection.in_transaction:
                raise  # SQLite has given up all of it
            connection.execute("ROLLBACK TO one")
            done = error
        connection.execute("RELEASE one")
        return done

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        def worded() -> T:
            if self._connection is None:
                raise InternalError("the journal is used before start() or after stop()")
            with in_words(self._path):
                return work(self._connection)

        return await self._in_thread(worded)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._thread is None:
            raise InternalError("the journal is used before start() or after stop()")
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _read(connection: sqlite3.Connection, run_id: str) -> Run | None:
    row = connection.execute("SELECT record FROM run WHERE run_id = ?", (index_text(run_id),)).fetchone()
    return loads(row[0]) if row else None


def _put(connection: sqlite3.Connection, run: Run) -> None:
    connection.execute(
        """INSERT OR REPLACE INTO run (run_id, finding, account, bot, outcome, session, opened_at, record)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (
            index_text(run.run_id),
            index_text(run.finding_key),
            index_text(run.account_id),
            index_text(run.bot),
            run.outcome.value if run.outcome else None,
            index_text(run.session),
            utc_text(run.opened_at),
            dumps(run),
        ),
    )


def _page(
    connection: sqlite3.Connection, query: Query, after: tuple[str, str] | None
) -> list[tuple[str, str, str]]:
    """The next ``PAGE_ROWS`` rows (opened_at, run_id, record), newest first, older than ``after``."""
    wanted: list[tuple[str, tuple[str, ...]]] = []
    if query.finding_key is not None:
        wanted.append(("finding = ?", (index_text(query.finding_key),)))
    if query.account_id is not None:
        wanted.append(("account = ?", (index_text(query.account_id),)))
    if query.bot is not None:
        wanted.append(("bot = ?", (index_text(query.bot),)))
    if query.outcome is not None:
        wanted.append(("outcome = ?", (query.outcome.value,)))
    if query.session is not None:
        wanted.append(("session = ?", (index_text(query.session),)))
    if query.since is not None:
        wanted.append(("opened_at >= ?", (utc_text(query.since),)))
    if after is not None:
        wanted.append(("(opened_at, run_id) < (?, ?)", after))
    where = f"WHERE {' AND '.join(clause for clause, _ in wanted)}" if wanted else ""
    values = [value for _, some in wanted for value in some]
    rows: list[tuple[str, str, str]] = connection.execute(
        # Only clauses written above go into the text; every value is bound.
        f"SELECT opened_at, run_id, record FROM run {where} "  # noqa: S608
        f"ORDER BY opened_at DESC, run_id DESC LIMIT {PAGE_ROWS}",
        values,
    ).fetchall()
    return rows
