"""What is DynamoDB's own: refusals in words, lost answers, expiry, sizes, and queries instead of scans."""

from __future__ import annotations

import base64
import json
import random
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any
from wsgiref.types import WSGIApplication

import pytest
from aiobotocore.session import AioSession

from hub.errors import InternalError, JournalUnwritable
from hub.journals import Lease, Note, Query
from hub.journals.dynamodb import DynamoDbJournal
from hub.journals.dynamodb_item import (
    CLOSED_BYTES,
    OPEN_BYTES,
    SCHEMA_KEY,
    from_item,
    lease_key,
    run_key,
    schema_item,
    settled_key,
    to_item,
)
from hub.journals.dynamodb_table import ACTIONS, table_definition, time_to_live
from hub.journals.schema import SCHEMA
from hub.model import Call, Outcome, PlannedCall, Run
from tests.hub.journals.servers import serving
from tests.hub.journals.stores import (
    NOON,
    Clock,
    LoopbackIdentity,
    a_run,
    a_table,
    asks_twice,
    listed,
    on_table,
    stored,
)


def welcoming(answer: bytes, status: str) -> WSGIApplication:
    """A DynamoDB that knows its journal's schema and gives the same answer to everything else."""
    welcome = json.dumps({"Item": schema_item(SCHEMA)}).encode()
    asks_for_it = json.dumps(SCHEMA_KEY).encode()

    def app(environ: Any, start_response: Any) -> list[bytes]:
        known = asks_for_it in environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        start_response("200 OK" if known else status, [("Content-Type", "application/x-amz-json-1.0")])
        return [welcome if known else answer]

    return app


def incompressible(size: int) -> str:
    return base64.b64encode(random.Random(7).randbytes(size)).decode()


class TestRefusals:
    @staticmethod
    async def told(journal: DynamoDbJournal) -> list[str]:
        """What every method says, the failure being the same for each."""
        texts = []
        lease = Lease(name="a", owner="o", fence=1, expires_at=NOON)
        note = Note(name="a", body={}, until=NOON, shelf="a")
        for call in (
            lambda: journal.lease("a", owner="o", seconds=1),
            lambda: journal.renew(lease, seconds=1),
            lambda: journal.release(lease),
            lambda: journal.open(a_run()),
            lambda: journal.close(replace(a_run(), outcome=Outcome.FIXED)),
            lambda: journal.mark_undone("run-1", by="run-2"),
            lambda: journal.get("run-1"),
            lambda: listed(journal),
            lambda: journal.settle("occurrence-1", report_id="report-1"),
            lambda: journal.settled("occurrence-1"),
            lambda: journal.note("a"),
            lambda: journal.keep(note),
            lambda: journal.drop(replace(note, version=1)),
            lambda: anext(journal.shelf("a")),
            lambda: journal.tally("a", 1, until=NOON),
            lambda: journal.tally("a", 0, until=NOON),
        ):
            with pytest.raises(JournalUnwritable) as refused:
                await call()
            texts.append(str(refused.value))
        return texts

    async def test_a_missing_table_is_named_with_its_region_at_start_and_later(
        self, moto_address: str, dynalite_address: str, clock: Clock
    ) -> None:
        for address in (moto_address, dynalite_address):
            with pytest.raises(JournalUnwritable) as refused:
                async with on_table(address, clock, table="no-such-table"):
                    pytest.fail("started all the same")
            async with on_table(address, clock) as (journal, identity, table):
                async with identity.client("dynamodb") as client:
                    await client.delete_table(TableName=table)
                texts = await self.told(journal)
            for name, text in [("no-such-table", str(refused.value)), *((table, text) for text in texts)]:
                assert text == (
                    f"journal table {name}: there is no such table in eu-west-1; "
                    "deploy the hub's stack or correct HUB_JOURNAL"
                )

    async def test_a_store_that_cannot_be_reached_is_said_so(self, clock: Clock) -> None:
        with serving(welcoming(b"", "200 OK")) as address:
            journal = DynamoDbJournal(LoopbackIdentity(address, AioSession()), "hub-journal", now=clock)
            await journal.start()
        texts = await self.told(journal)
        await journal.stop()
        with pytest.raises(JournalUnwritable) as refused:
            await journal.start()
        await journal.stop()
        for text in (*texts, str(refused.value)):
            assert "was not answered" in text
            assert "check the network" in text

    @pytest.mark.parametrize(
        ("status", "code", "advice"),
        [
            (400, "AccessDeniedException", r"allow the hub's role dynamodb:[A-Z]\w+ on the table"),
            (400, "UnrecognizedClientException", "allow the hub's role"),
            (400, "ProvisionedThroughputExceededException", "raise the table's capacity"),
            (400, "ThrottlingException", "raise the table's capacity"),
            (400, "RequestLimitExceeded", "try again later"),
            (500, "InternalServerError", "was not answered"),
            (503, "ServiceUnavailable", "was not answered"),
            (400, "ValidationException", "ValidationException: the reason"),
        ],
    )
    async def test_every_refusal_becomes_words_and_no_botocore_error_leaves(
        self, status: int, code: str, advice: str, clock: Clock
    ) -> None:
        answer = json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "the reason"})
        with serving(welcoming(answer.encode(), f"{status} Refused")) as address:
            async with on_table(address, clock, table="hub-journal") as (journal, _, _):
                texts = await self.told(journal)
        assert len(texts) == 16
        for text in texts:
            assert text.startswith("journal table hub-journal: DynamoDB ")
            assert re.search(advice, text)

    async def test_a_journal_used_before_start_or_after_stop_says_so(self, moto_address: str) -> None:
        identity = LoopbackIdentity(moto_address, AioSession())
        journal = DynamoDbJournal(identity, await a_table(identity))
        with pytest.raises(InternalError, match="before start"):
            await journal.get("run-1")
        await journal.start()
        await journal.stop()
        with pytest.raises(InternalError, match="after stop"):
            await journal.get("run-1")


