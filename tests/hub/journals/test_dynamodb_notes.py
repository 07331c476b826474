"""What is DynamoDB's own about notes and tallies: lost answers, lagging indexes, what lies in the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.errors import JournalUnwritable
from hub.journals import Note
from hub.journals.dynamodb_item import note_key, tally_key
from hub.journals.dynamodb_notes import TURN_SECONDS
from tests.hub.journals.stores import NOON, Clock, Handlers, a_run, asks_twice, listed, on_table, stored

HOUR = timedelta(hours=1)
WEEK = timedelta(days=7)


def a_note(name: str = "waiting/1", **given: Any) -> Note:
    facts: dict[str, Any] = {"body": {"run": "run-1"}, "until": NOON + HOUR, "shelf": "waiting"}
    return Note(name=name, **(facts | given))


class TestLostAnswers:
    async def test_a_note_that_was_written_or_dropped_is_ours(self, moto_address: str, clock: Clock) -> None:
        async with on_table(moto_address, clock, handlers=asks_twice("UpdateItem")) as (journal, _, _):
            first = await journal.keep(a_note())
            assert first == a_note(version=1)
            second = await journal.keep(replace(first, body={"n": 2}))
            assert second == a_note(body={"n": 2}, version=2)
            assert await journal.note("waiting/1") == second
            assert await journal.keep(first) is None
            assert await journal.drop(second)
            assert not await journal.drop(second)
            assert await journal.keep(a_note()) == a_note(version=3)

    async def test_what_was_counted_is_not_counted_twice(self, moto_address: str, clock: Clock) -> None:
        async with on_table(moto_address, clock, handlers=asks_twice("UpdateItem")) as (journal, _, _):
            for number in (1, 2, 3):
                assert await journal.tally("changes", 1, until=NOON + HOUR) == number
            clock.forward(3600)
            assert await journal.tally("changes", 1, until=NOON + 2 * HOUR) == 1
            assert await journal.tally("changes", -1, until=NOON + 2 * HOUR) == 0

    @pytest.mark.parametrize("already", [0, 5])
    async def test_it_is_not_counted_twice_either_if_others_counted_meanwhile(
        self, moto_address: str, clock: Clock, already: int
    ) -> None:
        async with on_table(moto_address, clock) as (other, _, table):

            async def others_count(attempts: int, caught_exception: Any, response: Any, **_: Any) -> Any:
                if attempts > 1 or caught_exception is not None or response[0].status_code != 200:
                    return None
                for _again in range(3):
                    await other.tally("changes", 10, until=NOON + HOUR)
                return 0.0

            handlers: Handlers = {"needs-retry.dynamodb.UpdateItem": others_count}
            async with on_table(moto_address, clock, table=table, handlers=handlers) as (journal, _, _):
                if already:
                    await other.tally("changes", already, until=NOON + HOUR)
                assert await journal.tally("changes", 1, until=NOON + HOUR) == already + 31
            assert await other.tally("changes", 0, until=NOON + HOUR) == already + 31


class TestInTheTable:
    async def test_a_note_stays_a_week_longer_than_its_time_so_that_its_version_goes_on(
        self, moto_address: str, clock: Clock
    ) -> None:
        async with on_table(moto_address, clock) as (journal, identity, table):
            note = await journal.keep(a_note(until=NOON + 30 * WEEK))
            assert note is not None
            item = await stored(identity, table, note_key(note.name))
            assert item["expires_at"] == {"N": str(int((NOON + 31 * WEEK).timestamp()))}
            clock.forward(60)
            assert await journal.drop(note)
            item = await stored(identity, table, note_key(note.name))
            assert item["expires_at"] == {"N": str(int((clock() + WEEK).timestamp()))}
            assert "run-1" not in str(item), "what was noted is gone at once"
            assert {"month", "opened"}.isdisjoint(item)

    async def test_a_note_that_is_taken_off_its_shelf_leaves_the_index(
        self, moto_address: str, clock: Clock
    ) -> None:
        async with on_table(moto_address, clock) as (journal, identity, table):
            note = await journal.keep(a_note())
            assert note is not None
            assert {"month", "opened"} <= set(await stored(identity, table, note_key(note.name)))
            await journal.keep(replace(note, shelf=""))
            assert {"month", "opened"}.isdisjoint(await stored(identity, table, note_key(note.name)))

    async def test_a_tally_expires_and_forgets_the_marks_of_those_who_counted_long_ago(
        self, moto_address: str, dynalite_address: str, clock: Clock
    ) -> None:
        for address in (moto_address, dynalite_address):
            async with on_table(address, clock) as (journal, identity, table):
                until = clock() + WEEK
                for _turn in range(7):
                    for _time in range(4):
                        await journal.tally("changes", 1, until=until)
                    clock.forward(TURN_SECONDS)
                item = await stored(identity, table, tally_key("changes"))
                assert item["tally"] == {"N": "28"}
                assert item["expires_at"] == {"N": str(int((until + WEEK).timestamp()))}
                assert sum(len(value.get("SS", ())) for value in item.values()) == 8
                clock.time = until
                await journal.tally("changes", 1, until=until + WEEK)
                item = await stored(identity, table, tally_key("changes"))
                assert sum(len(value.get("SS", ())) for value in item.values()) == 1

    @pytest.mark.parametrize("lacking", ["edition", "ends_at", "noted"])
    async def test_a_damaged_note_is_refused_with_its_name(
        self, moto_address: str, clock: Clock, lacking: str
    ) -> None:
        async with (
            on_table(moto_address, clock) as (journal, identity, table),
            identity.client("dynamodb") as client,
        ):
            await journal.keep(a_note())
            item = await stored(identity, table, note_key("waiting/1"))
            item[lacking] = {"S": "?"}
            await client.put_item(TableName=table, Item=item)
            with pytest.raises(JournalUnwritable, match="damaged"):
                await journal.note("waiting/1")

    async def test_the_largest_note_with_the_longest_names_fits(
        self, dynalite_address: str, clock: Clock
    ) -> None:
        async with on_table(dynalite_address, clock) as (journal, identity, table):
            name, shelf = "n" * 900, "s" * 900
            frame = len('{"v":1,"name":"","shelf":"","body":{"text":""}}') + len(name + shelf)
            note = a_note(name, shelf=shelf, body={"text": "x" * (300_000 - frame)})
            kept = await journal.keep(note)
            assert [each async for each in journal.shelf(shelf)] == [kept]
            item = await stored(identity, table, note_key(name))
            assert len(item["noted"]["S"]) == 300_000


class TestShelf:
    async def test_a_shelf_is_queried_and_its_notes_are_read_as_they_are_now(
        self, moto_address: str, clock: Clock
    ) -> None:
        asked: list[tuple[str, Any]] = []

        def note(params: dict[str, Any], model: Any, **_: Any) -> None:
            asked.append((model.name, params))

        async with on_table(moto_address, clock, handlers={"before-parameter-build.dynamodb": note}) as (
            journal, _, table,
        ):  # fmt: skip
            await journal.keep(a_note())
            asked.clear()
            assert [each.name async for each in journal.shelf("waiting")] == ["waiting/1"]
            assert await journal.note("waiting/1")
            assert await journal.tally("changes", 0, until=NOON) == 0
        assert [name for name, _ in asked] == ["Query", "BatchGetItem", "GetItem", "GetItem"]
        assert asked[1][1]["RequestItems"][table]["ConsistentRead"]
        assert asked[2][1]["ConsistentRead"]
        assert asked[3][1]["ConsistentRead"]

    async def test_a_note_that_an_index_still_has_on_its_former_shelf_is_not_listed_there(
        self, moto_address: str, clock: Clock
    ) -> None:
        async with on_table(moto_address, clock) as (journal, identity, table):
            await journal.keep(a_note())
            item = await stored(identity, table, note_key("waiting/1"))
            note = await journal.note("waiting/1")
            assert note is not None
            await journal.keep(replace(note, shelf="answered"))
            async with identity.client("dynamodb") as client:
                await client.update_item(
                    TableName=table,
                    Key=note_key("waiting/1"),
                    UpdateExpression="SET #month = :old",
                    ExpressionAttributeNames={"#month": "month"},
                    ExpressionAttributeValues={":old": item["month"]},
                )
            assert [each.name async for each in journal.shelf("waiting")] == []

    async def test_a_note_that_is_gone_while_its_shelf_is_read_is_left_out(
        self, moto_address: str, clock: Clock
    ) -> None:
        def gone(parsed: dict[str, Any], **_: Any) -> None:
            for items in parsed["Responses"].values():
                items[:] = [item for item in items if item["pk"]["S"] != "note#1"]

        handlers = {"after-call.dynamodb.BatchGetItem": gone}
        async with on_table(moto_address, clock, handlers=handlers) as (journal, _, _):
            for number in range(3):
                await journal.keep(a_note(f"{number}"))
            assert [each.name async for each in journal.shelf("waiting")] == ["0", "2"]

    async def test_the_history_of_a_month_reads_no_note(self, moto_address: str, clock: Clock) -> None:
        read: list[str] = []

        def keys(parsed: dict[str, Any], **_: Any) -> None:
            read.extend(item["pk"]["S"] for items in parsed["Responses"].values() for item in items)

        handlers = {"after-call.dynamodb.BatchGetItem": keys}
        async with on_table(moto_address, clock, handlers=handlers) as (journal, _, _):
            await journal.open(a_run())
            await journal.keep(a_note(shelf=f"{NOON:%Y-%m}"))
            assert await listed(journal) == ["run-1"]
        assert read == ["run#run-1"]
