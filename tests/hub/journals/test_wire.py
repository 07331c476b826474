from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.errors import InternalError, JournalUnwritable
from hub.journals import Note
from hub.journals.dynamodb_item import from_item, months_back, to_item
from hub.journals.schema import SCHEMA
from hub.journals.wire import (
    dumps,
    from_json,
    from_microseconds,
    index_text,
    loads,
    microseconds,
    note_text,
    to_json,
    to_note,
    utc_text,
)
from hub.model import Call, Decision, Outcome, PlannedCall, Run, Verdict
from tests.hub.journals.stores import NOON, a_run

TEXT = st.text(st.characters(), max_size=40)  # lone surrogates and control characters too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)
SNAPSHOT = st.none() | st.dictionaries(TEXT, JSON, max_size=4)
MOMENT = st.datetimes(
    min_value=datetime(1971, 1, 1),  # noqa: DTZ001 - the zone is drawn beside it
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
CALLS = st.builds(
    Call,
    at=st.floats(0, 10**10),
    service=TEXT,
    operation=TEXT,
    region=TEXT,
    request_id=TEXT,
    status=st.integers(0, 599),
    error=TEXT,
    shared=st.booleans(),
)
WORDS = st.builds(
    Verdict,
    decision=st.sampled_from(Decision),
    guard=TEXT,
    why=TEXT,
    until=st.none() | MOMENT,
    expires_at=st.none() | MOMENT,
)
PLANNED = st.builds(
    PlannedCall, service=TEXT, operation=TEXT, region=TEXT, params=st.dictionaries(TEXT, JSON, max_size=3)
)
RUNS = st.builds(
    Run,
    run_id=TEXT,
    occurrence=TEXT,
    finding_key=TEXT,
    account_id=TEXT,
    bot=TEXT,
    args=st.lists(TEXT, max_size=3).map(tuple),
    notes=st.lists(TEXT, max_size=3).map(tuple),
    entity_id=st.none() | TEXT,
    outcome=st.none() | st.sampled_from(Outcome),
    changed=st.booleans(),
    before=SNAPSHOT,
    after=SNAPSHOT,
    session=TEXT,
    fence=st.integers(0, 10**12),
    opened_at=MOMENT,
    closed_at=st.none() | MOMENT,
    undone_by=st.none() | TEXT.filter(bool),
    decided_by=TEXT,
    verdicts=st.none() | st.lists(WORDS, max_size=3).map(tuple),
    calls=st.none() | st.lists(CALLS, max_size=3).map(tuple),
    calls_left_out=st.integers(0, 10**6),
    finding=SNAPSHOT,
    planned=st.none() | st.lists(PLANNED, max_size=3).map(tuple),
    resumes=st.none() | TEXT,
    approved_by=TEXT,
)


# A busy machine must not fail a test.
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@steady
@given(RUNS)
def test_a_run_survives_being_written_and_read(run: Run) -> None:
    read = loads(dumps(run))
    assert read == run
    assert isinstance(read.args, tuple)
    assert read.opened_at.tzinfo is not None


@steady
@given(RUNS)
def test_a_run_survives_as_a_dynamodb_item(run: Run) -> None:
    assert from_item(to_item(run, keep=timedelta(days=400))) == run


@steady
@given(RUNS)
def test_written_text_is_ascii_and_a_json_object_of_this_version(run: Run) -> None:
    text = dumps(run)
    assert text.isascii()
    assert json.loads(text)["v"] == SCHEMA.needs


def test_a_run_of_a_hub_that_knew_no_rules_is_read() -> None:
    record = to_json(a_run())
    del record["decided_by"]
    assert from_json(record).decided_by == ""


def test_every_fact_of_a_run_is_written() -> None:
    assert set(to_json(a_run())) == {field.name for field in fields(Run)} | {"v"}


def test_times_are_written_in_utc_with_their_zone() -> None:
    berlin = NOON.astimezone(timezone(timedelta(hours=1)))
    assert to_json(a_run(opened_at=berlin))["opened_at"] == "2026-11-24T12:00:00.000000+00:00"


@steady
@given(MOMENT, MOMENT)
def test_texts_and_numbers_of_times_sort_as_the_times_do(one: datetime, two: datetime) -> None:
    assert (utc_text(one) < utc_text(two)) == (one < two)
    assert (microseconds(one) < microseconds(two)) == (one < two)


@pytest.mark.parametrize("write", [utc_text, microseconds])
def test_a_time_without_a_zone_is_a_defect(write: Any) -> None:
    with pytest.raises(InternalError, match="without a zone"):
        write(NOON.replace(tzinfo=None))


def test_a_record_of_a_newer_hub_is_refused_with_advice() -> None:
    with pytest.raises(JournalUnwritable, match="update this hub"):
        from_json(to_json(a_run()) | {"v": SCHEMA.version + 1})


def test_a_fact_this_hub_does_not_know_is_passed_over() -> None:
    assert from_json(to_json(a_run()) | {"mood": "good"}) == a_run()


def test_a_record_from_before_a_fact_was_added_gets_its_default() -> None:
    record = to_json(a_run())
    del record["notes"]
    assert from_json(record) == replace(a_run(), notes=())


def test_a_record_from_before_guards_and_calls_were_kept_says_so() -> None:
    full = a_run(verdicts=(), calls=(), calls_left_out=3)
    record = to_json(full)
    for name in ("verdicts", "calls", "calls_left_out"):
        del record[name]
    read = from_json(record)
    assert (read.verdicts, read.calls, read.calls_left_out) == (None, None, 0)


def test_a_record_from_before_anybody_was_waited_for_says_so() -> None:
    word = Verdict(decision=Decision.WAIT, guard="window", why="closed")
    planned = (PlannedCall("s3", "PutBucketVersioning", "eu-west-1", {}),)
    record = to_json(
        a_run(
            verdicts=(replace(word, until=NOON, expires_at=NOON),),
            finding={"occurrence": "o"},
            planned=planned,
            resumes="run-0",
            approved_by="ada",
        )
    )
    for name in ("finding", "planned", "resumes", "approved_by"):
        del record[name]
    del record["verdicts"][0][3:]
    assert from_json(record) == a_run(verdicts=(word,))


def test_what_a_newer_hub_adds_to_a_call_or_a_word_is_passed_over() -> None:
    call = Call(1.5, "s3", "HeadBucket", "eu-west-1", "id", 200, "", shared=False)
    planned = PlannedCall("s3", "PutBucketVersioning", "eu-west-1", {"Bucket": "b"})
    run = a_run(calls=(call,), planned=(planned,), verdicts=(Verdict(decision=Decision.GO, guard="mode"),))
    record = to_json(run)
    for name in ("calls", "planned", "verdicts"):
        record[name][0].append("more")
    assert from_json(record) == run


def test_hubs_of_schema_2_read_the_words_of_guards_that_tell_times() -> None:
    word = Verdict(decision=Decision.WAIT, guard="window", why="closed", until=NOON)
    # They unpack three.
    assert to_json(a_run(verdicts=(word,)))["verdicts"][0][:3] == ["window", "wait", "closed"]


@steady
@given(TEXT, TEXT, st.dictionaries(TEXT, JSON, max_size=4), MOMENT, st.integers(1, 10**12))
def test_a_note_survives_being_written_and_read(
    name: str, shelf: str, body: dict[str, Any], until: datetime, version: int
) -> None:
    note = Note(name=name, shelf=shelf, body=body, until=until, version=version)
    text = note_text(note)
    assert text.isascii()
    assert to_note(text, until=from_microseconds(microseconds(until)), version=version) == note


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"v": 1, "name": "a", "shelf": ""}'])
def test_a_damaged_note_is_refused(text: str) -> None:
    with pytest.raises(JournalUnwritable, match=r"damaged|no version"):
        to_note(text, until=NOON, version=1)


