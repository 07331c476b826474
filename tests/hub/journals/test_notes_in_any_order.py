"""Whatever is written, dropped and counted in whatever order: each journal does what a few lines of dictionaries do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from aiobotocore.session import AioSession
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hub.journals import Journal, Note
from hub.journals.dynamodb import DynamoDbJournal
from hub.journals.memory import MemoryJournal
from hub.journals.sqlite import SqliteJournal
from tests.hub.journals.stores import Clock, LoopbackIdentity, a_table

Make = Callable[[Clock], AbstractAsyncContextManager[Journal]]

NAMES = ("a", "b")
SHELVES = ("", "one", "two")


@dataclass
class Expected:
    """Who holds which version, told without a journal."""

    clock: Clock
    live: dict[str, Note] = field(default_factory=dict)
    highest: dict[str, int] = field(default_factory=dict)
    handed_out: list[Note] = field(default_factory=list)
    tallies: dict[str, tuple[int, datetime]] = field(default_factory=dict)

    def now(self, name: str) -> Note | None:
        note = self.live.get(name)
        return note if note and note.until > self.clock() else None

    def counted(self, name: str) -> int:
        number, ends = self.tallies.get(name, (0, self.clock()))
        return number if ends > self.clock() else 0


@dataclass(frozen=True)
class Keep:
    """Writes over a version that was handed out before (the ``reader``-th from the end), or a new note."""

    name: str
    shelf: str
    reader: int | None
    minutes: int

    async def __call__(self, journal: Journal, expected: Expected) -> None:
        until = expected.clock() + timedelta(minutes=self.minutes)
        note = Note(name=self.name, shelf=self.shelf, body={"n": len(expected.handed_out)}, until=until)
        if self.reader is not None and expected.handed_out:
            read = expected.handed_out[-1 - self.reader % len(expected.handed_out)]
            note = replace(note, name=read.name, version=read.version)
        known = expected.now(note.name)
        kept = await journal.keep(note)
        assert (kept is not None) == (note.version == (known.version if known else 0))
        if kept is not None:
            assert kept == replace(note, version=kept.version)
            assert kept.version > expected.highest.get(note.name, 0), "no version is ever given twice"
            expected.live[note.name] = kept
            expected.highest[note.name] = kept.version
            expected.handed_out.append(kept)


@dataclass(frozen=True)
class Drop:
    reader: int

    async def __call__(self, journal: Journal, expected: Expected) -> None:
        if expected.handed_out:
            read = expected.handed_out[-1 - self.reader % len(expected.handed_out)]
            known = expected.now(read.name)
            dropped = await journal.drop(read)
            assert dropped == (known is not None and known.version == read.version)
            if dropped:
                del expected.live[read.name]


@dataclass(frozen=True)
class Count:
    name: str
    add: int
    minutes: int

    async def __call__(self, journal: Journal, expected: Expected) -> None:
        now = expected.clock()
        until = now + timedelta(minutes=self.minutes)
        _, ends = expected.tallies.get(self.name, (0, now))
        number = expected.counted(self.name) + self.add
        assert await journal.tally(self.name, self.add, until=until) == number
        if self.add:
            expected.tallies[self.name] = number, ends if ends > now else until


@dataclass(frozen=True)
class Wait:
    minutes: int

    async def __call__(self, journal: Journal, expected: Expected) -> None:
        expected.clock.forward(self.minutes * 60)


Doing = Keep | Drop | Count | Wait

DOINGS = st.lists(
    st.one_of(
        st.builds(
            Keep,
            st.sampled_from(NAMES),
            st.sampled_from(SHELVES),
            st.none() | st.integers(0, 3),
            st.integers(1, 4),
        ),
        st.builds(Drop, st.integers(0, 3)),
        st.builds(Count, st.sampled_from(NAMES), st.integers(-2, 5), st.integers(1, 4)),
        st.builds(Wait, st.integers(1, 3)),
    ),
    max_size=25,
)


@asynccontextmanager
async def in_memory(clock: Clock) -> AsyncIterator[Journal]:
    yield MemoryJournal(now=clock)


@asynccontextmanager
async def in_a_file(clock: Clock) -> AsyncIterator[Journal]:
    with TemporaryDirectory() as folder:
        journal = SqliteJournal(Path(folder) / "journal.sqlite", now=clock)
        await journal.start()
        try:
            yield journal
        finally:
            await journal.stop()


def in_dynamodb(address: str, session: AioSession) -> Make:
    @asynccontextmanager
    async def made(clock: Clock) -> AsyncIterator[Journal]:
        identity = LoopbackIdentity(address, session)
        journal = DynamoDbJournal(identity, await a_table(identity), now=clock)
        await journal.start()
        try:
            yield journal
        finally:
            await journal.stop()

    return made


@pytest.fixture(scope="module", params=["memory", "sqlite", "moto"])
def make(request: pytest.FixtureRequest, aws_session: AioSession) -> Make:
    match request.param:
        case "memory":
            return in_memory
        case "sqlite":
            return in_a_file
        case name:
            return in_dynamodb(request.getfixturevalue(f"{name}_address"), aws_session)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@example([Count(NAMES[0], 2, 1), Wait(1), Count(NAMES[0], 2, 1)])
@given(DOINGS)
def test_notes_and_tallies_do_what_dictionaries_do(make: Make, doings: list[Doing]) -> None:
    async def all_of_it() -> None:
        expected = Expected(Clock())
        async with make(expected.clock) as journal:
            for doing in doings:
                await doing(journal, expected)
                for name in NAMES:
                    assert await journal.note(name) == expected.now(name)
            for name in NAMES:
                assert await journal.tally(name, 0, until=expected.clock()) == expected.counted(name)
            for shelf in SHELVES:
                on_it = {note.name: note async for note in journal.shelf(shelf)}
                live = {name: expected.now(name) for name in NAMES}
                assert on_it == {n: note for n, note in live.items() if note and shelf == note.shelf != ""}

    asyncio.run(all_of_it())