class TestLostAnswers:
    """DynamoDB wrote, its answer got lost, and botocore asked again."""

    async def test_a_lease_that_was_written_is_still_ours(self, moto_address: str, clock: Clock) -> None:
        async with on_table(moto_address, clock, handlers=asks_twice("UpdateItem")) as (journal, _, _):
            lease = await journal.lease("bucket", owner="a", seconds=60)
            assert lease is not None
            assert lease.fence == 1
            assert await journal.lease("bucket", owner="b", seconds=60) is None
            assert await journal.lease("bucket", owner="a", seconds=60) is None
            assert await journal.renew(lease, seconds=60)
            await journal.release(lease)
            second = await journal.lease("bucket", owner="b", seconds=60)
            assert second is not None
            assert second.fence == 2

    async def test_a_run_that_was_written_is_open_or_closed_as_asked(
        self, moto_address: str, dynalite_address: str, clock: Clock
    ) -> None:
        for address in (moto_address, dynalite_address):
            async with on_table(address, clock, handlers=asks_twice("PutItem")) as (journal, _, _):
                assert await journal.open(a_run()) == a_run()
                done = replace(a_run(), outcome=Outcome.FIXED, closed_at=NOON)
                await journal.close(done)
                assert await journal.get("run-1") == done
                await journal.settle("occurrence-1", report_id="report-1")
                assert await journal.settled("occurrence-1") == "report-1"


class TestExpiry:
    async def test_runs_and_settlements_expire_after_the_days_that_were_set(
        self, moto_address: str, clock: Clock
    ) -> None:
        async with on_table(moto_address, clock, keep_days=10) as (journal, identity, table):
            await journal.open(a_run())
            await journal.settle("occurrence-1", report_id="report-1")
            for key in (run_key("run-1"), settled_key("occurrence-1")):
                item = await stored(identity, table, key)
                assert item["expires_at"] == {"N": str(int((NOON + timedelta(days=10)).timestamp()))}

    async def test_a_lease_outlives_every_run_that_may_carry_its_fence(
        self, moto_address: str, clock: Clock
    ) -> None:
        async with on_table(moto_address, clock, keep_days=10) as (journal, identity, table):
            lease = await journal.lease("bucket", owner="a", seconds=60)
            assert lease is not None
            await journal.open(a_run(fence=lease.fence))
            run = await stored(identity, table, run_key("run-1"))
            clock.forward(50)
            await journal.renew(lease, seconds=60)
            await journal.release(lease)
            kept = await stored(identity, table, lease_key("bucket"))
            assert int(kept["expires_at"]["N"]) - int(run["expires_at"]["N"]) == 30 * 86400 + 110
            assert kept["fence"] == {"N": "1"}

    async def test_a_journal_that_keeps_runs_for_ages_still_writes_and_lists(
        self, moto_address: str, clock: Clock
    ) -> None:
        async with on_table(moto_address, clock, keep_days=10**9) as (journal, _, _):
            assert await journal.lease("bucket", owner="a", seconds=60)
            await journal.open(a_run())
            assert await listed(journal, limit=1) == ["run-1"]


