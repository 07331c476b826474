# ruff: noqa: ASYNC240 - tests look at small files, and nothing waits meanwhile
from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from hub.errors import InternalError, JournalUnwritable
from hub.journals import Note, Query
from hub.journals.schema import SCHEMA
from hub.journals.sqlite import SqliteJournal
from hub.journals.sqlite_file import transaction
from hub.journals.sqlite_schema import bring_up_to_date
from hub.model import Outcome
from tests.hub.journals.stores import NOON, Clock, a_run, listed

# A worker in a process of its own. It waits for a line of input, so that all begin together.
RACE = """
import asyncio, sys
from pathlib import Path
from hub.journals.sqlite import SqliteJournal
from tests.hub.journals.stores import NOON, a_run

LATER = NOON.replace(year=9999)

async def main():
    journal = SqliteJournal(Path(sys.argv[1]))
    await journal.start()
    for i in range(40):
        if await journal.lease(f"finding/{i}", owner=sys.argv[2], seconds=600):
            print(i)
        await journal.open(a_run(f"{i}", before={"worker": sys.argv[2]}))
        await journal.tally("all", 1, until=LATER)
    await journal.stop()

sys.stdin.readline()
asyncio.run(main())
"""

OPEN_AND_HANG = """
import asyncio, sys
from pathlib import Path
from hub.journals.sqlite import SqliteJournal
from tests.hub.journals.stores import a_run

async def main():
    journal = SqliteJournal(Path(sys.argv[1]))
    await journal.start()
    await journal.open(a_run())
    print("opened", flush=True)
    sys.stdin.readline()

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite"


@asynccontextmanager
async def started(journal: SqliteJournal) -> AsyncIterator[SqliteJournal]:
    await journal.start()
    try:
        yield journal
    finally:
        await journal.stop()


def a_process(script: str, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *args],
        cwd=Path(__file__).parents[3],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


async def refusal(path: Path) -> str:
    """What `start` says."""
    with pytest.raises(JournalUnwritable) as told:
        async with started(SqliteJournal(path, busy_seconds=0.05)):
            pass
    assert str(path) in str(told.value)
    return str(told.value)


@pytest.mark.parametrize("version", [0, 2], ids=["a new file", "a file of an older hub"])
def test_processes_that_start_at_once_on_one_file_share_the_work(path: Path, version: int) -> None:
    if version:
        with closing(sqlite3.connect(path, isolation_level=None)) as file, transaction(file):
            bring_up_to_date(file, path, replace(SCHEMA, version=version))
    workers = [a_process(RACE, str(path), f"worker-{i}") for i in range(3)]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    taken = [int(line) for worker in workers for line in worker.communicate()[0].split()]
    assert [worker.returncode for worker in workers] == [0, 0, 0]
    assert sorted(taken) == list(range(40))
    with closing(sqlite3.connect(path)) as file:
        assert file.execute("SELECT number FROM tally").fetchall() == [(120,)]


async def test_a_run_of_a_process_killed_before_closing_is_listed_and_resumed(path: Path) -> None:
    with a_process(OPEN_AND_HANG, str(path)) as worker:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "opened\n"
        worker.send_signal(signal.SIGKILL)
    assert worker.returncode == -signal.SIGKILL
    async with started(SqliteJournal(path)) as journal:
        left = [run async for run in journal.runs(Query())]
        assert left == [a_run()]
        assert left[0].outcome is None
        assert await journal.open(a_run(fence=2, before={"status": "Enabled"})) == replace(a_run(), fence=2)


async def test_what_is_kept_survives_a_restart(path: Path, clock: Clock) -> None:
    async with started(SqliteJournal(path, now=clock)) as journal:
        await journal.open(a_run())
        await journal.settle("occurrence-1", report_id="report-1")
        assert await journal.lease("bucket", owner="a", seconds=60)
    async with started(SqliteJournal(path, now=clock)) as journal:
        assert await journal.get("run-1") == a_run()
        assert await journal.settled("occurrence-1") == "report-1"
        assert await journal.lease("bucket", owner="b", seconds=60) is None


async def test_only_the_owner_may_read_the_files(path: Path) -> None:
    async with started(SqliteJournal(path)) as journal:
        await journal.open(a_run())
        made = sorted(path.parent.iterdir())
        assert [stat.S_IMODE(file.stat().st_mode) for file in made] == [0o600] * len(made)
        assert len(made) == 3  # the database, its write-ahead log and the index of that


async def test_runs_past_their_time_are_forgotten_at_start_and_their_fences_later(
    path: Path, clock: Clock
) -> None:
    async with started(SqliteJournal(path, now=clock)) as journal:
        await journal.open(a_run("old"))
        await journal.settle("old", report_id="report-1")
        lease = await journal.lease("old", owner="a", seconds=1)
        clock.forward(1)
        await journal.open(a_run("young", opened_at=clock()))
    clock.forward(timedelta(days=10).total_seconds())
    async with started(SqliteJournal(path, keep_days=10, now=clock)) as journal:
        assert await listed(journal) == ["young"]
        assert await journal.settled("old") is None
    clock.forward(timedelta(days=29).total_seconds())
    async with started(SqliteJournal(path, keep_days=10, now=clock)) as journal:
        assert await listed(journal) == []
        again = await journal.lease("old", owner="b", seconds=1)
        assert lease is not None
        assert again is not None
        assert again.fence == lease.fence + 1
    clock.forward(timedelta(days=41).total_seconds())
    async with started(SqliteJournal(path, keep_days=10, now=clock)) as journal:
        forgotten = await journal.lease("old", owner="c", seconds=1)
        assert forgotten is not None
        assert forgotten.fence == 1


async def test_notes_and_tallies_whose_time_is_over_are_forgotten_at_start(path: Path, clock: Clock) -> None:
    def left() -> list[tuple[str, int]]:
        with closing(sqlite3.connect(path)) as file:
            rows: list[tuple[str, int]] = file.execute(
                "SELECT name, version FROM note UNION SELECT name, number FROM tally ORDER BY 1"
            ).fetchall()
        return rows

    soon, late = NOON + timedelta(minutes=1), NOON + timedelta(days=30)
    async with started(SqliteJournal(path, now=clock)) as journal:
        for name, until in (("note, ended", soon), ("note, kept", late), ("note, dropped", late)):
            note = await journal.keep(Note(name=name, body={}, until=until))
            assert note is not None
            if name == "note, dropped":
                assert await journal.drop(note)
        await journal.tally("tally, ended", 5, until=soon)
        await journal.tally("tally, kept", 5, until=late)
    clock.forward(60)
    async with started(SqliteJournal(path, keep_days=400, now=clock)):
        pass
    # Their versions go on growing for a while.
    assert left() == [("note, dropped", 1), ("note, ended", 1), ("note, kept", 1), ("tally, kept", 5)]
    clock.forward(timedelta(days=7).total_seconds())
    async with started(SqliteJournal(path, keep_days=400, now=clock)):
        pass
    assert left() == [("note, kept", 1), ("tally, kept", 5)]


async def test_a_hub_that_keeps_runs_for_ages_starts(path: Path) -> None:
    async with started(SqliteJournal(path, keep_days=10**9)) as journal:
        assert await listed(journal) == []


async def test_a_cancelled_call_leaves_the_journal_in_order(path: Path) -> None:
    async with started(SqliteJournal(path)) as journal:
        calls = [asyncio.create_task(journal.open(a_run(f"{i}"))) for i in range(20)]
        await asyncio.sleep(0)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        await journal.open(a_run("after"))
        for run_id in await listed(journal):
            assert await journal.get(run_id) is not None
        assert await journal.get("after") == a_run("after")


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    path = tmp_path / "no such folder" / "journal.sqlite"
    assert f"the folder {path.parent} does not exist; create it" in await refusal(path)


async def test_a_folder_instead_of_a_file_is_refused(tmp_path: Path) -> None:
    assert "cannot be written" in await refusal(tmp_path)


async def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path) -> None:
    path.write_text("Dear diary, " * 200)
    assert "no SQLite database" in await refusal(path)
    assert path.read_text() == "Dear diary, " * 200


async def test_another_programs_database_is_refused_and_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE diary (entry TEXT)")
    other.close()
    was = path.read_bytes()
    assert "belongs to another program" in await refusal(path)
    assert path.read_bytes() == was


async def test_a_damaged_file_is_refused(path: Path) -> None:
    async with started(SqliteJournal(path)) as journal:
        await journal.open(a_run())
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 4000)
    assert "damaged" in await refusal(path)


async def test_a_file_another_process_keeps_locked_is_named_and_works_again_after(path: Path) -> None:
    async with started(SqliteJournal(path, busy_seconds=0.05)) as journal:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalUnwritable, match="another process keeps it locked"):
            await journal.open(a_run())
        # Reading waits for nobody.
        assert await journal.get("run-1") is None
        other.execute("ROLLBACK")
        other.close()
        assert await journal.open(a_run()) == a_run()


async def test_a_new_file_that_another_process_holds_for_a_moment_is_waited_for(path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    moment = threading.Timer(0.1, other.execute, ["ROLLBACK"])
    moment.start()
    async with started(SqliteJournal(path)) as journal:
        assert await listed(journal) == []
    moment.join()
    other.close()


async def test_a_full_disk_is_named_and_nothing_is_kept_by_halves(path: Path) -> None:
    async with started(SqliteJournal(path)) as journal:
        await journal.open(a_run())
        # SQLite answers a page limit as it answers a full disk.
        await journal._do(lambda connection: connection.execute("PRAGMA max_page_count = 1").fetchall())
        with pytest.raises(JournalUnwritable, match="the disk is full"):
            await journal.open(a_run("large", before={"text": "x" * 100_000}))
        assert await listed(journal) == ["run-1"]
        await journal.close(replace(a_run(), outcome=Outcome.FIXED, closed_at=NOON))


async def test_a_file_that_may_not_grow_is_named(path: Path) -> None:
    script = OPEN_AND_HANG.replace(
        "    await journal.open(a_run())",
        "    import resource\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))\n"
        "    try:\n"
        "        await journal.open(a_run(before={'text': 'x' * 200_000}))\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__, error)\n"
        "    await journal.stop()\n"
        "    return",
    )
    with a_process(script, str(path)) as worker:
        told = worker.communicate()[0]
    assert told.startswith("JournalUnwritable journal ")
    assert "the disk refused to read or write" in told


async def test_a_file_nobody_may_write_is_named(path: Path) -> None:
    path.touch(0o400)
    if os.access(path, os.W_OK):  # root writes everywhere, except where the kernel itself says no
        path = Path("/proc/journal.sqlite")
    assert "cannot be written" in await refusal(path)


async def test_a_journal_used_before_start_or_after_stop_says_so(path: Path) -> None:
    journal = SqliteJournal(path)
    with pytest.raises(InternalError, match="before start"):
        await journal.get("run-1")
    async with started(journal):
        pass
    with pytest.raises(InternalError, match="after stop"):
        await journal.get("run-1")


async def test_a_stopped_journal_can_be_started_again(path: Path) -> None:
    journal = SqliteJournal(path)
    for _ in range(2):
        async with started(journal):
            assert await listed(journal) == []


async def test_all_that_start_at_once_on_a_new_file_take_it_for_theirs(tmp_path: Path) -> None:
    """While one makes the tables, the others look what the file is."""
    for number in range(25):
        journals = [SqliteJournal(tmp_path / f"{number}.sqlite") for _ in range(8)]
        await asyncio.gather(*(journal.start() for journal in journals))
        await asyncio.gather(*(journal.stop() for journal in journals))
