"""Writes that wait together share one transaction, and still each is all or nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.errors import HubError, JournalUnwritable
from hub.journals import sqlite as module
from hub.journals.sqlite import SqliteJournal
from hub.journals.sqlite_file import transaction
from tests.hub.journals.stores import a_run


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[SqliteJournal]:
    made = SqliteJournal(tmp_path / "journal.sqlite")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def transactions(monkeypatch: pytest.MonkeyPatch) -> list[None]:
    """One entry for each transaction that was begun."""
    begun: list[None] = []

    @contextmanager
    def counted(connection: sqlite3.Connection) -> Iterator[None]:
        begun.append(None)
        with transaction(connection):
            yield

    monkeypatch.setattr(module, "transaction", counted)
    return begun


async def test_what_waits_while_the_disk_writes_is_written_together(
    journal: SqliteJournal, transactions: list[None]
) -> None:
    opened = await asyncio.gather(*(journal.open(a_run(f"{number}")) for number in range(50)))
    assert [run.run_id for run in opened] == [f"{number}" for number in range(50)]
    assert [(await journal.get(f"{number}")) for number in range(50)] == list(opened)
    assert len(transactions) <= 2
    await journal.open(a_run("alone"))
    assert len(transactions) <= 3


async def test_a_write_that_is_refused_spoils_no_other(
    journal: SqliteJournal, transactions: list[None]
) -> None:
    first, refused, last = await asyncio.gather(
        journal.open(a_run("first")),
        journal.mark_undone("nobody", by="somebody"),
        journal.open(a_run("last")),
        return_exceptions=True,
    )
    assert isinstance(refused, HubError)
    assert await journal.get("first") == first
    assert await journal.get("last") == last
    assert len(transactions) == 1


async def test_half_of_a_write_that_fails_is_undone_and_the_others_stay(
    journal: SqliteJournal, transactions: list[None]
) -> None:
    def half(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM run")
        connection.execute("INSERT INTO nowhere VALUES (1)")

    outcomes = await asyncio.gather(
        journal.open(a_run("before")),
        journal._write(half),
        journal.open(a_run("after")),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], JournalUnwritable)
    assert [(await journal.get(name)) for name in ("before", "after")] == [outcomes[0], outcomes[2]]
    assert len(transactions) == 1


async def test_when_sqlite_gives_up_all_everybody_hears_of_it(journal: SqliteJournal) -> None:
    def hopeless(connection: sqlite3.Connection) -> None:
        # As SQLite does by itself when the disk is full in the middle of a transaction.
        connection.execute("ROLLBACK")
        raise sqlite3.OperationalError("database or disk is full")

    outcomes = await asyncio.gather(
        journal.open(a_run("one")),
        journal._write(hopeless),
        journal.open(a_run("two")),
        return_exceptions=True,
    )
    assert all(isinstance(each, JournalUnwritable) for each in outcomes)
    assert [await journal.get(name) for name in ("one", "two")] == [None, None]
    assert await journal.open(a_run("one")) == await journal.get("one"), "and it goes on"
