"""The published report, key by key."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import __version__
from hub.flow.report import as_json, attributes, document, report_id, text
from hub.model import Outcome, PlannedCall
from tests.hub.sample_reports import KEY, a_report, a_run, wanting_feedback

# What readers of the CloudBots report index by, in its order.
OLD_KEYS = [
    "ReportTime", "logsHttpEndpoint", "logsHttpEndpointKey", "logsHttpEndpointStreamName",
    "logsHttpEndpointStreamPartitionKey", "dome9AccountId", "executionId", "vendor", "Account id", "findingKey",
    "Rules violations found",
]  # fmt: skip
OLD_ENTRY_KEYS = ["Rule", "ID", "Name", "Remediation", "Execution status", "Bot message"]
FAILED = {
    Outcome.UNPROVEN, Outcome.INVALID, Outcome.UNREACHABLE, Outcome.DENIED, Outcome.THROTTLED,
    Outcome.FAILED, Outcome.INTERRUPTED,
}  # fmt: skip
STATUS = {
    Outcome.COMPLIANT: "passed", Outcome.FIXED: "passed", Outcome.RESTORED: "passed",
    Outcome.WOULD_FIX: "dry run", Outcome.WAITING: "pending", Outcome.REFUSED: "skipped",
    Outcome.GONE: "skipped", **dict.fromkeys(FAILED, "failed"),
}  # fmt: skip

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def entry_of(**changes: Any) -> dict[str, Any]:
    entry: dict[str, Any] = document(a_report(a_run(**changes)))["Rules violations found"][0]
    return entry


def test_the_old_keys_come_first_in_their_order_and_the_added_ones_after_them() -> None:
    told = document(a_report(a_run()))
    assert list(told) == [
        *OLD_KEYS, "Report id", "Schema version", "Hub version", "Severity", "Account name"
    ]  # fmt: skip


def test_an_entry_has_the_old_keys_first_in_their_order_and_the_added_ones_after_them() -> None:
    assert list(entry_of()) == [
        *OLD_ENTRY_KEYS, "Outcome", "Changed", "Region", "Account name", "Resource type", "Parameters", "Run",
        "Undo", "Duration", "Session", "Notes", "Before", "After",
    ]  # fmt: skip


def test_what_the_finding_said_is_reported_as_received() -> None:
    report = a_report(a_run(), dome9_account_id="10001", execution_id="5f0d0a55", vendor="Aws")
    told = document(report)
    assert [told[key] for key in OLD_KEYS[5:10]] == [
        "10001", "5f0d0a55", "Aws", "222233334444", "5lIxe4s1b+rAiwGSEF5d4Q"
    ]  # fmt: skip
    assert told["ReportTime"] == "2026-11-02T08:14:27.318Z"
    assert (told["Severity"], told["Account name"]) == ("High", "workload-dev")
    assert (told["Report id"], told["Hub version"]) == (report.report_id, __version__)


def test_an_entry_tells_rule_resource_bot_and_how_it_went() -> None:
    entry = entry_of(args=("scope=0.0.0.0/0", "two words"), notes=("costs grow",))
    assert entry == {
        "Rule": "S3 bucket without versioning",
        "ID": "my-bucket",
        "Name": "my-bucket",
        "Remediation": "s3_enable_versioning",
        "Execution status": "passed",
        "Bot message": "versioning of bucket my-bucket is Off; changed, and read again: it is Enabled",
        "Outcome": "fixed",
        "Changed": True,
        "Region": "eu-west-1",
        "Account name": "workload-dev",
        "Resource type": "AWS::S3::Bucket",
        "Parameters": ["scope=0.0.0.0/0", "two words"],
        "Run": "00000000000000000001",
        "Undo": {"degree": "nearest", "how": "hub undo 00000000000000000001"},
        "Duration": 1.25,
        "Session": "hub.s3_enable_versioning.0a1b2c3d4e5f",
        "Notes": ["costs grow"],
        "Before": {"status": "Off"},
        "After": {"status": "Enabled"},
    }


def test_the_feedback_fields_are_null_even_when_the_finding_has_them() -> None:
    told = document(a_report(a_run(), feedback=wanting_feedback("https://feedback.example.invalid/x")))
    assert [told[key] for key in OLD_KEYS[1:5]] == [None, None, None, None]
    assert KEY not in as_json(told)
    assert "feedback.example.invalid" not in as_json(told)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_every_outcome_gives_an_entry_with_a_status_and_a_message(outcome: Outcome) -> None:
    entry = entry_of(outcome=outcome, message="")
    assert entry["Execution status"] == STATUS[outcome]
    assert entry["Outcome"] == outcome.value
    assert outcome.value in entry["Bot message"]


def test_a_run_that_never_ended_is_reported_as_interrupted_and_failed() -> None:
    entry = entry_of(outcome=None, closed_at=None)
    assert (entry["Outcome"], entry["Execution status"], entry["Duration"]) == ("interrupted", "failed", 0.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"changed": False},
        {"undo": "none"},
        {"undone_by": "00000000000000000009"},
        {"undo_of": "00000000000000000009", "outcome": Outcome.RESTORED},
    ],
)
def test_no_undo_command_is_offered_where_there_is_nothing_to_undo(changes: dict[str, Any]) -> None:
    assert entry_of(**changes)["Undo"]["how"] is None


def test_an_undo_names_the_run_it_took_back() -> None:
    assert entry_of(undo_of="00000000000000000009")["Undo of"] == "00000000000000000009"


def test_calls_that_would_be_made_are_told_without_secrets() -> None:
    calls = (PlannedCall("s3", "PutBucketTagging", "eu-west-1", {"Bucket": "b", "Tags": [KEY]}),)
    run = a_run(outcome=Outcome.WOULD_FIX, planned=calls)
    told = document(a_report(run, feedback=wanting_feedback("https://logs.example.com")))
    assert told["Rules violations found"][0]["Planned calls"] == [
        {
            "service": "s3",
            "operation": "PutBucketTagging",
            "region": "eu-west-1",
            "params": {"Bucket": "b", "Tags": ["[secret removed]"]},
        }
    ]
    assert "Planned calls" not in entry_of()


def test_a_failure_of_the_whole_message_has_its_own_key_and_keeps_the_entries_made_so_far() -> None:
    told = document(a_report(a_run(), error="not JSON: line 1"))
    assert told["Handle event failed"] == "not JSON: line 1"
    assert len(told["Rules violations found"]) == 1
    assert document(a_report(error="not JSON"))["Rules violations found"] == []


def test_remarks_of_the_dialect_are_reported() -> None:
    assert document(a_report(a_run(), notes=("3 was ignored",)))["Finding notes"] == ["3 was ignored"]


@given(before=json_values, message=st.text(), name=st.text())
def test_whatever_a_finding_or_a_snapshot_holds_the_report_is_strict_json_that_utf8_can_carry(
    before: object, message: str, name: str
) -> None:
    report = a_report(
        a_run(before={"x": before}, message=message, entity_name=name, bot=name), key=name, account_id=name
    )
    raw = as_json(document(report)).encode()

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    assert json.loads(raw, parse_constant=refuse) == document(report)


@pytest.mark.parametrize(
    ("before", "shown"),
    [
        ({"at": datetime(2026, 1, 2, tzinfo=UTC)}, {"at": "2026-01-02 00:00:00+00:00"}),
        ({1: "one", None: ("two",)}, {"1": "one", "None": ["two"]}),
        ({"x": float("inf")}, {"x": "inf"}),
        ({"n": 10**5000}, {"n": "a number too long to show"}),
        ({"half": "\ud800", "escape": "\x1b[31m"}, {"half": "\ufffd", "escape": "\ufffd[31m"}),
    ],
)
def test_values_that_json_does_not_know_are_shown_as_text(before: object, shown: object) -> None:
    assert entry_of(before=before)["Before"] == shown


def test_a_snapshot_nested_without_end_is_cut_off() -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    assert "nested too deep" in as_json(entry_of(before=endless))


def test_text_has_the_shape_of_the_old_text_report() -> None:
    lines = text(document(a_report(a_run(1), a_run(2, outcome=Outcome.DENIED)))).splitlines()
    assert lines[:2] == ["ReportTime: 2026-11-02T08:14:27.318Z", " logsHttpEndpoint: null"]
    start = lines.index("Rule violations found:")
    assert lines[start + 1 : start + 7] == [
        "Rule: S3 bucket without versioning",
        " ID: my-bucket",
        " Name: my-bucket",
        " Remediation: s3_enable_versioning",
        " Execution status: passed",
        "Bot message: versioning of bucket my-bucket is Off; changed, and read again: it is Enabled",
    ]
    assert lines.count("Rule: S3 bucket without versioning") == 2
    assert lines.count(" Execution status: failed") == 1


def test_a_line_break_in_a_name_cannot_forge_a_line_of_the_text_report() -> None:
    told = document(a_report(a_run(entity_name="x\n Execution status: passed", outcome=Outcome.DENIED)))
    lines = text(told).splitlines()
    assert [line for line in lines if line.startswith(" Execution status")] == [" Execution status: failed"]


@given(told=st.dictionaries(st.text(), json_values, max_size=5), entries=json_values)
def test_text_takes_any_value_without_a_crash(told: dict[str, Any], entries: object) -> None:
    lines = text(told | {"Rules violations found": entries})
    assert "Rule violations found:\n" in lines
    lines.encode()


def test_a_report_has_the_same_id_whoever_works_it_out() -> None:
    assert report_id("occurrence-1") == report_id("occurrence-1") != report_id("occurrence-2")
    assert report_id("half \ud800").isalnum()


@pytest.mark.parametrize(
    ("outcomes", "status", "outcome"),
    [
        ((Outcome.FIXED, Outcome.COMPLIANT), "passed", "fixed"),
        ((Outcome.RESTORED,), "passed", "restored"),
        ((Outcome.FIXED, Outcome.GONE), "skipped", "gone"),
        ((Outcome.REFUSED, Outcome.WOULD_FIX), "dry run", "would-fix"),
        ((Outcome.WOULD_FIX, Outcome.WAITING), "pending", "waiting"),
        ((Outcome.FIXED, Outcome.WAITING, Outcome.DENIED), "failed", "denied"),
        ((Outcome.DENIED, Outcome.UNPROVEN), "failed", "unproven"),
        ((), "failed", "invalid"),
    ],
)
def test_a_report_is_filtered_by_its_worst_entry(
    outcomes: tuple[Outcome, ...], status: str, outcome: str
) -> None:
    found = attributes(a_report(*(a_run(n, outcome=each) for n, each in enumerate(outcomes))))
    assert (found["status"], found["outcome"]) == (status, outcome)


@pytest.mark.parametrize("outcome", list(Outcome))
def test_status_and_outcome_of_a_report_with_one_entry_are_the_entrys(outcome: Outcome) -> None:
    found = attributes(a_report(a_run(outcome=outcome)))
    assert (found["status"], found["outcome"]) == (STATUS[outcome], outcome.value)


@given(outcomes=st.lists(st.sampled_from(Outcome), min_size=1, max_size=6))
def test_the_worst_outcome_and_the_worst_status_agree(outcomes: list[Outcome]) -> None:
    found = attributes(a_report(*(a_run(n, outcome=each) for n, each in enumerate(outcomes))))
    assert found["status"] == STATUS[Outcome(found["outcome"])]


def test_a_message_that_failed_as_a_whole_is_filtered_as_failed() -> None:
    found = attributes(a_report(a_run(), error="the region is unknown"))
    assert (found["status"], found["outcome"]) == ("failed", "invalid")


@pytest.mark.parametrize(
    ("outcomes", "needs"),
    [
        ((Outcome.FIXED, Outcome.COMPLIANT), "false"),
        ((Outcome.UNREACHABLE,), "false"),  # passes by itself
        ((Outcome.FIXED, Outcome.WAITING), "true"),
        ((Outcome.THROTTLED, Outcome.INVALID), "true"),  # though the worst of the two passes by itself
    ],
)
def test_mailboxes_can_ask_for_what_needs_a_person(outcomes: tuple[Outcome, ...], needs: str) -> None:
    runs = (a_run(n, outcome=each) for n, each in enumerate(outcomes))
    assert attributes(a_report(*runs))["needsPerson"] == needs


def test_a_message_that_failed_as_a_whole_needs_a_person() -> None:
    assert attributes(a_report(error="the region is unknown"))["needsPerson"] == "true"


def test_attributes_name_account_finding_severity_bots_and_report() -> None:
    report = a_report(a_run(1), a_run(2, bot="tag_ec2_resource"), a_run(3))
    found = attributes(report)
    assert found["accountId"] == "222233334444"
    assert found["findingKey"] == "5lIxe4s1b+rAiwGSEF5d4Q"
    assert found["severity"] == "High"
    assert found["reportId"] == report.report_id
    assert json.loads(found["bots"]) == ["s3_enable_versioning", "tag_ec2_resource"]


@given(word=st.text(max_size=3000), bots=st.lists(st.text(max_size=2000), max_size=5))
def test_no_attribute_is_empty_or_large(word: str, bots: list[str]) -> None:
    runs = (a_run(n, bot=bot) for n, bot in enumerate(bots))
    found = attributes(a_report(*runs, severity=word, key=word, account_id=word))
    assert all(found.values())
    assert sum(len(value.encode()) for value in found.values()) < 8192
    assert len(found) <= 10  # SQS drops raw messages with more
