# ruff: noqa: ASYNC240 - tests look at small files, and nothing waits meanwhile
"""Hubs of different versions on one journal: who may begin, who keeps out, and that nothing gets lost.

Memory is not asked: it goes with its hub.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiobotocore.session import AioSession

from hub import __version__
from hub.errors import JournalUnwritable, LeaseLost
from hub.journals import Note
from hub.journals.dynamodb import DynamoDbJournal
from hub.journals.dynamodb_item import SCHEMA_KEY, schema_of
from hub.journals.schema import SCHEMA, Schema, admit
from hub.journals.sqlite import SqliteJournal
from hub.journals.sqlite_file import transaction
from hub.journals.sqlite_schema import APPLICATION_ID, STEPS, bring_up_to_date
from hub.journals.wire import dumps, utc_text
from hub.model import Outcome
from tests.hub.journals.stores import NOON, SPOKE, LoopbackIdentity, Store, a_run, a_table, listed

NEXT = SCHEMA.version + 1
ADDS = replace(SCHEMA, version=NEXT)
"""A hub that writes one more fact, which older hubs pass over."""
BREAKS = Schema(version=NEXT, needs=NEXT, needs_hub="7.1.0")
"""A hub whose records older hubs would misread."""

kept = pytest.mark.parametrize("store", ["sqlite", "moto", "dynalite"], indirect=True)


def test_this_hub_can_read_what_it_writes() -> None:
    assert 1 <= SCHEMA.needs <= SCHEMA.version == len(STEPS)


def test_what_is_noted_is_never_taken_back() -> None:
    older_but_stricter = Schema(version=2, needs=2, needs_hub="2.0.0")
    newer = Schema(version=3, needs=1, needs_hub="1.0.0")
    assert admit(newer, older_but_stricter) == Schema(version=3, needs=2, needs_hub="2.0.0")
    assert admit(older_but_stricter, newer) is None
    assert admit(newer, newer) is None


@kept
async def test_two_versions_work_side_by_side_on_one_store(store: Store) -> None:
    old, new = await store.worker(), await store.worker(ADDS)
    lease = await new.lease("bucket", owner="new", seconds=60)
    assert lease is not None
    assert await old.lease("bucket", owner="old", seconds=60) is None
    opened = await new.open(a_run(fence=lease.fence))
    store.clock.forward(60)
    taken = await old.lease("bucket", owner="old", seconds=60)
    assert taken is not None
    assert taken.fence == lease.fence + 1
    resumed = await old.open(a_run(fence=taken.fence, before={"status": "Enabled"}))
    assert resumed.before == opened.before
    done = replace(resumed, outcome=Outcome.FIXED, changed=True, closed_at=NOON)
    await old.close(done)
    await old.settle("occurrence-1", report_id="report-1")
    with pytest.raises(LeaseLost):
        await new.close(replace(done, fence=lease.fence, outcome=Outcome.FAILED))
    assert await new.get("run-1") == done
    assert await new.settled("occurrence-1") == "report-1"
    assert await listed(new, account_id=SPOKE) == await listed(old, account_id=SPOKE) == ["run-1"]


@kept
async def test_an_old_worker_that_starts_again_during_the_upgrade_goes_on(store: Store) -> None:
    await (await store.worker()).open(a_run())
    new = await store.worker(ADDS)
    again = await store.worker()
    done = replace(a_run(), outcome=Outcome.FIXED, closed_at=NOON)
    await again.close(done)
    assert await new.get("run-1") == done


@kept
async def test_a_store_a_newer_hub_changed_is_refused_at_start_with_the_hub_that_reads_it(
    store: Store,
) -> None:
    at_work = await store.worker()
    run = await at_work.open(a_run())
    new = await store.worker(BREAKS)
    with pytest.raises(JournalUnwritable) as refused:
        await store.worker()
    told = str(refused.value)
    assert told.startswith("journal ")
    assert told.endswith(
        f"a newer hub has brought it to schema {NEXT}, which hub 7.1.0 and newer ones read; "
        f"this is hub {__version__}, which knows schema {SCHEMA.version}: update it"
    )
    # The one at work ends what it has begun, and the newer hub finds it.
    done = replace(run, outcome=Outcome.FIXED, closed_at=NOON)
    await at_work.close(done)
    assert await new.get("run-1") == done


@kept
async def test_an_older_hubs_store_keeps_its_runs_leases_and_settlements(store: Store) -> None:
    old = await store.worker()
    for number in range(3):
        await old.open(a_run(f"run-{number}"))
    await old.settle("occurrence-1", report_id="report-1")
    assert await old.lease("bucket", owner="old", seconds=60)
    new = await store.worker(BREAKS)
    assert sorted(await listed(new)) == ["run-0", "run-1", "run-2"]
    assert await new.get("run-1") == a_run("run-1")
    assert await new.settled("occurrence-1") == "report-1"
    assert await new.lease("bucket", owner="new", seconds=60) is None


@kept
async def test_workers_of_two_versions_that_start_at_once_all_begin(store: Store) -> None:
    workers = await asyncio.gather(*(store.worker((SCHEMA, ADDS)[number % 2]) for number in range(6)))
    taken = await asyncio.gather(
        *(worker.lease("bucket", owner=f"{number}", seconds=60) for number, worker in enumerate(workers))
    )
    assert [lease.fence for lease in taken if lease] == [1]


class TestDynamoDb:
    async def test_a_start_reads_once_and_writes_only_what_is_new(self, moto_address: str) -> None:
        identity = LoopbackIdentity(moto_address, AioSession())
        table = await a_table(identity)
        calls: list[str] = []

        def note(model: Any, **_: Any) -> None:
            calls.append(model.name)

        identity.session.register("before-parameter-build.dynamodb", note)
        seen = []
        for schema in (SCHEMA, SCHEMA, ADDS, ADDS, SCHEMA):
            calls.clear()
            journal = DynamoDbJournal(identity, table, schema=schema)
            await journal.start()
            await journal.stop()
            seen.append(list(calls))
        once, first = ["GetItem"], ["GetItem", "PutItem"]
        assert seen == [first, once, first, once, once]

    async def test_the_note_says_all_and_never_expires(self, moto_address: str) -> None:
        identity = LoopbackIdentity(moto_address, AioSession())
        table = await a_table(identity)
        journal = DynamoDbJournal(identity, table, schema=BREAKS)
        await journal.start()
        await journal.stop()
        async with identity.client("dynamodb") as client:
            item = (await client.get_item(TableName=table, Key=SCHEMA_KEY))["Item"]
        assert schema_of(item) == BREAKS
        assert "expires_at" not in item

    async def test_a_damaged_note_is_refused_with_its_name(self, moto_address: str) -> None:
        identity = LoopbackIdentity(moto_address, AioSession())
        table = await a_table(identity)
        async with identity.client("dynamodb") as client:
            await client.put_item(TableName=table, Item={**SCHEMA_KEY, "v": {"N": "1"}})
        journal = DynamoDbJournal(identity, table)
        with pytest.raises(JournalUnwritable, match=r"schema.*damaged"):
            await journal.start()
        await journal.stop()


class TestSqlite:
    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        return tmp_path / "journal.sqlite"

    @pytest.fixture
    def file(self, path: Path) -> Iterator[sqlite3.Connection]:
        """A connection to the same file, past the journal."""
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            yield connection

    @staticmethod
    async def with_a_run(path: Path) -> None:
        journal = SqliteJournal(path)
        await journal.start()
        await journal.open(a_run())
        await journal.stop()

    @staticmethod
    async def runs_of(path: Path, schema: Schema = SCHEMA) -> list[str]:
        journal = SqliteJournal(path, schema=schema)
        try:
            await journal.start()
            return await listed(journal)
        finally:
            await journal.stop()

    async def test_an_old_file_is_changed_in_place_and_keeps_its_runs(
        self, path: Path, file: sqlite3.Connection
    ) -> None:
        await self.with_a_run(path)
        steps = (*STEPS, ("ALTER TABLE run ADD COLUMN region TEXT", "UPDATE run SET region = 'unknown'"))
        with transaction(file):
            bring_up_to_date(file, path, ADDS, steps)
        assert file.execute("SELECT run_id, region FROM run").fetchall() == [("run-1", "unknown")]
        assert await self.runs_of(path) == ["run-1"], "the older hub reads and writes it still"
        with transaction(file):
            bring_up_to_date(file, path, ADDS, steps)  # a second time there is nothing to do

    async def test_a_file_of_a_hub_without_notes_keeps_its_runs_and_takes_notes(
        self, path: Path, file: sqlite3.Connection
    ) -> None:
        without = Schema(version=2, needs=1, needs_hub="0.1.0")
        with transaction(file):
            bring_up_to_date(file, path, without)
        file.execute(
            "INSERT INTO run VALUES ('run-1', 'f', 'a', 'b', NULL, 's', ?, ?)",
            (utc_text(NOON), dumps(a_run())),
        )
        note = Note(name="waiting/1", body={}, until=NOON, shelf="waiting")
        journal = SqliteJournal(path, now=lambda: NOON - timedelta(seconds=1))
        await journal.start()
        assert await journal.get("run-1") == a_run()
        kept = await journal.keep(note)
        assert [each async for each in journal.shelf("waiting")] == [kept]
        assert await journal.tally("changes", 1, until=NOON) == 1
        await journal.stop()
        assert file.execute("SELECT version, needs_hub FROM schema").fetchall() == [(3, "0.1.0")]
        assert await self.runs_of(path, without) == ["run-1"], "the older hub goes on beside it"
        assert await self.runs_of(path) == ["run-1"]

    async def test_a_change_that_fails_leaves_the_file_as_it_was(
        self, path: Path, file: sqlite3.Connection
    ) -> None:
        await self.with_a_run(path)
        steps = (*STEPS, ("ALTER TABLE run ADD COLUMN region TEXT", "UPDATE no_such_table SET a = 1"))
        with pytest.raises(sqlite3.OperationalError), transaction(file):
            bring_up_to_date(file, path, BREAKS, steps)
        columns = [row[1] for row in file.execute("PRAGMA table_info(run)")]
        assert "run_id" in columns
        assert "region" not in columns
        assert await self.runs_of(path) == ["run-1"]

    async def test_a_file_from_before_there_was_a_note_is_read(
        self, path: Path, file: sqlite3.Connection
    ) -> None:
        await self.with_a_run(path)
        for later in ("schema", "note", "tally"):
            file.execute(f"DROP TABLE {later}")
        assert await self.runs_of(path) == ["run-1"]
        assert await self.runs_of(path, BREAKS) == ["run-1"]
        with pytest.raises(JournalUnwritable, match=r"hub 7\.1\.0"):
            await self.runs_of(path)

    async def test_a_refused_file_is_left_alone(self, path: Path) -> None:
        await self.with_a_run(path)
        await self.runs_of(path, BREAKS)
        was = path.read_bytes()
        with pytest.raises(JournalUnwritable):
            await self.runs_of(path)
        assert path.read_bytes() == was

    async def test_hubs_that_know_no_note_are_kept_out_by_the_number_they_look_at(
        self, path: Path, file: sqlite3.Connection
    ) -> None:
        await self.with_a_run(path)
        await self.runs_of(path, ADDS)
        assert file.execute("PRAGMA user_version").fetchone() == (1,)
        await self.runs_of(path, replace(BREAKS, version=NEXT + 1))
        assert file.execute("PRAGMA user_version").fetchone() == (NEXT,)
        assert file.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