def test_a_note_of_a_newer_hub_is_refused_with_advice() -> None:
    with pytest.raises(JournalUnwritable, match="update this hub"):
        to_note(json.dumps({"v": SCHEMA.version + 1}), until=NOON, version=1)


def damaged() -> Iterator[str]:
    good = to_json(a_run())
    yield "{"
    yield "[]"
    yield json.dumps({name: value for name, value in good.items() if name != "v"})
    yield json.dumps({name: value for name, value in good.items() if name != "run_id"})
    yield json.dumps(good | {"outcome": "splendid"})
    yield json.dumps(good | {"opened_at": "yesterday"})
    yield json.dumps(good | {"args": 7})
    yield json.dumps(good | {"calls": [["s3"]]})
    yield json.dumps(good | {"verdicts": [["mode", "perhaps", ""]]})
    yield json.dumps(good | {"verdicts": [["mode", "wait", "", "soon"]]})
    yield json.dumps(good | {"planned": [["s3"]]})


@pytest.mark.parametrize("text", list(damaged()))
def test_a_damaged_record_is_refused(text: str) -> None:
    with pytest.raises(JournalUnwritable, match=r"damaged|no version"):
        loads(text)


@pytest.mark.parametrize(
    "state", [{"when": NOON}, {"which": {1, 2}}, {"raw": b"bytes"}], ids=["time", "set", "bytes"]
)
def test_a_state_that_json_cannot_hold_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(JournalUnwritable, match="s3_enable_versioning"):
        dumps(a_run(before=state))


@steady
@given(TEXT | st.text(min_size=400, max_size=2000))
def test_what_is_indexed_fits_a_key_and_is_valid_text(text: str) -> None:
    assert len(index_text(text).encode()) <= 900


@steady
@given(TEXT, TEXT)
def test_different_texts_are_indexed_differently(one: str, two: str) -> None:
    assert (index_text(one) == index_text(two)) == (one == two)


def test_months_go_back_across_the_turn_of_a_year() -> None:
    oldest = datetime(2025, 11, 30, 23, 59, tzinfo=UTC)
    assert months_back(datetime(2026, 2, 1, tzinfo=UTC), oldest) == [
        "2026-02",
        "2026-01",
        "2025-12",
        "2025-11",
    ]
    assert months_back(oldest, datetime(2026, 2, 1, tzinfo=UTC)) == []
