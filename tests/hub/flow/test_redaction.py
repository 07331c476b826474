"""No secret gets into a report, however it is wrapped."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.flow.redaction import REMOVED, redactor
from hub.flow.report import attributes, document
from tests.hub.sample_reports import KEY, a_report, a_run, wanting_feedback

# The tilde keeps hypothesis from choosing a word that every report holds anyway.
keys = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=8, max_size=50).map("~".__add__)
WRAPPINGS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in upper case": lambda key: key.upper() if key.isascii() else key,
    "JSON": json.dumps,
    "JSON in JSON": lambda key: json.dumps(json.dumps({"key": key})),
    "JSON with other alphabets": lambda key: json.dumps(key, ensure_ascii=False),
    "Python": repr,
    "a URL's path": quote,
    "a URL's query": lambda key: quote_plus(key, safe=""),
}


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


@pytest.mark.parametrize("wrapping", WRAPPINGS)
@given(key=keys, around=st.text(max_size=5))
def test_the_feedback_key_is_nowhere_in_a_report(wrapping: str, key: str, around: str) -> None:
    wrapped = WRAPPINGS[wrapping](key)
    said = f"{around}{wrapped}{around}"
    finding: dict[str, Any] = {
        "feedback": wanting_feedback("https://feedback.example.invalid/", key),
        "rule": said, "severity": said, "key": said, "account_id": said, "account_name": said, "vendor": said,
        "report_time": said, "execution_id": said, "dome9_account_id": said, "notes": (said,),
    }  # fmt: skip
    run = a_run(
        rule=said, entity_id=said, entity_name=said, bot=said, args=(said,), message=said, notes=(said,),
        region=said, account_name=said, target_type=said, session=said, undo=said,
        before={said: [{"x": said}]}, after={"x": {said: 1}},
    )  # fmt: skip
    report = a_report(run, error=said, **finding)
    for text in (*texts(document(report)), *attributes(report).values()):
        assert wrapped not in text
        assert key not in text


@given(key=keys, ahead=st.binary(max_size=5), behind=st.binary(max_size=5))
def test_the_feedback_key_cannot_be_read_out_of_base64(key: str, ahead: bytes, behind: bytes) -> None:
    encoded = base64.b64encode(ahead + key.encode() + behind).decode()
    shown = redactor(key)(f"Authorization: Basic {encoded}")
    assert REMOVED in shown
    left = shown.removeprefix("Authorization: Basic ").split(REMOVED)
    # At most the letters the key shares with its neighbours are left.
    assert sum(len(part) for part in left) <= len(encoded) - (len(key.encode()) * 8 // 6 - 2)


def test_a_key_too_short_to_be_one_does_not_eat_the_report() -> None:
    run = a_run(message="a bucket")
    told = document(a_report(run, feedback=wanting_feedback("https://feedback.example.invalid/", "a")))
    assert told["Rules violations found"][0]["Bot message"] == "a bucket"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY is out", f"{REMOVED} is out"),
        ("SecretAccessKey: 'short-secret'", f"SecretAccessKey: '{REMOVED}'"),
        ('{"SessionToken": "0123456789"}', f'{{"SessionToken": "{REMOVED}"}}'),
        ('"{\\"SecretAccessKey\\": \\"0123456789\\"}"', f'"{{\\"SecretAccessKey\\": \\"{REMOVED}\\"}}"'),
        ("aws_secret_access_key=0123456789 next", f"aws_secret_access_key={REMOVED} next"),
        ("logsHttpEndpointKey=0123456789", f"logsHttpEndpointKey={REMOVED}"),
        ("x-api-key: 0123456789", f"x-api-key: {REMOVED}"),
        ("?X-Amz-Signature=0123456789abcdef&x=1", f"?X-Amz-Signature={REMOVED}&x=1"),
        (f"token IQoJb3JpZ2luX2Vj{'Ab1/' * 30}= end", f"token {REMOVED} end"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nowIB\n-----END RSA PRIVATE KEY-----\nend",
            f"{REMOVED}\nend",
        ),
        ("-----BEGIN PRIVATE KEY-----\ncut off", REMOVED),
    ],
)
def test_what_looks_like_an_aws_secret_is_removed(said: str, shown: str) -> None:
    assert redactor(None)(said) == shown


@pytest.mark.parametrize(
    "harmless",
    [
        "AKIAIOSFODNN7EXAMPLE of user alice is inactive",
        "arn:aws:iam::222233334444:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "SecurityAutomationRemediationFunction12A",
        "AWSLogs/111122223333/CloudTrail/useast1/2026",
        "The security token included in the request is invalid",
        "logs/application/production/2026/11/02/a1",
        "kms key 1234abcd-12ab-34cd-56ef-1234567890ab",
        "5lIxe4s1b+rAiwGSEF5d4Q",
    ],
)
def test_names_ids_and_digests_stay(harmless: str) -> None:
    assert redactor(KEY)(harmless) == harmless


def test_redacting_twice_changes_nothing_more() -> None:
    redact = redactor(KEY)
    once = redact(f"SecretAccessKey: {KEY} wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    assert redact(once) == once == f"SecretAccessKey: {REMOVED} {REMOVED}"
