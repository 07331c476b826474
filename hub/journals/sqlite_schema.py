"""The tables of the SQLite journal, and how a file of an older hub gets those of this one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from hub.errors import JournalUnwritable
from hub.journals.schema import Schema, admit

APPLICATION_ID = 0x48554A31  # "HUJ1" in the file's header: this is a hub's journal

STEPS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE run (
            run_id TEXT PRIMARY KEY, finding TEXT NOT NULL, account TEXT NOT NULL, bot TEXT NOT NULL,
            outcome TEXT, session TEXT NOT NULL, opened_at TEXT NOT NULL, record TEXT NOT NULL)""",
        "CREATE INDEX run_by_time ON run (opened_at, run_id)",
        "CREATE INDEX run_by_finding ON run (finding, opened_at, run_id)",
        "CREATE INDEX run_by_account ON run (account, opened_at, run_id)",
        # `owner` is null when the lease was given back; `ends_at` counts microseconds since 1970.
        """CREATE TABLE lease (
            name TEXT PRIMARY KEY, owner TEXT, fence INTEGER NOT NULL, ends_at INTEGER NOT NULL)""",
        "CREATE TABLE settled (occurrence TEXT PRIMARY KEY, report_id TEXT NOT NULL, at TEXT NOT NULL)",
    ),
    (),
    (
        # `record` is null when the note was dropped; `ends_at` counts microseconds since 1970.
        """CREATE TABLE note (
            name TEXT PRIMARY KEY, shelf TEXT NOT NULL, version INTEGER NOT NULL, ends_at INTEGER NOT NULL,
            record TEXT)""",
        "CREATE INDEX note_by_shelf ON note (shelf, name)",
        "CREATE TABLE tally (name TEXT PRIMARY KEY, number INTEGER NOT NULL, ends_at INTEGER NOT NULL)",
    ),
)
"""What to do in a file of schema 0 (an empty one), 1, 2 ... to bring it to the next; () if only records differ.

A step leaves what older hubs do in the file possible, unless the schema it leads to says that it needs newer ones.
"""


def admitted(connection: sqlite3.Connection, path: Path, ours: Schema) -> Schema | None:
    """What is to be noted in the file once its tables are this hub's; None when they are.

    Raises:
        JournalUnwritable: the file belongs to another program or is too new for this hub.
    """
    version = _number(connection, "PRAGMA user_version")
    known = _number(connection, "PRAGMA application_id") == APPLICATION_ID
    if not known and (version or _number(connection, "SELECT count(*) FROM sqlite_master")):
        raise JournalUnwritable(
            f"journal {path}: this database belongs to another program; name another file in HUB_JOURNAL"
        )
    try:
        return admit(ours, _noted(connection) if known else None)
    except JournalUnwritable as refused:
        raise JournalUnwritable(f"journal {path}: {refused}") from None


def bring_up_to_date(
    connection: sqlite3.Connection, path: Path, ours: Schema, steps: Sequence[Sequence[str]] = STEPS
) -> None:
    """Take the steps that the file lacks. Belongs into a transaction: all of it happens or nothing.

    Raises:
        JournalUnwritable: see `admitted`.
    """
    due = admitted(connection, path, ours)
    if due is None:
        return
    known = _number(connection, "PRAGMA application_id") == APPLICATION_ID
    version = _noted(connection).version if known else 0
    for step in steps[version : due.version]:
        for statement in step:
            connection.execute(statement)
    connection.execute(
        "CREATE TABLE IF NOT EXISTS schema (version INTEGER NOT NULL, needs_hub TEXT NOT NULL)"
    )
    connection.execute("DELETE FROM schema")
    connection.execute("INSERT INTO schema (version, needs_hub) VALUES (?, ?)", (due.version, due.needs_hub))
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {due.needs:d}")


def _noted(connection: sqlite3.Connection) -> Schema:
    """What a hub's file says of itself; `Schema.needs` stands where the first hubs look for the version.

    They kept no note besides, and knew schema 1 only.
    """
    needs = _number(connection, "PRAGMA user_version")
    if not _number(connection, "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema'"):
        return Schema(version=needs, needs=needs, needs_hub="")
    version, needs_hub = connection.execute("SELECT version, needs_hub FROM schema").fetchone()
    return Schema(version=version, needs=needs, needs_hub=needs_hub)


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(query).fetchone()[0])
