"""What every journal must do with notes: who wins, what ends, what a shelf lists."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any

import pytest

from hub.errors import InternalError, JournalUnwritable
from hub.journals import Journal, Note, Query
from tests.hub.journals.stores import NOON, SPOKE, Store, a_run, listed

HOUR = timedelta(hours=1)

ODD = ["", "x" * 5000, "lone \ud800 surrogate", "nul \0 and\nline", "Übung/日本", "note#a"]


def a_note(name: str = "waiting/1", **given: Any) -> Note:
    facts: dict[str, Any] = {"body": {"run": "run-1", "asked": ["ada", None, 1.5]}, "until": NOON + HOUR}
    return Note(name=name, **(facts | given))


async def kept(journal: Journal, note: Note) -> Note:
    """The note as the journal has it now."""
    written = await journal.keep(note)
    assert written is not None
    assert await journal.note(note.name) == written
    return written


async def on_shelf(journal: Journal, shelf: str) -> list[str]:
    return sorted([note.name async for note in journal.shelf(shelf)])


class TestKeeping:
    async def test_what_one_worker_notes_another_reads_whole(self, store: Store) -> None:
        one, two = await store.worker(), await store.worker()
        assert await two.note("waiting/1") is None
        written = await one.keep(a_note(shelf="waiting"))
        assert written == a_note(shelf="waiting", version=1)
        assert await two.note("waiting/1") == written

    async def test_the_version_grows_with_every_writing_and_an_older_one_writes_nothing(
        self, journal: Journal
    ) -> None:
        first = await kept(journal, a_note())
        second = await kept(journal, replace(first, body={"n": 2}))
        third = await kept(journal, replace(second, body={"n": 3}, until=NOON + 2 * HOUR))
        assert first.version < second.version < third.version
        for old in (a_note(), first, second, replace(third, version=third.version + 1)):
            assert await journal.keep(replace(old, body={"n": "old"})) is None
            assert not await journal.drop(old)
        assert await journal.note("waiting/1") == third

    async def test_of_many_that_write_over_one_version_one_wins(self, store: Store) -> None:
        workers = [await store.worker(), await store.worker()]
        for note in (a_note(), await kept(workers[0], a_note("waiting/2"))):
            written = await asyncio.gather(
                *(workers[i % 2].keep(replace(note, body={"writer": i})) for i in range(10))
            )
            [won] = [each for each in written if each is not None]
            assert await workers[0].note(note.name) == won

    async def test_of_many_that_drop_or_write_one_version_one_wins(self, store: Store) -> None:
        one, two = await store.worker(), await store.worker()
        note = await kept(one, a_note())
        done = await asyncio.gather(
            one.drop(note), two.keep(note), two.drop(note), one.keep(note), one.drop(note)
        )
        assert len([each for each in done if each]) == 1

    async def test_a_dropped_note_is_gone_and_cannot_be_dropped_or_written_over(
        self, journal: Journal
    ) -> None:
        note = await kept(journal, a_note(shelf="waiting"))
        assert await journal.drop(note)
        assert await journal.note(note.name) is None
        assert not await journal.drop(note)
        assert await journal.keep(note) is None
        assert await on_shelf(journal, "waiting") == []

    async def test_an_old_reader_never_wins_over_a_note_that_began_anew_after_a_drop(
        self, journal: Journal
    ) -> None:
        old = await kept(journal, a_note())
        assert await journal.drop(old)
        new = await kept(journal, a_note(body={"new": True}))
        assert new.version > old.version
        assert await journal.keep(old) is None
        assert not await journal.drop(old)
        assert await journal.note(new.name) == new

    async def test_what_was_never_kept_cannot_be_dropped(self, journal: Journal) -> None:
        assert not await journal.drop(a_note())
        assert not await journal.drop(a_note(version=1))
        assert await journal.keep(a_note(version=1)) is None
        assert await journal.note("waiting/1") is None

    async def test_changing_the_body_afterwards_changes_nothing_that_is_kept(self, journal: Journal) -> None:
        body: dict[str, Any] = {"who": ["ada"]}
        await journal.keep(a_note(body=MappingProxyType(body)))
        body["who"].append("mallory")
        read = await journal.note("waiting/1")
        assert read is not None
        assert read.body == {"who": ["ada"]}

    @pytest.mark.parametrize("name", ODD)
    async def test_whatever_its_name_and_shelf_a_note_is_found_again(
        self, journal: Journal, name: str
    ) -> None:
        note = await kept(journal, a_note(name, shelf=f"on {name}"))
        assert await journal.note(name + "x") is None
        assert await on_shelf(journal, f"on {name}") == [name]
        assert await on_shelf(journal, f"on {name}x") == []
        assert await journal.drop(note)

    @pytest.mark.parametrize("body", [{"when": NOON}, {"raw": b"bytes"}, {"which": {1, 2}}], ids=str)
    async def test_a_body_that_is_not_json_is_refused_and_nothing_is_written(
        self, journal: Journal, body: dict[str, Any]
    ) -> None:
        with pytest.raises(JournalUnwritable, match="'waiting/1' cannot be written as JSON"):
            await journal.keep(a_note(body=body))
        assert await journal.note("waiting/1") is None

    async def test_a_body_is_kept_up_to_300_000_bytes_and_refused_beyond(self, journal: Journal) -> None:
        frame = len('{"v":1,"name":"waiting/1","shelf":"plans","body":{"text":""}}')
        largest = await kept(journal, a_note(shelf="plans", body={"text": "x" * (300_000 - frame)}))
        with pytest.raises(JournalUnwritable, match=r"'waiting/1' takes 300,001 bytes.* holds 300,000"):
            await journal.keep(replace(largest, body={"text": "x" * (300_001 - frame)}))
        assert await journal.note("waiting/1") == largest

    async def test_a_time_without_a_zone_is_a_defect(self, journal: Journal) -> None:
        with pytest.raises(InternalError, match="without a zone"):
            await journal.keep(a_note(until=NOON.replace(tzinfo=None)))
        assert await journal.note("waiting/1") is None


class TestTime:
    async def test_a_note_is_gone_from_the_moment_its_time_is_over(self, store: Store) -> None:
        journal = await store.worker()
        note = await kept(journal, a_note(shelf="waiting"))
        store.clock.forward(3599.999999)
        assert await journal.note(note.name) == note
        assert await on_shelf(journal, "waiting") == [note.name]
        store.clock.forward(0.000001)
        assert await journal.note(note.name) is None
        assert await on_shelf(journal, "waiting") == []

    async def test_over_one_whose_time_is_over_only_a_new_one_is_written_and_its_version_is_higher(
        self, store: Store
    ) -> None:
        journal = await store.worker()
        ended = await kept(journal, a_note())
        ended = await kept(journal, ended)
        store.clock.forward(3600)
        later = store.clock() + HOUR
        assert await journal.keep(replace(ended, until=later)) is None
        assert not await journal.drop(ended)
        new = await kept(journal, a_note(until=later))
        assert new.version > ended.version
        assert await journal.keep(replace(ended, until=later)) is None
        assert not await journal.drop(ended)
        assert await journal.note(new.name) == new

    async def test_of_many_that_follow_an_ended_note_one_wins(self, store: Store) -> None:
        workers = [await store.worker(), await store.worker()]
        await kept(workers[0], a_note())
        store.clock.forward(3600)
        later = a_note(until=store.clock() + HOUR)
        written = await asyncio.gather(*(workers[i % 2].keep(later) for i in range(8)))
        assert len([each for each in written if each]) == 1

    async def test_a_note_may_end_in_any_zone_and_at_the_end_of_time(self, journal: Journal) -> None:
        berlin = timezone(timedelta(hours=1))
        last = datetime.max.replace(tzinfo=UTC)
        for until in ((NOON + HOUR).astimezone(berlin), NOON + timedelta(microseconds=1), last):
            note = await kept(journal, a_note(f"until {until}", until=until))
            assert note.until == until

    async def test_a_note_kept_on_without_end_can_be_made_shorter(self, store: Store) -> None:
        journal = await store.worker()
        note = await kept(journal, a_note(until=NOON + 24 * HOUR))
        await kept(journal, replace(note, until=NOON + HOUR))
        store.clock.forward(3600)
        assert await journal.note(note.name) is None


class TestShelf:
    async def test_a_shelf_lists_its_own_notes_whole(self, journal: Journal) -> None:
        for name, shelf in [("1", "waiting"), ("2", "plans"), ("3", "waiting"), ("4", ""), ("5", "wait")]:
            await journal.keep(a_note(name, shelf=shelf))
        assert await on_shelf(journal, "waiting") == ["1", "3"]
        assert [note async for note in journal.shelf("plans")] == [a_note("2", shelf="plans", version=1)]
        assert await on_shelf(journal, "") == []
        assert await on_shelf(journal, "no such shelf") == []

    async def test_a_note_can_move_to_another_shelf_and_off_all(self, journal: Journal) -> None:
        note = await kept(journal, a_note("1", shelf="waiting"))
        note = await kept(journal, replace(note, shelf="answered"))
        assert [await on_shelf(journal, shelf) for shelf in ("waiting", "answered")] == [[], ["1"]]
        note = await kept(journal, replace(note, shelf=""))
        assert [await on_shelf(journal, shelf) for shelf in ("waiting", "answered")] == [[], []]
        await kept(journal, replace(note, shelf="waiting"))
        assert await on_shelf(journal, "waiting") == ["1"]

    async def test_a_dropped_note_that_begins_anew_is_listed_where_it_is_put(self, journal: Journal) -> None:
        assert await journal.drop(await kept(journal, a_note(shelf="waiting")))
        await kept(journal, a_note(shelf="plans"))
        assert [await on_shelf(journal, shelf) for shelf in ("waiting", "plans")] == [[], ["waiting/1"]]

    async def test_hundreds_of_notes_come_whole_across_pages_past_those_that_are_gone(
        self, store: Store
    ) -> None:
        journal = await store.worker()
        names = [f"{number:03}" for number in range(260)]
        gate = asyncio.Semaphore(16)

        async def write(name: str) -> None:
            async with gate:
                until = NOON + (HOUR if int(name) % 10 else timedelta(seconds=1))
                note = await journal.keep(a_note(name, shelf="waiting", body={"is": name}, until=until))
                if name.endswith("5"):
                    assert note is not None
                    assert await journal.drop(note)

        await asyncio.gather(*map(write, names))
        store.clock.forward(1)
        listed = [(note.name, note.body) async for note in journal.shelf("waiting")]
        assert sorted(listed) == [(name, {"is": name}) for name in names if name[-1] not in "05"]

    async def test_a_shelf_is_cleared_while_it_is_read(self, store: Store) -> None:
        reader, writer = await store.worker(), await store.worker()
        for number in range(5):
            await writer.keep(a_note(f"{number}", shelf="waiting"))
        dropped = [await writer.drop(note) async for note in reader.shelf("waiting")]
        assert dropped == [True] * 5
        assert await on_shelf(reader, "waiting") == []


async def test_notes_tallies_runs_leases_and_settlements_of_one_name_do_not_mix(journal: Journal) -> None:
    note = await kept(journal, a_note("same", shelf="same"))
    assert await journal.tally("same", 3, until=NOON + HOUR) == 3
    await journal.open(a_run("same", finding_key="same"))
    await journal.settle("same", report_id="report-1")
    lease = await journal.lease("same", owner="a", seconds=60)
    assert lease is not None
    assert await journal.note("same") == note
    assert await journal.tally("same", 0, until=NOON + HOUR) == 3
    assert await journal.get("same") == a_run("same", finding_key="same")
    assert await journal.settled("same") == "report-1"
    assert [each async for each in journal.shelf("same")] == [note]


async def test_the_history_never_meets_a_note_and_a_shelf_never_a_run(journal: Journal) -> None:
    month = f"{NOON:%Y-%m}"
    await journal.open(a_run("run"))
    for shelf in (month, "finding-1", SPOKE, "waiting"):
        await journal.keep(a_note(f"on {shelf}", shelf=shelf))
        assert await on_shelf(journal, shelf) == [f"on {shelf}"]
    assert await listed(journal) == ["run"]
    for filters in ({"finding_key": "finding-1"}, {"account_id": SPOKE}, {"since": NOON - HOUR}):
        assert [run.run_id async for run in journal.runs(Query(**filters))] == ["run"]
