"""What the journal tests are made of: a clock to turn, runs to keep, workers on one store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from aiobotocore.session import AioSession
from botocore.config import Config

from hub.aws.accounts import HubIdentity
from hub.aws.clients import client_config
from hub.journals import Journal, Query
from hub.journals.dynamodb import DynamoDbJournal
from hub.journals.dynamodb_table import create_table
from hub.journals.schema import SCHEMA, Schema
from hub.model import Run
from hub.settings import Settings

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HUB = "111122223333"
SPOKE = "222233334444"


Handlers = dict[str, Any]


class Clock:
    """Stands still until it is turned."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time

    def forward(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def a_run(run_id: str = "run-1", **given: Any) -> Run:
    """An open run of a made-up bot."""
    facts: dict[str, Any] = {
        "occurrence": "occurrence-1",
        "finding_key": "finding-1",
        "account_id": SPOKE,
        "bot": "s3_enable_versioning",
        "before": {"status": "Off"},
        "session": "hub.s3_enable_versioning.1",
        "fence": 1,
        "opened_at": NOON,
    }
    return Run(run_id=run_id, **(facts | given))


class LoopbackIdentity(HubIdentity):
    """A hub whose AWS is a server on loopback. It asks once, so that a refusal is seen at once.

    Sharing a session spares every client reading botocore's model of DynamoDB again.
    """

    def __init__(self, address: str, session: AioSession) -> None:
        super().__init__(Settings(region="eu-west-1"), session)
        self._address = address

    def client(self, service: str, region: str | None = None) -> Any:
        return self.session.create_client(
            service,
            region_name=region or self.settings.region,
            endpoint_url=self._address,
            aws_access_key_id=HUB,
            aws_secret_access_key="made-up",
            config=client_config().merge(Config(retries={"mode": "standard", "total_max_attempts": 1})),
        )


async def a_table(identity: HubIdentity) -> str:
    """The name of a new table there."""
    name = f"hub-{uuid4().hex}"
    async with identity.client("dynamodb") as client:
        await create_table(client, name)
    return name


@asynccontextmanager
async def on_table(
    address: str, clock: Clock, *, handlers: Handlers | None = None, keep_days: int = 400, table: str = ""
) -> AsyncIterator[tuple[DynamoDbJournal, LoopbackIdentity, str]]:
    """A journal on a table (new unless named), its identity, and the table's name. ``handlers`` are
    botocore's events of all its calls."""
    identity = LoopbackIdentity(address, AioSession())
    table = table or await a_table(identity)
    for event, handler in (handlers or {}).items():
        identity.session.register(event, handler)
    journal = DynamoDbJournal(identity, table, keep_days=keep_days, now=clock)
    try:
        await journal.start()
        yield journal, identity, table
    finally:
        await journal.stop()


async def stored(identity: LoopbackIdentity, table: str, key: dict[str, Any]) -> dict[str, Any]:
    """The item as it lies in the table."""
    async with identity.client("dynamodb") as client:
        answer = await client.get_item(TableName=table, Key=key)
    item: dict[str, Any] = answer["Item"]
    return item


def asks_twice(operation: str) -> Handlers:
    """DynamoDB writes, its answer gets lost, and botocore asks again."""

    def again(attempts: int, caught_exception: Any, **_: Any) -> float | None:
        if attempts == 1 and caught_exception is None:
            return 0.0
        return None

    return {f"needs-retry.dynamodb.{operation}": again}


@dataclass(slots=True)
class Store:
    """One place where runs are kept, and as many workers on it as a test wants."""

    clock: Clock
    make: Callable[[Schema], Journal]
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def worker(self, schema: Schema = SCHEMA) -> Journal:
        """A started journal with connections of its own, of a hub that writes so."""
        journal = self.make(schema)
        self.stack.push_async_callback(journal.stop)
        await journal.start()
        return journal


async def listed(journal: Journal, **filters: Any) -> list[str]:
    """Ids of the runs that match, in the journal's order."""
    return [run.run_id async for run in journal.runs(Query(**filters))]
