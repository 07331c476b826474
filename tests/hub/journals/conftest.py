from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiobotocore.session import AioSession

from hub.journals import Journal
from hub.journals.dynamodb import DynamoDbJournal
from hub.journals.memory import MemoryJournal
from hub.journals.sqlite import SqliteJournal
from tests.hub.journals import servers
from tests.hub.journals.stores import Clock, LoopbackIdentity, Store, a_table


@pytest.fixture(scope="session")
def moto_address() -> Iterator[str]:
    with servers.moto() as address:
        yield address


@pytest.fixture(scope="session")
def dynalite_address() -> Iterator[str]:
    with servers.dynalite() as address:
        yield address


@pytest.fixture(scope="session")
def aws_session() -> AioSession:
    return AioSession()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "sqlite", "moto", "dynalite"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, aws_session: AioSession
) -> AsyncIterator[Store]:
    match request.param:
        case "memory":
            shared = MemoryJournal(now=clock)
            found = Store(clock, lambda _: shared)
        case "sqlite":
            path = tmp_path / "journal.sqlite"
            found = Store(clock, lambda schema: SqliteJournal(path, now=clock, schema=schema))
        case name:
            identity = LoopbackIdentity(request.getfixturevalue(f"{name}_address"), aws_session)
            table = await a_table(identity)
            found = Store(clock, lambda schema: DynamoDbJournal(identity, table, now=clock, schema=schema))
    async with found.stack:
        yield found


@pytest.fixture
async def journal(store: Store) -> Journal:
    return await store.worker()
