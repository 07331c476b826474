"""The journal in one DynamoDB table, for hubs of many workers. The table is the stack's to create."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from hub.errors import JournalUnwritable
from hub.journals import Lease, Query
from hub.journals.dynamodb_calls import BATCH_ITEMS, MAX_ROUNDS, ConditionFailed, Table
from hub.journals.dynamodb_item import (
    SCHEMA_KEY,
    Item,
    from_item,
    lease_key,
    months_back,
    run_key,
    schema_item,
    schema_of,
    settled_key,
    to_item,
)
from hub.journals.dynamodb_notes import DynamoDbNotes
from hub.journals.dynamodb_table import BY_ACCOUNT, BY_FINDING, BY_MONTH, KEY, ORDER, TTL
from hub.journals.rules import LEASE_EXTRA, kept_for, matches, to_close, to_open, to_undone, utc_now
from hub.journals.schema import SCHEMA, Schema, admit
from hub.journals.wire import index_text, microseconds, utc_text
from hub.model import Run

if TYPE_CHECKING:
    from hub.aws.accounts import HubIdentity


class DynamoDbJournal(DynamoDbNotes):
    """A `hub.journals.Journal` in the table ``table`` of the hub's own account and region.

    Args:
        identity: signs as the hub.
        table: its name.
        keep_days: runs expire so long after they were opened.
        now: the clock, aware. Leases compare the clocks of different workers.
        schema: what this hub writes.
    """

    def __init__(
        self,
        identity: HubIdentity,
        table: str,
        *,
        keep_days: int = 400,
        now: Callable[[], datetime] = utc_now,
        schema: Schema = SCHEMA,
    ) -> None:
        self._table = Table(identity, table)
        self._schema = schema
        self._keep = kept_for(keep_days)
        self._now = now

    async def start(self) -> None:
        await self._table.start()
        for _ in range(MAX_ROUNDS):
            if await self._admitted():
                return
        raise self._table.unwritable("the note of its schema kept changing; try again later")

    async def stop(self) -> None:
        await self._table.stop()

    async def lease(self, name: str, *, owner: str, seconds: float) -> Lease | None:
        now = self._now()
        expires_at = now + timedelta(seconds=seconds)
        asked = uuid4().hex
        try:
            item = await self._table.update(
                lease_key(name),
                f"SET holder = :holder, ends_at = :ends_at, {TTL} = :ttl, asked = :asked ADD fence :one",
                "attribute_not_exists(holder) OR ends_at <= :now",
                holder={"S": owner},
                ends_at={"N": str(microseconds(expires_at))},
                ttl={"N": self._lease_ttl(expires_at)},
                asked={"S": asked},
                one={"N": "1"},
                now={"N": str(microseconds(now))},
            )
        except ConditionFailed as refused:
            item = refused.item
            # An answer can get lost on the way; botocore then asks again and finds its own first writing.
            if item.get("asked", {}).get("S") != asked:
                return None
        return Lease(name=name, owner=owner, fence=int(item["fence"]["N"]), expires_at=expires_at)

    async def renew(self, lease: Lease, *, seconds: float) -> Lease | None:
        expires_at = self._now() + timedelta(seconds=seconds)
        try:
            await self._table.update(
                lease_key(lease.name),
                f"SET ends_at = :ends_at, {TTL} = :ttl",
                "holder = :holder AND fence = :fence",
                ends_at={"N": str(microseconds(expires_at))},
                ttl={"N": self._lease_ttl(expires_at)},
                **_held_by(lease),
            )
        except ConditionFailed:
            return None
        return Lease(name=lease.name, owner=lease.owner, fence=lease.fence, expires_at=expires_at)

    async def release(self, lease: Lease) -> None:
        try:
            await self._table.update(
                lease_key(lease.name),
                "REMOVE holder",
                "holder = :holder AND fence = :fence",
                **_held_by(lease),
            )
        except ConditionFailed:
            return

    async def open(self, run: Run) -> Run:
        for _ in range(MAX_ROUNDS):
            stored = await self.get(run.run_id)
            opened = to_open(stored, run)
            if opened is stored or await self._put_over(stored, opened):
                return opened
        raise self._contended(run.run_id)

    async def close(self, run: Run) -> None:
        for _ in range(MAX_ROUNDS):
            stored = await self.get(run.run_id)
            closed = to_close(stored, run)
            if closed is None or await self._put_over(stored, closed):
                return
        raise self._contended(run.run_id)

    async def mark_undone(self, run_id: str, *, by: str) -> None:
        try:
            await self._table.update(
                run_key(run_id), "SET undone_by = :by", "attribute_exists(outcome)", by={"S": by}
            )
        except ConditionFailed:
            to_undone(None, run_id, by=by)  # says that no such closed run exists

    async def get(self, run_id: str) -> Run | None:
        item = await self._table.get(run_key(run_id))
        return None if item is None else from_item(item)

    async def runs(self, query: Query) -> AsyncIterator[Run]:
        left = query.limit
        if left <= 0:
            return
        async for keys in self._pages(query):
            for start in range(0, len(keys), BATCH_ITEMS):
                for item in await self._table.read(keys[start : start + BATCH_ITEMS]):
                    run = from_item(item)
                    # Indexes lag behind the table, so the run itself is asked again.
                    if matches(run, query):
                        yield run
                        left -= 1
                        if left == 0:
                            return

    async def settle(self, occurrence: str, *, report_id: str) -> None:
        expires_at = self._now() + self._keep
        item = {
            **settled_key(occurrence),
            "report_id": {"S": report_id},
            TTL: {"N": str(int(expires_at.timestamp()))},
        }
        try:
            await self._table.put(item, f"attribute_not_exists({KEY})")
        except ConditionFailed:
            return

    async def settled(self, occurrence: str) -> str | None:
        item = await self._table.get(settled_key(occurrence))
        return None if item is None else str(item["report_id"]["S"])

    async def _admitted(self) -> bool:
        """Whether this hub may begin; False if others changed the note of the schema meanwhile."""
        item = await self._table.get(SCHEMA_KEY)
        try:
            due = admit(self._schema, schema_of(item) if item else None)
        except JournalUnwritable as refused:
            raise self._table.unwritable(str(refused)) from None
        if due is None:
            return True
        try:
            await self._table.put(
                schema_item(due), f"attribute_not_exists({KEY}) OR v < :v", v={"N": str(due.version)}
            )
        except ConditionFailed:
            return False
        return True

    async def _put_over(self, stored: Run | None, run: Run) -> bool:
        """Write ``run`` if the record is still the open ``stored``; False if it is not."""
        item = to_item(run, keep=self._keep)
        try:
            if stored is None:
                await self._table.put(item, f"attribute_not_exists({KEY})")
            else:
                await self._table.put(
                    item,
                    "fence = :fence AND attribute_not_exists(outcome)",
                    fence={"N": str(stored.fence)},
                )
        except ConditionFailed:
            return False
        return True

    async def _pages(self, query: Query) -> AsyncIterator[list[Item]]:
        """Keys of the runs that an index says match, a page of the index at a time, newest first."""
        for index, attribute, partition in self._shards(query):
            request: dict[str, Any] = {"IndexName": index, "ScanIndexForward": False}
            names = {"#partition": attribute}
            values = {":partition": {"S": partition}}
            conditions = ["#partition = :partition"]
            if query.since is not None:
                names["#order"] = ORDER
                values[":since"] = {"S": utc_text(query.since)}
                conditions.append("#order >= :since")
            filters = [(name, text) for name, text in _filters(query).items() if name != attribute]
            for name, text in filters:
                names[f"#{name}"] = name
                values[f":{name}"] = {"S": text}
            if filters:
                request["FilterExpression"] = " AND ".join(f"#{name} = :{name}" for name, _ in filters)
            else:
                request["Limit"] = min(query.limit, BATCH_ITEMS)
            request |= {
                "KeyConditionExpression": " AND ".join(conditions),
                "ExpressionAttributeNames": names,
                "ExpressionAttributeValues": values,
            }
            while True:
                answer = await self._table.query(request)
                yield [{KEY: item[KEY]} for item in answer["Items"]]
                if "LastEvaluatedKey" not in answer:
                    break
                request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def _shards(self, query: Query) -> list[tuple[str, str, str]]:
        """Index, its partition attribute and the partition's value, in the order to be read."""
        if query.finding_key is not None:
            return [(BY_FINDING, "finding", _filters(query)["finding"])]
        if query.account_id is not None:
            return [(BY_ACCOUNT, "account", _filters(query)["account"])]
        now = self._now()
        # Clocks differ a little, and DynamoDB deletes some days late.
        oldest = now - self._keep - LEASE_EXTRA
        since = oldest if query.since is None else max(query.since, oldest)
        return [(BY_MONTH, "month", shard) for shard in months_back(now + timedelta(days=1), since)]

    def _lease_ttl(self, expires_at: datetime) -> str:
        return str(int((expires_at + self._keep + LEASE_EXTRA).timestamp()))

    def _contended(self, run_id: str) -> JournalUnwritable:
        return self._table.unwritable(f"the record of run {run_id} kept changing; try again later")


def _held_by(lease: Lease) -> dict[str, Item]:
    return {"holder": {"S": lease.owner}, "fence": {"N": str(lease.fence)}}


def _filters(query: Query) -> dict[str, str]:
    """Attribute and value of each filter. Empty texts are not stored and so not filtered by DynamoDB."""
    found = {
        "bot": index_text(query.bot or ""),
        "session": index_text(query.session or ""),
        "outcome": query.outcome.value if query.outcome else "",
    }
    if query.finding_key is not None:
        found["finding"] = f"finding#{index_text(query.finding_key)}"
    if query.account_id is not None:
        found["account"] = f"account#{index_text(query.account_id)}"
    return {name: text for name, text in found.items() if text}
