"""The file behind the SQLite journal: opened carefully, told apart from others, its errors in words."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import JournalUnwritable
from hub.journals.schema import Schema
from hub.journals.sqlite_schema import admitted, bring_up_to_date

PAUSE_SECONDS = 0.02


def connect(path: Path, *, busy_seconds: float, schema: Schema) -> sqlite3.Connection:
    """A connection for the calling thread alone. Creates file and tables when they are missing, and brings
    those of an older hub up to date.

    Args:
        busy_seconds: how long a call waits for other processes.
        schema: what this hub writes.

    Raises:
        JournalUnwritable: the file cannot be this hub's journal; the text says why.
    """
    _create_private(path)
    with in_words(path):
        # Without an isolation level the module starts no transactions of its own.
        connection = sqlite3.connect(path.absolute(), timeout=busy_seconds, isolation_level=None)
    try:
        with in_words(path):
            with _as_at_one_moment(connection):
                admitted(connection, path, schema)  # before anything is written into a file that is not ours
            _write_ahead(connection, busy_seconds)
            # A run must be on the disk before its first change, also when the power fails.
            connection.execute("PRAGMA synchronous = FULL")
            with transaction(connection):
                bring_up_to_date(connection, path, schema)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. Takes the write lock at once: a transaction that reads first and writes later
    would be refused when another process wrote in between."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _as_at_one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """What is read inside belongs together: another process may be making the tables meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Turns SQLite's errors into `JournalUnwritable` with what happened and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise JournalUnwritable(f"journal {path}: {_explain(error)}") from error


def _explain(error: sqlite3.Error) -> str:
    # Extended names such as SQLITE_IOERR_WRITE begin with the plain one.
    name = "_".join(getattr(error, "sqlite_errorname", "").split("_")[:2])
    match name:
        case "SQLITE_BUSY" | "SQLITE_LOCKED":
            return "another process keeps it locked; stop that process or try again"
        case "SQLITE_FULL":
            return "the disk is full; free some space"
        case "SQLITE_NOTADB":
            return "this file is no SQLite database; name another file in HUB_JOURNAL"
        case "SQLITE_CORRUPT":
            return "the file is damaged; keep a copy of it and restore a backup or name another file in HUB_JOURNAL"
        case "SQLITE_CANTOPEN" | "SQLITE_PERM" | "SQLITE_READONLY" | "SQLITE_AUTH":
            return f"the file cannot be written ({error}); check the rights on it and on its folder"
        case "SQLITE_IOERR":
            return f"the disk refused to read or write ({error}); check its space, quota and health"
        case _:
            return str(error)


def _create_private(path: Path) -> None:
    """The journal holds what resources looked like, policies among it, so only its owner may read it.
    SQLite gives the files it puts beside it the same rights."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except (OSError, ValueError) as error:
        if not path.parent.is_dir():
            raise JournalUnwritable(
                f"journal {path}: the folder {path.parent} does not exist; create it"
            ) from None
        raise JournalUnwritable(
            f"journal {path}: the file cannot be written ({error}); check the path and the rights on it"
        ) from error


def _write_ahead(connection: sqlite3.Connection, busy_seconds: float) -> None:
    """Readers and the writer do not wait for each other then. The change of mode itself ignores the
    busy timeout when several processes make it at the same time, so it is asked for again."""
    give_up_at = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > give_up_at:
                raise
            time.sleep(PAUSE_SECONDS)
