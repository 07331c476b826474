"""From a message's text to a finding, or to a clear word about why there is none."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import FindingUnreadable, UnknownDialect
from hub.flow.ingest import unwrap
from hub.flow.normalise import account_in, normalise, salvage
from hub.model import Finding, Message
from tests.data.cloudguard import document, text

KEY = "EXAMPLE-not-a-real-key"
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    "status", "Status", "rule", "Rule", "account", "Account", "entity", "Entity", "findingKey", "reportTime",
    "remediationActions", "additionalFields", "logsHttpEndpoint", "logsHttpEndpointKey", "region",
    "executionId", "dome9AccountId", "Type", "Message", "TopicArn", "Records",
)  # fmt: skip
INNER = ("id", "Id", "name", "region", "Region", "complianceTags", "vendor", "ruleId", "severity", "value")
LIKE_FINDINGS = st.dictionaries(
    st.sampled_from(FIELDS), ANY_JSON | st.dictionaries(st.sampled_from(INNER), ANY_JSON), max_size=10
)


def read(body: str, *, nonce: str = "") -> Finding:
    return normalise(Message(body=body, nonce=nonce))


def refusal(body: str) -> str:
    with pytest.raises(FindingUnreadable) as caught:
        read(body)
    return str(caught.value)


def nested(levels: int) -> dict[str, Any]:
    """A good finding with so many objects inside one another, itself counted."""
    found = document("02_sg_ssh_open.json")
    inner: dict[str, Any] = {}
    for _ in range(levels - 3):
        inner = {"x": inner}
    found["entity"]["deep"] = inner
    return found


@pytest.mark.parametrize(
    "body", ["hello", "{", '{"a": }', "{'a': 1}", "\x00", '{"a": "\n"}', "bot p1 p2", "<xml/>", "\ud800"]
)
def test_what_is_not_json_is_refused_with_its_beginning_and_the_place(body: str) -> None:
    told = refusal(body)
    assert "not JSON" in told
    assert "line 1 column" in told
    assert ascii(body)[:10].strip("'\"") in told


@pytest.mark.parametrize("body", ["", "   ", "\n\n"])
def test_an_empty_message_is_refused_as_empty(body: str) -> None:
    assert "empty" in refusal(body)


@pytest.mark.parametrize("body", ["[]", "3", "true", "null", '"text"', "[{}]"])
def test_json_that_is_no_object_is_of_no_known_format(body: str) -> None:
    with pytest.raises(UnknownDialect, match="not an object"):
        read(body)


@pytest.mark.parametrize("body", ["{}", '{"hello": "world"}', '{"account": {"id": "222233334444"}}'])
def test_json_that_is_no_finding_is_of_no_known_format_and_its_keys_are_named(body: str) -> None:
    with pytest.raises(UnknownDialect, match="cloudguard") as caught:
        read(body)
    assert all(key in str(caught.value) for key in json.loads(body))


def test_a_finding_without_an_account_says_what_is_missing() -> None:
    broken = document("01_s3_encryption_and_versioning.json")
    del broken["account"]["id"]
    assert "account.id" in refusal(json.dumps(broken))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "9" * 5000])
def test_numbers_that_json_does_not_have_are_refused(number: str) -> None:
    body = minimal_with("NUMBER").replace('"NUMBER"', number)
    assert "number that JSON does not have" in refusal(body)


def test_a_finding_of_300_kilobytes_is_read() -> None:
    large = document("02_sg_ssh_open.json")
    large["entity"]["inboundRules"] *= 1 + 300_000 // len(json.dumps(large["entity"]["inboundRules"]))
    body = json.dumps(large)
    assert len(body) > 300_000
    began = time.process_time()
    assert read(body).entity == large["entity"]
    assert time.process_time() - began < 1


def test_a_message_beyond_a_mebibyte_is_refused_unread() -> None:
    for letter, times in (("x", 1024 * 1024), ("\u20ac", 1024 * 1024 // 3)):
        big = minimal_with(letter * times)
        assert "1,048,576 bytes" in refusal(big)
    assert read(minimal_with("x" * (1024 * 1024 - 200))).rule_id


def minimal_with(words: str) -> str:
    found = {"account": {"id": "222233334444"}, "rule": {"name": "r", "ruleId": words}}
    return json.dumps(found, ensure_ascii=False)


def test_nesting_is_read_to_its_limit_and_refused_beyond() -> None:
    assert read(json.dumps(nested(100))).entity["deep"]
    assert "nested deeper than 100" in refusal(json.dumps(nested(101)))


@pytest.mark.parametrize("body", ["[" * 500_000, '{"a":' * 200_000, "[" * 300_000 + "]" * 300_000])
def test_nesting_beyond_reason_is_refused_and_not_a_crash(body: str) -> None:
    assert "nested" in refusal(body)


def test_a_byte_order_mark_in_front_is_no_mistake() -> None:
    assert read("\ufeff" + text("02_sg_ssh_open.json")) == read(text("02_sg_ssh_open.json"))


def test_the_occurrence_is_that_of_the_content_and_not_of_its_spelling() -> None:
    whole = document("02_sg_ssh_open.json")
    here = read(json.dumps(whole)).occurrence
    assert len(here) == 32
    assert int(here, 16) >= 0
    assert read(json.dumps(whole, indent=4, sort_keys=True)).occurrence == here
    later = {**whole, "reportTime": "2026-11-03T08:14:27.318Z"}
    assert read(json.dumps(later)).occurrence != here


def test_a_redelivered_message_is_the_same_occurrence_and_a_run_by_hand_another() -> None:
    body = text("02_sg_ssh_open.json")
    first = normalise(unwrap(body, message_id="a", origin="queue"))
    assert normalise(unwrap(body, message_id="b", origin="queue again")).occurrence == first.occurrence
    assert read(body, nonce="by hand").occurrence != first.occurrence
    assert read(body, nonce="by hand").occurrence == read(body, nonce="by hand").occurrence


FIRST = "01_s3_encryption_and_versioning.json"


@pytest.mark.parametrize(
    "body", [text(FIRST), json.dumps({**document(FIRST), "rule": 1}), "{}", "[]", "no JSON"]
)
def test_whose_turn_a_message_is_says_its_account_wherever_that_can_be_read(body: str) -> None:
    told = account_in(Message(body=body))
    try:
        assert told == normalise(Message(body=body)).account_id
    except FindingUnreadable:
        assert told == (document(FIRST)["account"]["id"] if "findingKey" in body else "")


def test_no_refusal_quotes_more_than_a_line_of_the_message() -> None:
    for body in ("x" * 5000, "\u20ac" * 5000, json.dumps({"x" * 5000: 1}), "[" + "x" * 5000, "[" * 5000):
        told = refusal(body)
        assert len(told) < 400
        assert "x" * 81 not in told


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body: body[:-2],
        lambda body: "x" + body,
        lambda body: body[body.index(KEY) :],
        lambda body: body[body.index("logsHttpEndpointKey") - 1 :],
        lambda body: "[" + body + "]",
        lambda body: body.replace('"account"', '"acount"'),
        lambda body: body.replace('"rule"', '"rul"').replace('"account"', '"x"').replace('"entity"', '"y"'),
        lambda body: json.dumps({"logsHttpEndpointKey": KEY}),
        lambda body: json.dumps({"Records": [{"body": body}]}),
        lambda body: body.replace(f'"{KEY}"', f'"{KEY}'),
    ],
)
def test_no_refusal_and_no_salvaged_finding_holds_the_endpoints_key(spoil: Any) -> None:
    body = spoil(json.dumps(document("14_feedback_endpoint.json")))
    assert KEY in body
    told = refusal(body)
    assert KEY not in told
    assert KEY not in repr(salvage(Message(body=body), told))


def test_no_refusal_quotes_an_aws_secret() -> None:
    secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    assert secret not in refusal(f"aws_secret_access_key = {secret}")
    assert secret not in refusal(secret)


def test_what_can_be_told_of_an_unreadable_message_is_told() -> None:
    broken = {**document("01_s3_encryption_and_versioning.json"), "entity": "not an object"}
    found = salvage(Message(body=json.dumps(broken)), "why")
    assert (found.key, found.account_id) == ("gRrB3tEdauE/k05gQQenCA", "222233334444")
    assert found.rule == "S3 Buckets Server Side Encryption At Rest"
    assert found.report_time == "2026-11-02T08:14:27.318Z"
    assert (found.dialect, found.actions, found.feedback, found.passed) == ("unreadable", (), None, False)


def test_pascalcase_is_told_as_well() -> None:
    found = salvage(Message(body=json.dumps(document("16_pascalcase_2018.json"))), "why")
    assert (found.key, found.account_id) == ("N.A", "333344445555")


@pytest.mark.parametrize(
    "body",
    ["hello", "", "[]", "{}", '{"findingKey": 3, "account": "222233334444"}', "[" * 500_000, "x" * 2_000_000,
     '{"findingKey": "a\\nb", "account": {"id": "2222"}}', json.dumps({"findingKey": "x" * 1000})],
)  # fmt: skip
def test_what_cannot_be_told_for_sure_is_left_open(body: str) -> None:
    found = salvage(Message(body=body), "why")
    assert (found.key, found.account_id) == ("N.A", "")


def test_a_finding_reported_as_unreadable_is_another_occurrence_than_the_finding() -> None:
    """So that it is settled once a later hub can read it, and reported once until then."""
    message = Message(body=text("02_sg_ssh_open.json"))
    told = salvage(message, "not understood")
    assert told.occurrence != normalise(message).occurrence
    assert told.occurrence == salvage(message, "not understood").occurrence
    assert told.occurrence != salvage(message, "something else is wrong").occurrence
    assert told.occurrence != salvage(Message(body=message.body, nonce="n"), "not understood").occurrence


@settings(deadline=None)
@given(st.text() | ANY_JSON.map(json.dumps) | LIKE_FINDINGS.map(json.dumps))
def test_any_text_gives_a_finding_or_a_refusal_that_can_be_salvaged(body: str) -> None:
    message = unwrap(body)
    try:
        found = normalise(message)
    except FindingUnreadable as error:
        found = salvage(message, str(error))
        assert found.dialect == "unreadable"
    assert isinstance(found, Finding)
    assert len(found.occurrence) == 32


@settings(deadline=None)
@given(LIKE_FINDINGS)
def test_any_finding_with_an_account_and_objects_in_place_is_read(found: dict[str, Any]) -> None:
    sound = {**found, "account": {"id": "222233334444"}, "rule": {}, "entity": {}}
    assert read(json.dumps(sound)).account_id == "222233334444"
