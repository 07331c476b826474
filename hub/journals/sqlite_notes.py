"""The notes and tallies of the SQLite journal."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import TypeVar

from hub.journals import Note
from hub.journals.rules import NOTE_EXTRA
from hub.journals.wire import from_microseconds, index_text, microseconds, note_text, to_note

T = TypeVar("T")

PAGE_NOTES = 100

# Of a note that was dropped only its version is left.
_THAT_VERSION = "name = :name AND version = :version AND record IS NOT NULL AND ends_at > :now"


class SqliteNotes(ABC):
    """What `hub.journals.Journal` says of notes and tallies, on the connection of a journal."""

    _now: Callable[[], datetime]

    @abstractmethod
    async def _write(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """``work``, all or nothing; on the disk when this returns."""

    @abstractmethod
    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """``work``, which only reads."""

    async def note(self, name: str) -> Note | None:
        def read(connection: sqlite3.Connection) -> Note | None:
            row = connection.execute(
                "SELECT record, ends_at, version FROM note "
                "WHERE name = ? AND record IS NOT NULL AND ends_at > ?",
                (index_text(name), microseconds(self._now())),
            ).fetchone()
            return _of_row(*row) if row else None

        return await self._do(read)

    async def keep(self, note: Note) -> Note | None:
        wanted = {
            "name": index_text(note.name),
            "shelf": index_text(note.shelf),
            "version": note.version,
            "ends_at": microseconds(note.until),
            "record": note_text(note),
        }

        def write(connection: sqlite3.Connection) -> Note | None:
            rows = connection.execute(
                _FIRST if note.version == 0 else _AGAIN, wanted | {"now": microseconds(self._now())}
            ).fetchall()
            return replace(note, version=rows[0][0]) if rows else None

        return await self._write(write)

    async def drop(self, note: Note) -> bool:
        def empty(connection: sqlite3.Connection) -> bool:
            now = microseconds(self._now())
            dropped = connection.execute(
                # Only clauses written above go into the text.
                f"UPDATE note SET record = NULL, ends_at = :now WHERE {_THAT_VERSION}",  # noqa: S608
                {"name": index_text(note.name), "version": note.version, "now": now},
            )
            return dropped.rowcount > 0

        return await self._write(empty)

    async def shelf(self, shelf: str) -> AsyncIterator[Note]:
        after: str | None = None
        while shelf:
            # Each page is a query of its own: a reader that stops in the middle holds nothing open.
            page = await self._do(partial(_page, index_text(shelf), after, microseconds(self._now())))
            for _, record, ends_at, version in page:
                yield _of_row(record, ends_at, version)
            if len(page) < PAGE_NOTES:
                return
            after = page[-1][0]

    async def tally(self, name: str, add: int, *, until: datetime) -> int:
        wanted = {"name": index_text(name), "add": add, "until": microseconds(until)}

        def read(connection: sqlite3.Connection) -> int:
            row = connection.execute(
                "SELECT number FROM tally WHERE name = ? AND ends_at > ?",
                (wanted["name"], microseconds(self._now())),
            ).fetchone()
            return int(row[0]) if row else 0

        def count(connection: sqlite3.Connection) -> int:
            (number,) = connection.execute(
                """INSERT INTO tally (name, number, ends_at) VALUES (:name, :add, :until)
                   ON CONFLICT (name) DO UPDATE SET
                       number = iif(ends_at > :now, number, 0) + :add,
                       ends_at = iif(ends_at > :now, ends_at, :until)
                   RETURNING number""",
                wanted | {"now": microseconds(self._now())},
            ).fetchone()
            return int(number)

        return await (self._write(count) if add else self._do(read))


_FIRST = """
    INSERT INTO note (name, shelf, version, ends_at, record) VALUES (:name, :shelf, 1, :ends_at, :record)
    ON CONFLICT (name) DO UPDATE SET
        shelf = :shelf, version = version + 1, ends_at = :ends_at, record = :record
        WHERE record IS NULL OR ends_at <= :now
    RETURNING version"""

_AGAIN = f"""
    UPDATE note SET shelf = :shelf, version = version + 1, ends_at = :ends_at, record = :record
    WHERE {_THAT_VERSION} RETURNING version"""  # noqa: S608 - a clause written above


def forget_notes(connection: sqlite3.Connection, now: datetime) -> None:
    """Delete notes and tallies whose time has been over for long."""
    connection.execute("DELETE FROM note WHERE ends_at <= ?", (microseconds(now - NOTE_EXTRA),))
    connection.execute("DELETE FROM tally WHERE ends_at <= ?", (microseconds(now),))


def _page(
    shelf: str, after: str | None, now: int, connection: sqlite3.Connection
) -> list[tuple[str, str, int, int]]:
    """The next ``PAGE_NOTES`` rows (name, record, ends_at, version) of a shelf, behind the name ``after``."""
    behind = "" if after is None else "AND name > :after"
    rows: list[tuple[str, str, int, int]] = connection.execute(
        # Only the clause written above goes into the text.
        "SELECT name, record, ends_at, version FROM note "  # noqa: S608
        f"WHERE shelf = :shelf {behind} AND record IS NOT NULL AND ends_at > :now "
        f"ORDER BY name LIMIT {PAGE_NOTES}",
        {"shelf": shelf, "now": now} | ({} if after is None else {"after": after}),
    ).fetchall()
    return rows


def _of_row(record: str, ends_at: int, version: int) -> Note:
    return to_note(record, until=from_microseconds(ends_at), version=version)
