"""CloudGuard messages, new and old, read into the hub's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hub.aws.regions import resolve
from hub.dialects import Dialect
from hub.dialects.cloudguard import CloudGuard
from hub.errors import FindingUnreadable
from hub.flow.ingest import from_lambda, unwrap
from hub.flow.normalise import normalise
from hub.model import Finding
from tests.data import cloudguard as samples
from tests.data.cloudguard import document, expected

KEY = "EXAMPLE-not-a-real-key"


def read(found: dict[str, Any]) -> Finding:
    return CloudGuard().read(found, occurrence="o")


def sample(name: str) -> Finding:
    """The finding in the file, out of whatever envelope it is in."""
    text = samples.text(name)
    if "Records" in json.loads(text):
        (record,) = from_lambda(json.loads(text))
        return normalise(record.message)
    return normalise(unwrap(text))


def minimal(**more: Any) -> dict[str, Any]:
    """The least a message needs."""
    return {"account": {"id": "222233334444"}, "rule": {"name": "a rule"}, **more}


def test_every_sample_has_its_expectation() -> None:
    assert sorted(expected()) == samples.names()


@pytest.mark.parametrize("name", samples.names())
def test_every_sample_is_read_as_expected(name: str) -> None:
    want, found = expected()[name], sample(name)
    assert found.dialect == "cloudguard"
    assert found.key == want["key"]
    assert found.account_id == want.get("account_id", "222233334444")
    assert found.passed == want.get("passed", False)
    assert found.region == want["region"]
    assert resolve(found.region) == want["means"]
    assert found.entity_id == want["entity_id"]
    assert [[action.bot, *action.args] for action in found.actions] == want["actions"]
    assert found.event_time == want.get("event_time")
    assert (found.feedback is not None) == want.get("feedback", False)
    assert len(found.notes) == want.get("notes", 0)
    for action in found.actions:
        assert want.get("policy_with", "") in (action.suggested_policy or "")


@pytest.mark.parametrize("name", samples.names())
def test_every_sample_is_recognised_and_other_formats_are_not(name: str) -> None:
    dialect: Dialect = CloudGuard()
    found = document(name)
    enveloped = "Records" in found or "Message" in found
    assert dialect.recognises(found) is not enveloped


@pytest.mark.parametrize(
    "other",
    [
        {},
        {"Type": "Notification", "Message": "{}"},
        {"SchemaVersion": "2018-10-08", "AwsAccountId": "222233334444", "Region": "us-east-1", "Title": "t"},
        {"class_uid": 2003, "status": "New", "severity": "High", "cloud": {"account": {"uid": "1"}}},
        {
            "version": "0",
            "source": "aws.securityhub",
            "account": "222233334444",
            "region": "us-east-1",
            "detail": {},
        },
    ],
)
def test_messages_of_other_systems_are_not_taken_for_cloudguards(other: dict[str, Any]) -> None:
    assert not CloudGuard().recognises(other)


def test_the_fields_of_a_report_are_read() -> None:
    found = read(document("14_feedback_endpoint.json"))
    assert found.rule.startswith("Ensure no security groups")
    assert (found.rule_id, found.severity) == ("D9.AWS.NET.01", "High")
    assert found.ruleset == "Workload baseline"
    assert (found.account_name, found.vendor) == ("workload-dev", "AWS")
    assert found.report_time == "2026-11-02T08:14:27.318Z"
    assert found.execution_id == "5f0d0a55-7a0c-4f0f-9d7e-7d1f8a6c2b10"
    assert found.dome9_account_id == "10001"
    assert found.entity_name == "dome9-test-sg"
    assert found.occurrence == "o"


def test_pascalcase_keys_are_read_down_to_the_entitys_own() -> None:
    found = read(document("16_pascalcase_2018.json"))
    assert (found.rule, found.severity, found.vendor) == ("Security groups that nothing uses", "Low", "Aws")
    assert found.report_time == "2018-01-09T11:02:03.7Z"
    assert (found.entity_id, found.entity_name) == ("sg-0badc0de", "left-over")
    assert found.entity["type"] == "SecurityGroup"
    assert found.entity["description"] == "left over"
    assert found.entity["vpc"]["Id"] == "vpc-0123abcd", "what is inside keeps its case"


def test_a_key_in_its_usual_case_wins_over_the_old_one() -> None:
    found = read(minimal(findingKey="new", FindingKey="old", entity={"id": None, "Id": "old"}))
    assert found.key == "new"
    assert found.entity_id is None


@pytest.mark.parametrize("bundle", [None, "CIS", ["CIS"], {}, {"name": None}, {"name": {}}])
def test_a_ruleset_that_cannot_be_read_is_none_and_spoils_nothing(bundle: Any) -> None:
    assert read(minimal(bundle=bundle)).ruleset == ""


def test_the_least_a_message_can_hold_is_enough() -> None:
    found = read(minimal())
    assert (found.key, found.report_time, found.region, found.vendor) == ("N.A", "N.A", "", "")
    assert (found.entity, found.actions, found.notes, found.feedback) == ({}, (), (), None)
    assert (found.execution_id, found.dome9_account_id, found.event_time) == (None, None, None)
    assert not found.passed


def test_null_counts_as_absent_everywhere_but_in_the_account() -> None:
    full = document("06_lambda_logic_alert.json")
    nothing = {key: None for key in (*full, "logsHttpEndpoint", "executionId") if key != "account"}
    assert read({**nothing, "account": full["account"]}) == read({"account": full["account"]})


@pytest.mark.parametrize("status", ["Passed", "passed", "PASSED", " Passed "])
def test_passed_in_any_case_is_passed_and_asks_for_nothing(status: str) -> None:
    found = read(minimal(status=status, remediationActions=["bot"]))
    assert found.passed
    assert found.actions == ()


@pytest.mark.parametrize("status", ["Failed", "failed", "", None, "Pass", "Not Passed", True, 1, ["Passed"]])
def test_any_other_status_is_failed(status: Any) -> None:
    found = read(minimal(status=status, remediationActions=["bot"]))
    assert not found.passed
    assert found.actions


@pytest.mark.parametrize(
    ("account", "said"),
    [
        ({}, "account.id must be a text of 12 digits, it is missing"),
        ({"id": None}, "missing"),
        ({"id": " "}, "missing"),
        ({"name": "x"}, "missing"),
        ({"id": 2222.5}, "a number"),
        ({"id": True}, "true or false"),
        ({"id": ["222233334444"]}, "a list"),
        ({"id": {"id": "222233334444"}}, "an object"),
        ("222233334444", "account must be a JSON object and is a text"),
        (["222233334444"], "a list"),
        (None, "missing"),
    ],
)
def test_a_finding_without_an_account_of_text_is_unreadable(account: Any, said: str) -> None:
    with pytest.raises(FindingUnreadable, match=said):
        read({"account": account, "rule": {"name": "r"}, "entity": {"accountNumber": "222233334444"}})


def test_the_account_is_never_the_entitys_account_number() -> None:
    found = read(document("15_ciem_suggested_role.json"))
    assert found.account_id == "222233334444"
    assert found.entity["accountNumber"] == "10001"
    broken = document("15_ciem_suggested_role.json")
    del broken["account"]
    with pytest.raises(FindingUnreadable, match=r"account\.id"):
        read(broken)


@pytest.mark.parametrize(
    ("given", "kept"),
    [(222233334444, "222233334444"), (22233334444, "22233334444"), (" 222233334444", "222233334444")],
)
def test_an_account_number_is_never_filled_up_with_zeros(given: Any, kept: str) -> None:
    assert read({"account": {"id": given}}).account_id == kept


@pytest.mark.parametrize("field", ["rule", "entity"])
@pytest.mark.parametrize("wrong", ["text", ["list"], 3, True])
def test_an_object_field_of_another_type_is_unreadable(field: str, wrong: Any) -> None:
    with pytest.raises(FindingUnreadable, match=f"{field} must be a JSON object"):
        read(minimal(**{field: wrong}))


def test_the_region_is_the_entitys_own_word_and_never_the_one_at_the_top() -> None:
    assert read(minimal(region="Oregon", entity={"region": None})).region == ""
    assert read(minimal(region="Oregon", entity={})).region == ""
    assert read(minimal(region="Oregon", entity={"region": "Ireland"})).region == "Ireland"


@pytest.mark.parametrize("wrong", [5, True, ["us-east-1"], {"id": "us-east-1"}])
def test_a_region_that_is_no_text_is_refused_rather_than_guessed(wrong: Any) -> None:
    with pytest.raises(ValueError, match="none that this hub knows"):
        resolve(read(minimal(entity={"region": wrong})).region)


@pytest.mark.parametrize(
    ("fields", "time"),
    [
        (
            [{"name": "logic_data", "value": '{"alertWindowStartTime": "2026-11-02T08:10:00Z"}'}],
            "2026-11-02T08:10:00Z",
        ),
        (
            [{"name": "logic_data", "value": {"alertWindowStartTime": "2026-11-02T08:10:00Z"}}],
            "2026-11-02T08:10:00Z",
        ),
        (
            [{"Name": "logic_data", "Value": '{"alertWindowStartTime": "2026-11-02T08:10:00Z"}'}],
            "2026-11-02T08:10:00Z",
        ),
        ([{"name": "alert_count", "value": '{"alertWindowStartTime": "2026-11-02T08:10:00Z"}'}], None),
        ([{"name": "logic_data", "value": "{}"}], None),
        ([{"name": "logic_data", "value": None}], None),
        ([None, 3, "x"], None),
        ("text", None),
    ],
)
def test_the_time_of_the_event_comes_from_the_logic_data(fields: Any, time: str | None) -> None:
    found = read(minimal(additionalFields=fields))
    assert found.event_time == time
    assert found.notes == ()


@pytest.mark.parametrize(
    "value",
    ["not json", "[" * 100_000, '{"alertWindowStartTime": "yesterday"}', '{"alertWindowStartTime": 1793600000}',
     '{"alertWindowStartTime": "2026-11-02T08:10:00"}'],
)  # fmt: skip
def test_a_time_that_cannot_be_read_is_noted(value: str) -> None:
    found = read(minimal(additionalFields=[{"name": "logic_data", "value": value}]))
    assert found.event_time is None
    assert len(found.notes) == 1


def test_the_feedback_endpoint_is_read_and_its_key_hidden() -> None:
    found = read(document("14_feedback_endpoint.json"))
    assert found.feedback is not None
    assert found.feedback.url == "https://feedback.example.invalid/remediation/feedback"
    assert (found.feedback.stream, found.feedback.partition_key) == ("remediation_feedback", "1")
    assert found.feedback.key.get_secret_value() == KEY
    for shown in (repr(found), str(found), repr(found.feedback), f"{found.entity}", str(found.notes)):
        assert KEY not in shown


@pytest.mark.parametrize(
    "field",
    [
        "logsHttpEndpoint",
        "logsHttpEndpointKey",
        "logsHttpEndpointStreamName",
        "logsHttpEndpointStreamPartitionKey",
    ],
)
@pytest.mark.parametrize("wrong", [None, "", 3, ["x"]])
def test_feedback_takes_all_four_fields_as_texts(field: str, wrong: Any) -> None:
    found = read({**document("14_feedback_endpoint.json"), field: wrong})
    assert found.feedback is None
    assert "no feedback" in found.notes[0]
    assert KEY not in repr(found)


def test_nothing_of_the_top_level_gets_into_the_entity() -> None:
    whole = document("14_feedback_endpoint.json")
    assert read(whole).entity == whole["entity"]


def test_reading_leaves_the_message_as_it_was() -> None:
    whole = document("16_pascalcase_2018.json")
    read(whole)
    assert whole == document("16_pascalcase_2018.json")


def test_a_message_of_nonsense_gets_few_notes_and_a_count() -> None:
    found = read(minimal(remediationActions=[*range(1000), "bot"]))
    assert len(found.notes) == 20
    assert found.notes[-1] == "and 981 more remarks of this kind"
    assert [action.bot for action in found.actions] == ["bot"]


def test_azure_and_gcp_findings_keep_their_vendor_for_the_plan_to_refuse() -> None:
    assert read({"account": {"id": "0f1e-guid", "vendor": "Azure"}}).vendor == "Azure"
