"""The notes and tallies of the DynamoDB journal.

Nothing is deleted here: what is dropped is emptied and left to DynamoDB's time to live, so that its version goes on
growing and the hub's role needs no right to delete.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from hub.errors import JournalUnwritable
from hub.journals import Note
from hub.journals.dynamodb_calls import BATCH_ITEMS, MAX_ROUNDS, ConditionFailed, Table
from hub.journals.dynamodb_item import Item, note_key, shelf_shard, tally_key
from hub.journals.dynamodb_table import BY_MONTH, KEY, ORDER, TTL
from hub.journals.rules import NOTE_EXTRA
from hub.journals.wire import from_microseconds, microseconds, note_text, to_note

# Marks of those who counted lie in three sets that take turns: one takes those of now, one has those of the turn
# before, one is emptied. A call is over within one turn, its repetitions included.
TURN_SECONDS = 600
MARKS = ("marks_0", "marks_1", "marks_2")

_THAT_VERSION = "attribute_exists(noted) AND edition = :edition AND ends_at > :now"


class DynamoDbNotes:
    """What `hub.journals.Journal` says of notes and tallies, in the table of a journal.

    An answer can get lost on the way; botocore then asks again and finds its own first writing. So every writing
    leaves a mark of its own to be known by.
    """

    _table: Table
    _now: Callable[[], datetime]

    async def note(self, name: str) -> Note | None:
        item = await self._table.get(note_key(name))
        return None if item is None else self._of_item(item)

    async def keep(self, note: Note) -> Note | None:
        values: dict[str, Item] = {
            "noted": {"S": note_text(note)},
            "ends_at": {"N": str(microseconds(note.until))},
            "ttl": _ttl(note.until),
            "now": {"N": str(microseconds(self._now()))},
            "one": {"N": "1"},
        }
        changes = f"SET noted = :noted, ends_at = :ends_at, {TTL} = :ttl, asked = :asked"
        if note.shelf:
            changes += f", #month = :shard, {ORDER} = :place"
            values |= {"shard": {"S": shelf_shard(note.shelf)}, "place": note_key(note.name)[KEY]}
        else:
            changes += f" REMOVE #month, {ORDER}"
        condition = "attribute_not_exists(noted) OR ends_at <= :now"
        if note.version:
            condition = _THAT_VERSION
            values["edition"] = {"N": str(note.version)}
        kept = await self._changed(note, f"{changes} ADD edition :one", condition, values)
        return None if kept is None else replace(note, version=int(kept["edition"]["N"]))

    async def drop(self, note: Note) -> bool:
        now = self._now()
        values: dict[str, Item] = {
            "ttl": _ttl(now),
            "now": {"N": str(microseconds(now))},
            "edition": {"N": str(note.version)},
        }
        changes = f"SET {TTL} = :ttl, asked = :asked REMOVE noted, #month, {ORDER}"
        return await self._changed(note, changes, _THAT_VERSION, values) is not None

    async def shelf(self, shelf: str) -> AsyncIterator[Note]:
        request: dict[str, Any] = {
            "IndexName": BY_MONTH,
            "KeyConditionExpression": "#month = :shard",
            "ExpressionAttributeNames": {"#month": "month"},
            "ExpressionAttributeValues": {":shard": {"S": shelf_shard(shelf)}},
            "Limit": BATCH_ITEMS,
        }
        while shelf:
            answer = await self._table.query(request)
            for item in await self._table.read([{KEY: item[KEY]} for item in answer["Items"]]):
                note = self._of_item(item)
                # Indexes lag behind the table, so the note itself is asked again.
                if note is not None and note.shelf == shelf:
                    yield note
            if "LastEvaluatedKey" not in answer:
                return
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    async def tally(self, name: str, add: int, *, until: datetime) -> int:
        now, ends_at = self._now(), microseconds(until)
        if not add:
            item = await self._table.get(tally_key(name))
            return 0 if item is None or _ended(item, now) else int(item["tally"]["N"])
        mark = uuid4().hex[:16]
        turn = int(now.timestamp() // TURN_SECONDS)
        taking, stale, before = (MARKS[(turn + ahead) % len(MARKS)] for ahead in range(len(MARKS)))
        added: dict[str, Item] = {
            "add": {"N": str(add)},
            "marks": {"SS": [mark]},
            "now": {"N": str(microseconds(now))},
        }
        begun: dict[str, Item] = {**added, "ends_at": {"N": str(ends_at)}, "ttl": _ttl(until)}
        writings = (
            (
                f"ADD tally :add, {taking} :marks REMOVE {stale}",
                f"ends_at > :now AND NOT contains({taking}, :mark)",
                {**added, "mark": {"S": mark}},
            ),
            (
                f"SET tally = :add, ends_at = :ends_at, {TTL} = :ttl, {taking} = :marks REMOVE {stale}, {before}",
                "attribute_not_exists(ends_at) OR ends_at <= :now",
                begun,
            ),
        )
        for _ in range(MAX_ROUNDS):
            for changes, condition, values in writings:
                try:
                    item = await self._table.update(tally_key(name), changes, condition, **values)
                except ConditionFailed as refused:
                    item = refused.item
                    if mark not in item.get(taking, {}).get("SS", ()):
                        continue
                # What an update leaves as it was need not be in its answer: begun anew with the number it had.
                return int(item["tally"]["N"]) if "tally" in item else add
        raise self._table.unwritable(f"the tally {name[:200]!r} kept ending; try again later")

    async def _changed(
        self, note: Note, changes: str, condition: str, values: Mapping[str, Item]
    ) -> Item | None:
        """What the note's item became; None if its condition did not hold."""
        asked = uuid4().hex
        try:
            return await self._table.update(
                note_key(note.name), changes, condition, asked={"S": asked}, **values
            )
        except ConditionFailed as refused:
            return refused.item if refused.item.get("asked", {}).get("S") == asked else None

    def _of_item(self, item: Item) -> Note | None:
        """
        Raises:
            JournalUnwritable: it is damaged, or a newer hub wrote it.
        """
        if "noted" not in item:
            return None
        try:
            if _ended(item, self._now()):
                return None
            return to_note(
                item["noted"]["S"],
                until=from_microseconds(int(item["ends_at"]["N"])),
                version=int(item["edition"]["N"]),
            )
        except (KeyError, ValueError) as error:
            raise JournalUnwritable(f"item {item.get(KEY)} of the journal is damaged: {error!r}") from error


def _ended(item: Item, now: datetime) -> bool:
    """DynamoDB deletes an item days after its time is over."""
    return int(item["ends_at"]["N"]) <= microseconds(now)


def _ttl(ended: datetime) -> Item:
    # Not added as times: the last ones there are end in the year 9999.
    return {"N": str(int(ended.timestamp()) + int(NOTE_EXTRA.total_seconds()))}