class TestSizes:
    async def test_a_large_record_is_packed_and_read_back(
        self, moto_address: str, dynalite_address: str, clock: Clock
    ) -> None:
        run = a_run(before={"rules": ["192.0.2.1/32 größer"] * 60_000})
        for address in (moto_address, dynalite_address):
            async with on_table(address, clock) as (journal, identity, table):
                await journal.open(run)
                item = await stored(identity, table, run_key("run-1"))
                assert "record" not in item
                assert len(item["packed"]["B"]) < 50_000
                assert await journal.get("run-1") == run
                assert [found async for found in journal.runs(Query())] == [run]

    async def test_a_small_record_can_be_read_with_the_naked_eye(
        self, moto_address: str, clock: Clock
    ) -> None:
        async with on_table(moto_address, clock) as (journal, identity, table):
            await journal.open(a_run())
            item = await stored(identity, table, run_key("run-1"))
            assert json.loads(item["record"]["S"])["before"] == {"status": "Off"}
            assert item["v"] == {"N": "1"}

    async def test_a_state_too_large_to_keep_is_refused_and_nothing_is_written(
        self, moto_address: str, clock: Clock
    ) -> None:
        async with on_table(moto_address, clock) as (journal, _, _):
            with pytest.raises(JournalUnwritable, match=r"a DynamoDB journal holds 300000 a run"):
                await journal.open(a_run(before={"text": incompressible(400_000)}))
            assert await journal.get("run-1") is None

    async def test_an_outcome_is_recorded_even_if_the_state_after_it_does_not_fit(
        self, dynalite_address: str, clock: Clock
    ) -> None:
        run = a_run(before={"text": incompressible(280_000)})
        async with on_table(dynalite_address, clock) as (journal, _, _):
            await journal.open(run)
            await journal.close(
                replace(
                    run,
                    outcome=Outcome.FIXED,
                    message="m" * 9000,
                    changed=True,
                    after={"text": incompressible(300_001)},
                    closed_at=NOON,
                )
            )
            kept = await journal.get("run-1")
        assert kept is not None
        assert (kept.outcome, kept.before, kept.after) == (Outcome.FIXED, run.before, None)
        assert kept.notes == ("the state after the change was too large for the journal and is left out",)
        assert kept.message == "m" * 4000

    async def test_a_waiting_run_that_does_not_fit_is_refused_and_nothing_is_written(
        self, dynalite_address: str, clock: Clock
    ) -> None:
        def waiting(run_id: str, size: int) -> Run:
            planned = PlannedCall("s3", "PutBucketPolicy", "eu-west-1", {"Policy": incompressible(size)})
            return a_run(
                run_id, finding={"key": "f"}, planned=(planned,), outcome=Outcome.WAITING, closed_at=NOON
            )

        async with on_table(dynalite_address, clock) as (journal, _, _):
            fits = waiting("fits", 370_000)
            await journal.close(fits)
            assert await journal.get("fits") == fits
            with pytest.raises(JournalUnwritable, match=r"bytes packed, and a DynamoDB journal holds 390000"):
                await journal.close(waiting("too large", 400_000))
            assert await journal.get("too large") is None

    def test_a_run_that_never_had_a_state_after_it_is_not_said_to_lack_it(self) -> None:
        keep = timedelta(days=400)
        text = random.Random(8).randbytes(4_000).hex()

        def run_of(size: int, message: str) -> Run:
            return a_run(
                before={"text": incompressible(size)},
                message=message,
                outcome=Outcome.WAITING,
                closed_at=NOON,
            )

        size = CLOSED_BYTES - 20_000
        free = CLOSED_BYTES - len(to_item(run_of(size, text[:4000]), keep=keep)["packed"]["B"])
        run = run_of(size + free - 1_000, text)
        assert from_item(to_item(run, keep=keep)) == replace(run, message=text[:4000])

    @pytest.mark.parametrize(("outcome", "limit"), [(None, OPEN_BYTES), (Outcome.FIXED, CLOSED_BYTES)])
    def test_the_list_of_calls_goes_before_a_state_would(self, outcome: Outcome | None, limit: int) -> None:
        keep = timedelta(days=400)
        draw = random.Random(7)
        calls = tuple(
            Call(1.5, "s3", "GetObject", "eu-west-1", draw.randbytes(18).hex(), 200, "", shared=False)
            for _ in range(100)
        )

        def run_of(size: int, **more: Any) -> Run:
            state = {"text": incompressible(size)}
            return a_run(before={}, after=state, outcome=outcome, calls_left_out=3, closed_at=NOON, **more)

        free = limit - len(to_item(run_of(limit - 20_000), keep=keep)["packed"]["B"])
        run = run_of(limit - 20_000 + free - 1_000)
        assert from_item(to_item(run, keep=keep)) == run, "it fits without calls"
        kept = from_item(to_item(replace(run, calls=calls), keep=keep))
        assert kept == replace(run, calls=(), calls_left_out=103)

    def test_the_largest_item_stays_under_dynamodbs_limit(self) -> None:
        run = a_run(
            "r" * 900,
            finding_key="f" * 900,
            account_id="a" * 900,
            bot="b" * 900,
            session="s" * 900,
            before={"text": incompressible(380_000)},
            outcome=Outcome.FIXED,
            undone_by="u" * 900,
        )
        item = to_item(run, keep=timedelta(days=400))
        size = sum(len(name) + sum(len(text) for text in value.values()) for name, value in item.items())
        assert 380_000 < size < 400 * 1024

    async def test_a_damaged_item_is_refused_with_its_name(self, moto_address: str, clock: Clock) -> None:
        async with (
            on_table(moto_address, clock) as (journal, identity, table),
            identity.client("dynamodb") as client,
        ):
            for run_id, body in (("1", {"packed": {"B": b"not packed"}}), ("2", {})):
                await client.put_item(TableName=table, Item=run_key(run_id) | body)
                with pytest.raises(JournalUnwritable, match=f"run#{run_id}.*damaged"):
                    await journal.get(run_id)


