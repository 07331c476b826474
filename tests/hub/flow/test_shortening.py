"""Reports that are too long are cut in an order that keeps what matters most."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.flow.report import as_json, document, shortened, text
from hub.model import Outcome, PlannedCall, Run
from tests.hub.sample_reports import a_report, a_run

SNS = 262_144
Document = dict[str, Any]
# One, two, three and four bytes, and what JSON doubles.
letters = st.sampled_from(["a", "ü", "語", "🪣", '"', "\\", "\n"])
sizes = st.sampled_from([0, 1, 40, 300, 3000])


def entries(told: Document) -> list[Document]:
    found: list[Document] = told["Rules violations found"]
    return found


@st.composite
def runs(draw: st.DrawFn) -> Run:
    letter = draw(letters)
    return a_run(
        draw(st.integers(0, 10**6)),
        outcome=draw(st.sampled_from(Outcome)),
        message=letter * draw(sizes),
        entity_name=letter * draw(sizes),
        rule=letter * draw(sizes),
        args=(letter * draw(sizes), letter) * draw(st.sampled_from([0, 1, 30])),
        notes=(letter,) * draw(st.sampled_from([0, 2, 400])),
        before={"x": letter * draw(sizes)},
        after={letter: letter * draw(sizes)},
        planned=(PlannedCall("s3", "PutThing", "eu-west-1", {letter: letter * draw(sizes)}),)
        * draw(st.sampled_from([0, 1, 40])),
    )


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(
    found=st.lists(runs(), max_size=4),
    copies=st.sampled_from([1, 1, 30]),
    head=letters,
    size=sizes,
    limit=st.sampled_from([4096, 20_000, SNS]),
    as_text=st.booleans(),
)
def test_any_report_fits_and_no_entry_vanishes_uncounted(
    found: list[Run], copies: int, head: str, size: int, limit: int, as_text: bool
) -> None:
    word = head * size
    report = a_report(
        *found * copies, key=word, severity=word, account_name=word, notes=(word,) * 9, error=word
    )
    whole = document(report)
    form = text if as_text else as_json
    told = shortened(whole, limit, form=form)
    assert len(form(told).encode()) <= limit
    assert json.loads(as_json(told)) == told
    kept = entries(told)
    statuses = sorted(entry["Execution status"] for entry in entries(whole))
    left_out = [status for status, count in told.get("Statuses left out", {}).items() for _ in range(count)]
    assert sorted([entry["Execution status"] for entry in kept] + left_out) == statuses
    assert told.get("Entries left out", 0) == len(left_out)
    assert all(isinstance(entry["Bot message"], str) and entry["Bot message"] for entry in kept)
    assert told["Report id"] == report.report_id


def test_a_report_that_fits_stays_as_it_is() -> None:
    told = document(a_report(a_run(1), a_run(2)))
    assert shortened(told, SNS) == told


def test_planned_calls_go_with_the_snapshots_before_anything_else_is_cut() -> None:
    calls = (PlannedCall("s3", "PutBucketPolicy", "eu-west-1", {"Policy": "x" * 9000}),)
    told = document(a_report(a_run(1, planned=calls), a_run(2)))
    (large, small) = entries(shortened(told, 6000))
    assert large["Planned calls"] is large["Before"] is None
    assert "hub history" in large["Bot message"]
    assert small == entries(told)[1]


def test_the_document_given_is_not_changed() -> None:
    told = document(a_report(a_run(before={"x": "y" * 5000}, message="m" * 5000)))
    copy = json.loads(as_json(told))
    shortened(told, 4096)
    assert told == copy


def test_the_largest_snapshot_goes_first_and_the_others_stay() -> None:
    told = shortened(
        document(a_report(a_run(1), a_run(2, before={"x": "y" * 9000}), a_run(3, before={"x": "y" * 700}))),
        8000,
    )
    first, second, third = entries(told)
    assert first["Before"] == {"status": "Off"}
    assert third["Before"] == {"x": "y" * 700}
    assert (second["Before"], second["After"]) == (None, None)
    assert second["Bot message"].endswith(
        "it is Enabled ... (shortened; full text: hub history 00000000000000000002)"
    )
    assert "shortened" not in first["Bot message"]


def test_only_texts_that_are_long_are_cut_and_the_message_says_so() -> None:
    told = shortened(
        document(a_report(a_run(1, before=None, after=None, message="語" * 3000), a_run(2))), 8000
    )
    first, second = entries(told)
    assert first["Bot message"].startswith("語語語")
    assert first["Bot message"].endswith("… ... (shortened; full text: hub history 00000000000000000001)")
    assert len(first["Bot message"].encode()) < 7000
    assert first["Rule"] == "S3 bucket without versioning"
    assert second["Bot message"].endswith(
        "it is Enabled ... (shortened; full text: hub history 00000000000000000002)"
    )
    assert (second["Before"], second["Parameters"], second["Region"]) == (None, [], "eu-west-1")


def test_a_long_list_is_cut_to_its_first_elements_and_a_count() -> None:
    told = shortened(document(a_report(a_run(notes=tuple(f"note {n}" for n in range(2000))))), 8000)
    notes = entries(told)[0]["Notes"]
    assert notes[0] == "note 0"
    assert notes[-1] == f"… {2000 - len(notes) + 1} more"


def test_hundreds_of_entries_keep_what_they_are_about_and_how_they_ended() -> None:
    many = (a_run(n, outcome=Outcome.DENIED, message="x" * 2000) for n in range(500))
    told = shortened(document(a_report(*many)), SNS)
    assert "Entries left out" not in told
    assert {len(entries(told)), *(e["Execution status"] for e in entries(told))} == {500, "failed"}
    assert {entry["Rule"] for entry in entries(told)} == {"S3 bucket without versioning"}


def test_thousands_of_entries_keep_their_status_and_run() -> None:
    told = shortened(document(a_report(*(a_run(n) for n in range(1800)))), SNS)
    assert "Entries left out" not in told
    assert [entry["Run"] for entry in entries(told)] == [f"{n:020x}" for n in range(1800)]
    assert {entry["Execution status"] for entry in entries(told)} == {"passed"}
    assert told["Account id"] == "222233334444"


def test_when_not_all_entries_fit_the_failed_ones_stay_and_the_rest_is_counted() -> None:
    many = (a_run(n, outcome=Outcome.DENIED if n % 100 == 99 else Outcome.FIXED) for n in range(9000))
    told = shortened(document(a_report(*many)), SNS)
    kept = entries(told)
    assert sum(entry["Outcome"] == "denied" for entry in kept) == 90
    assert told["Entries left out"] == 9000 - len(kept)
    assert told["Statuses left out"] == {"passed": 9000 - len(kept)}
    assert [entry["Run"] for entry in kept] == sorted(entry["Run"] for entry in kept)
    assert len(as_json(told).encode()) > SNS - 300


def test_a_limit_that_no_report_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="4095 bytes"):
        shortened(document(a_report()), 4095)