class TestHistory:
    async def test_the_history_is_queried_and_never_scanned(self, moto_address: str, clock: Clock) -> None:
        calls: list[str] = []

        def note(params: dict[str, Any], model: Any, **_: Any) -> None:
            calls.append(f"{model.name} {params.get('IndexName', '')}".strip())

        async with on_table(moto_address, clock, handlers={"before-parameter-build.dynamodb": note}) as (
            journal, _, _,
        ):  # fmt: skip
            await journal.open(a_run())
            calls.clear()
            assert await listed(journal, limit=1) == ["run-1"]
            assert await listed(journal, finding_key="finding-1") == ["run-1"]
            assert await listed(journal, account_id=a_run().account_id) == ["run-1"]
        read = [
            "Query by-month", "BatchGetItem", "Query by-finding", "BatchGetItem", "Query by-account", "BatchGetItem",
        ]  # fmt: skip
        assert calls[:2] + calls[-4:] == read
        assert set(calls) == set(read)

    async def test_what_a_busy_dynamodb_leaves_out_of_a_batch_is_asked_for_again(
        self, moto_address: str, clock: Clock
    ) -> None:
        def only_half(parsed: dict[str, Any], **_: Any) -> None:
            (table, items), *_none = parsed["Responses"].items()
            if len(items) > 1:
                late = items[1::2]
                del items[1::2]
                parsed["UnprocessedKeys"] = {table: {"Keys": [{"pk": item["pk"]} for item in late]}}

        handlers = {"after-call.dynamodb.BatchGetItem": only_half}
        async with on_table(moto_address, clock, handlers=handlers) as (journal, _, _):
            for i in range(5):
                await journal.open(a_run(f"{i}", opened_at=NOON + timedelta(seconds=i)))
            assert await listed(journal) == ["4", "3", "2", "1", "0"]

    async def test_an_index_that_lags_behind_does_not_make_a_run_match(
        self, moto_address: str, clock: Clock
    ) -> None:
        async with on_table(moto_address, clock) as (journal, identity, table):
            await journal.open(a_run())
            async with identity.client("dynamodb") as client:
                await client.update_item(
                    TableName=table,
                    Key=run_key("run-1"),
                    UpdateExpression="SET outcome = :old",
                    ExpressionAttributeValues={":old": {"S": "denied"}},
                )
            assert await listed(journal, outcome=Outcome.DENIED) == []

    async def test_a_run_that_expires_while_the_history_is_read_is_left_out(
        self, moto_address: str, clock: Clock
    ) -> None:
        def gone(parsed: dict[str, Any], **_: Any) -> None:
            for items in parsed["Responses"].values():
                items[:] = [item for item in items if item["pk"]["S"] != "run#1"]

        handlers = {"after-call.dynamodb.BatchGetItem": gone}
        async with on_table(moto_address, clock, handlers=handlers) as (journal, _, _):
            for i in range(3):
                await journal.open(a_run(f"{i}", opened_at=NOON + timedelta(seconds=i)))
            assert await listed(journal) == ["2", "0"]

    async def test_the_oldest_run_that_is_still_kept_is_listed(self, moto_address: str, clock: Clock) -> None:
        async with on_table(moto_address, clock, keep_days=400) as (journal, _, _):
            await journal.open(a_run("oldest", opened_at=NOON - timedelta(days=400)))
            await journal.open(a_run("of a clock that is ahead", opened_at=NOON + timedelta(hours=20)))
            assert await listed(journal) == ["of a clock that is ahead", "oldest"]


class TestTable:
    async def test_the_table_that_is_made_has_the_shape_that_is_declared(
        self, moto_address: str, dynalite_address: str
    ) -> None:
        wanted = table_definition()
        for address in (moto_address, dynalite_address):
            identity = LoopbackIdentity(address, AioSession())
            table = await a_table(identity)
            async with identity.client("dynamodb") as client:
                made = (await client.describe_table(TableName=table))["Table"]
            assert made["TableStatus"] == "ACTIVE"
            assert made["KeySchema"] == wanted["KeySchema"]
            for name in ("IndexName", "KeySchema", "Projection"):
                assert _by_text(index[name] for index in made["GlobalSecondaryIndexes"]) == _by_text(
                    index[name] for index in wanted["GlobalSecondaryIndexes"]
                )

    def test_every_declared_attribute_is_a_key_and_every_key_is_declared(self) -> None:
        table = table_definition()
        schemas = [table["KeySchema"], *(index["KeySchema"] for index in table["GlobalSecondaryIndexes"])]
        keys = {part["AttributeName"] for schema in schemas for part in schema}
        assert {part["AttributeName"] for part in table["AttributeDefinitions"]} == keys

    def test_each_caller_gets_a_definition_of_its_own(self) -> None:
        table_definition()["KeySchema"].clear()
        assert table_definition()["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
        assert time_to_live() == {"AttributeName": "expires_at", "Enabled": True}

    async def test_the_declared_actions_are_all_the_calls_a_journal_makes(
        self, moto_address: str, clock: Clock
    ) -> None:
        calls: set[str] = set()

        def note(model: Any, **_: Any) -> None:
            calls.add(f"dynamodb:{model.name}")

        async with on_table(moto_address, clock) as (_, _, table):
            handlers = {"before-parameter-build.dynamodb": note}
            async with on_table(moto_address, clock, table=table, handlers=handlers) as (journal, _, _):
                lease = await journal.lease("bucket", owner="a", seconds=60)
                assert lease is not None
                await journal.renew(lease, seconds=60)
                await journal.release(lease)
                await journal.open(a_run())
                await journal.close(replace(a_run(), outcome=Outcome.FIXED, closed_at=NOON))
                await journal.mark_undone("run-1", by="run-2")
                assert await listed(journal) == ["run-1"]
                await journal.settle("occurrence-1", report_id="report-1")
                await journal.settled("occurrence-1")
                kept = await journal.keep(Note(name="a", body={}, until=NOON + timedelta(hours=1), shelf="a"))
                assert kept is not None
                assert [each async for each in journal.shelf("a")] == [kept]
                assert await journal.drop(kept)
                assert await journal.tally("a", 1, until=NOON + timedelta(hours=1)) == 1
        assert calls == set(ACTIONS)


def _by_text(parts: Any) -> list[str]:
    return sorted(map(str, parts))
