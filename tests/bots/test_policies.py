"""Readings and changes of policy documents: nothing of somebody else's is lost, no stranger passes for a friend."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bots._policies import (
    covers,
    deleted_principals,
    is_open,
    is_pinned,
    lets_service,
    merged,
    names_everyone,
    same,
    services_let_in,
    statements,
    with_statements,
    without_everyone,
)
from tests.fake_aws.strict_iam import conditions_hold

OWN = "222233334444"
ROLE = f"arn:aws:iam::{OWN}:role/reader"
DENY = {"Sid": "Ours", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}

principals = st.sampled_from(
    [
        "*",
        {"AWS": "*"},
        {"AWS": ROLE},
        {"AWS": OWN},
        {"AWS": ["*", ROLE]},
        {"AWS": "*", "Service": "a.amazonaws.com"},
        {"Service": ["a.amazonaws.com", "b.amazonaws.com"]},
        {"CanonicalUser": "0123abcd"},
        {"Federated": "cognito-identity.amazonaws.com"},
    ]
)
some_statements = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Principal": principals,
        "Action": st.sampled_from(["s3:GetObject", ["s3:GetObject", "s3:PutObject"], "S3:*"]),
        "Resource": st.sampled_from(["*", ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]]),
    },
    optional={
        "Sid": st.sampled_from(["Ours", "Ours2", "Theirs", ""]),
        "Condition": st.sampled_from(
            [
                {"Bool": {"aws:SecureTransport": False}},
                {"StringEquals": {"aws:SourceAccount": [OWN, "111122223333"]}},
                {"NumericLessThan": {"s3:TlsVersion": 1.2}},
            ]
        ),
    },
)


@st.composite
def documents(draw: st.DrawFn) -> str:
    found = draw(st.lists(some_statements, max_size=4))
    lone = len(found) == 1 and draw(st.booleans())
    frame = draw(st.sampled_from([{"Version": "2012-10-17"}, {"Version": "2008-10-17", "Id": "theirs"}, {}]))
    return json.dumps(
        {**frame, "Statement": found[0] if lone else found}, indent=draw(st.sampled_from([None, 2]))
    )


maybe_documents = st.none() | documents()


# --- merging


@given(maybe_documents, some_statements)
@example(json.dumps({"Statement": {**DENY, "Action": "s3:Get*"}}), DENY)
def test_what_was_there_stays_in_its_order_and_ours_is_there_as_well(
    document: str | None, ours: dict[str, Any]
) -> None:
    ours = {**ours, "Sid": "Ours"}
    result = merged(document, ours)
    was, now = statements(document), statements(result)
    assert now[: len(was)] == was
    assert len(now) <= len(was) + 1
    assert any(same(_policy({**each, "Sid": ""}), _policy({**ours, "Sid": ""})) for each in now)
    rest = {**json.loads(result), "Statement": None}
    assert rest == {**json.loads(document or '{"Version": "2012-10-17"}'), "Statement": None}


@given(maybe_documents, some_statements)
def test_merging_twice_is_merging_once(document: str | None, ours: dict[str, Any]) -> None:
    once = merged(document, {**ours, "Sid": "Ours"})
    assert merged(once, {**ours, "Sid": "Ours"}) == once


@given(maybe_documents, some_statements)
def test_ours_takes_no_sid_that_is_taken(document: str | None, ours: dict[str, Any]) -> None:
    now = statements(merged(document, {**ours, "Sid": "Ours"}))
    before = {each.get("Sid") for each in statements(document)}
    for added in now[len(statements(document)) :]:
        assert added["Sid"] not in before
        assert added["Sid"].startswith("Ours")


def test_a_sid_somebody_else_used_gets_a_number() -> None:
    theirs = {**DENY, "Action": "s3:PutObject"}
    assert statements(merged(_policy(theirs), DENY)) == [theirs, {**DENY, "Sid": "Ours2"}]


def test_several_of_ours_are_merged_together() -> None:
    other = {**DENY, "Sid": "Other", "Action": "s3:PutObject"}
    assert statements(merged(None, DENY, other)) == [DENY, other]


def test_a_document_is_written_without_blanks_and_in_its_own_letters() -> None:
    assert with_statements('{"Id": "Größe", "Statement": []}', []) == '{"Id":"Größe","Statement":[]}'


# --- comparing


def _policy(*found: dict[str, Any], **more: str) -> str:
    return json.dumps({**more, "Statement": list(found)})


def _rewritten(value: Any, key: str = "") -> Any:
    """The same policy as somebody else would write it."""
    match value:
        case dict():
            return {name: _rewritten(inner, name) for name, inner in reversed(value.items())}
        case list() if key != "Statement":
            turned = [_rewritten(inner, key) for inner in reversed(value)]
            return [*turned, turned[0]]
        case list():
            return [_rewritten(inner) for inner in value]
        case bool():
            return [str(value).lower()]
        case "*" if key == "Principal":
            return {"AWS": ["*"]}
        case str() if key == "AWS" and value == OWN:
            return f"arn:aws:iam::{OWN}:root"
        case str() if key == "Action":
            return [value.upper()]
        case str() if key in ("Resource", "Service"):
            return [value]
        case _:
            return value


@given(documents())
def test_another_way_to_write_a_policy_says_the_same(document: str) -> None:
    assert same(document, json.dumps(_rewritten(json.loads(document)), indent=1))


@given(maybe_documents, maybe_documents)
def test_sameness_has_no_direction(one: str | None, other: str | None) -> None:
    assert same(one, one)
    assert same(one, other) == same(other, one)


@pytest.mark.parametrize(
    "other",
    [
        {**DENY, "Effect": "Allow"},
        {**DENY, "Principal": {"AWS": OWN}},
        {**DENY, "Resource": "arn:aws:s3:::b"},
        {**DENY, "Resource": ["*", "arn:aws:s3:::b"]},
        {**DENY, "Condition": {"Bool": {"aws:SecureTransport": "false"}}},
        {**DENY, "Sid": "Theirs"},
    ],
)
def test_policies_that_differ_in_one_word_are_not_the_same(other: dict[str, Any]) -> None:
    assert not same(_policy(DENY), _policy(other))
    assert not same(_policy(DENY), _policy(DENY, other))
    assert not same(_policy(DENY, Version="2012-10-17"), _policy(DENY))
    assert not same(None, _policy(DENY))
    assert same(None, None)


# --- who is let in


@given(some_statements)
def test_without_everyone_only_the_named_are_left(statement: dict[str, Any]) -> None:
    left = without_everyone(statement)
    if left is None:
        assert statement["Principal"] in ("*", {"AWS": "*"})
        return
    assert not names_everyone(left)
    assert {**left, "Principal": None} == {**statement, "Principal": None}
    for kind, who in left["Principal"].items():
        was = statement["Principal"][kind]
        assert [each for each in ([was] if isinstance(was, str) else was) if each != "*"] == (
            [who] if isinstance(who, str) else who
        )


def test_a_statement_for_everybody_but_some_is_for_everybody() -> None:
    statement = {"Effect": "Allow", "NotPrincipal": {"AWS": ROLE}, "Action": "s3:*"}
    assert is_open(statement)
    assert without_everyone(statement) is None


@pytest.mark.parametrize(
    "principal", [{"AWS": ROLE}, {"Service": "a.amazonaws.com"}, {"AWS": [OWN, ROLE]}, None]
)
def test_named_principals_are_not_everybody(principal: Any) -> None:
    assert not is_open({"Effect": "Allow", "Principal": principal, "Action": "s3:*"})


@pytest.mark.parametrize("principal", ["*", ["*"], {"AWS": "*"}, {"AWS": [ROLE, "*"]}])
def test_everybody_is_known_in_all_spellings(principal: Any) -> None:
    assert is_open({"Effect": "Allow", "Principal": principal, "Action": "s3:*"})
    assert not is_open({"Effect": "Deny", "Principal": principal, "Action": "s3:*"})


PINNED = [
    ("StringEquals", "AWS:SourceOwner", OWN),
    ("StringEquals", "aws:SourceAccount", [OWN, "111122223333"]),
    ("StringLike", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/*"),
    ("ForAnyValue:StringLike", "aws:PrincipalOrgPaths", ["o-a1b2c3d4e5/*"]),
    ("StringEqualsIgnoreCase", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
    ("StringEquals", "aws:SourceVpce", "vpce-0123456789abcdef0"),
    ("ArnLike", "aws:SourceArn", f"arn:aws:cloudtrail:*:{OWN}:trail/*"),
    ("ArnEquals", "aws:SourceArn", "arn:aws:s3:::invoices"),
    ("ArnLike", "aws:PrincipalArn", f"arn:aws:iam::{OWN}:role/*"),
    ("StringLike", "aws:userid", "AROACKCEVSQ6C2EXAMPLE:*"),
    ("IpAddress", "aws:SourceIp", ["192.0.2.0/24", "2001:db8::/32"]),
    ("IpAddress", "aws:SourceIp", "10.0.0.0/8"),
    ("StringLike", "SNS:Endpoint", "*@example.com"),
    ("StringLike", "SNS:Endpoint", "https://example.com/*"),
]
LOOSE = [
    ("StringLike", "aws:SourceAccount", "*"),
    ("StringLike", "aws:SourceVpc", "vpc-*"),
    ("StringEquals", "aws:SourceAccount", "${aws:PrincipalAccount}"),
    ("StringEquals", "aws:SourceAccount", [OWN, "*"]),
    ("StringEquals", "aws:SourceAccount", []),
    ("StringEquals", "aws:SourceAccount", ""),
    ("StringEqualsIfExists", "aws:PrincipalAccount", OWN),
    ("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/"),
    ("StringNotEquals", "aws:PrincipalAccount", OWN),
    ("Null", "aws:PrincipalOrgID", "false"),
    ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/reader"),
    ("ArnLike", "aws:SourceArn", "arn:aws:s3:::*"),
    ("ArnLike", "aws:SourceArn", "arn:*"),
    ("StringLike", "aws:PrincipalOrgPaths", "*/r-ab12/*"),
    ("StringLike", "aws:userid", "*:alice"),
    ("IpAddress", "aws:SourceIp", "0.0.0.0/0"),
    ("IpAddress", "aws:SourceIp", ["192.0.2.0/24", "0.0.0.0/1"]),
    ("IpAddress", "aws:SourceIp", "::/0"),
    ("NotIpAddress", "aws:SourceIp", "192.0.2.0/24"),
    ("StringLike", "aws:SourceIp", "192.*"),
    ("IpAddress", "aws:VpcSourceIp", "10.0.0.0/24"),
    ("StringEquals", "aws:username", "alice"),
    ("StringEquals", "aws:PrincipalTag/team", "blue"),
    ("StringEquals", "kms:ViaService", "s3.us-east-1.amazonaws.com"),
    ("StringLike", "aws:Referer", "https://example.com/*"),
    ("StringEquals", "aws:UserAgent", "ours"),
    ("Bool", "aws:SecureTransport", "true"),
    ("StringLike", "SNS:Endpoint", "https://*"),
    ("StringLike", "SNS:Endpoint", "*"),
    ("StringEquals", "SNS:Protocol", "sqs"),
]


@pytest.mark.parametrize(("operator", "key", "value"), PINNED)
def test_a_fixed_caller_or_place_is_a_pin(operator: str, key: str, value: Any) -> None:
    assert is_pinned({operator: {key: value}})
    assert is_pinned({"Bool": {"aws:SecureTransport": "true"}, operator.lower(): {key.upper(): value}})


@pytest.mark.parametrize(("operator", "key", "value"), LOOSE)
def test_what_strangers_can_meet_is_no_pin(operator: str, key: str, value: Any) -> None:
    assert not is_pinned({operator: {key: value}})


# --- the same against IAM's own arithmetic: whoever gets by a pin is no stranger

OPERATORS = [
    prefix + name + suffix
    for prefix in ("", "ForAnyValue:", "ForAllValues:")
    for name in ("StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIgnoreCase")
    for suffix in ("", "IfExists")
]
ARNS = ["ArnLike", "ArnEquals", "ArnNotLike", "ArnLikeIfExists", "StringLike", "StringEquals"]
NETWORKS = ["192.0.2.0/24", "10.0.0.0/8", "0.0.0.0/0", "128.0.0.0/1", "198.51.100.7", "2001:db8::/32", "::/0"]
STRANGER: dict[str, str | tuple[str, ...]] = {
    "aws:PrincipalAccount": "999988887777",
    "aws:SourceAccount": "999988887777",
    "aws:PrincipalOrgID": "o-stranger00",
    "aws:PrincipalOrgPaths": ("o-stranger00/r-ab12/ou-1/",),
    "aws:SourceVpc": "vpc-99999999",
    "aws:PrincipalArn": "arn:aws:iam::999988887777:role/reader",
    "aws:SourceArn": "arn:aws:s3:::stranger",
    "aws:userid": "AROASTRANGER0EXAMPLE:alice",
    "aws:username": "alice",
    "aws:SourceIp": "203.0.113.9",
}
VALUES = [
    "*", "?*", OWN, "2*", "${aws:PrincipalAccount}", "${aws:SourceAccount}", "o-a1b2c3d4e5", "o-*",
    "o-a1b2c3d4e5/*", "*/r-ab12/*", "vpc-0123456789abcdef0", "vpc-*", "AROACKCEVSQ6C2EXAMPLE:*", "*:alice", "alice",
]  # fmt: skip
PATTERNS = [
    "*", "arn:*", "arn:aws:iam::*:role/reader", f"arn:aws:iam::{OWN}:role/*", "arn:aws:s3:::*", "arn:aws:s3:::ours",
    "arn:aws:s3:::ours*", f"arn:*:*:*:{OWN}:*", "arn:*:*:*:*:*", "arn:aws:iam::????????????:role/reader",
]  # fmt: skip


def _one(operators: list[str], keys: list[str], values: list[str]) -> st.SearchStrategy[Any]:
    return st.tuples(
        st.sampled_from(operators),
        st.sampled_from(keys),
        st.lists(st.sampled_from(values), min_size=1, max_size=2),
    )


texts = [key for key in STRANGER if not key.endswith(("Arn", "Ip"))]
tests = st.one_of(
    _one(OPERATORS, texts, VALUES),
    _one(ARNS, ["aws:PrincipalArn", "aws:SourceArn"], PATTERNS),
    _one(["IpAddress", "NotIpAddress", "IpAddressIfExists"], ["aws:SourceIp"], NETWORKS),
)


@settings(max_examples=300)
@given(st.lists(tests, min_size=1, max_size=3), st.sets(st.sampled_from(sorted(STRANGER))))
@example([("ForAllValues:StringEquals", "aws:PrincipalOrgPaths", [OWN])], {"aws:PrincipalOrgPaths"})
def test_no_stranger_meets_the_conditions_of_a_pinned_statement(
    found: list[tuple[str, str, list[str]]], hidden: set[str]
) -> None:
    conditions: dict[str, dict[str, Any]] = {}
    for operator, key, values in found:
        conditions.setdefault(operator, {})[key] = values
    context = {key: value for key, value in STRANGER.items() if key not in hidden}
    assert not (is_pinned(conditions) and conditions_hold(conditions, context))


# --- small readings


@pytest.mark.parametrize(
    ("pattern", "text", "whether"),
    [
        ("*", "arn:aws:s3:::b/*", True),
        ("arn:aws:s3:::b*", "arn:aws:s3:::b", True),
        ("arn:aws:s3:::b/*", "arn:aws:s3:::b", False),
        ("arn:aws:s3:::?/*", "arn:aws:s3:::b/*", True),
        ("arn:aws:s3:::b.c", "arn:aws:s3:::bxc", False),
        ("S3:*", "s3:*", False),
    ],
)
def test_a_pattern_covers_what_it_matches_whole(pattern: str, text: str, *, whether: bool) -> None:
    assert covers(pattern, text) is whether


def test_actions_are_covered_in_any_case() -> None:
    assert covers("S3:get*", "s3:GetObject", any_case=True)


def test_deleted_principals_are_named_once_per_statement_and_sorted() -> None:
    gone = ["AROACKCEVSQ6C2EXAMPLE", "AIDACKCEVSQ6C2EXAMPLE"]
    document = _policy(
        {"Effect": "Allow", "Principal": {"AWS": [*gone, ROLE, OWN, "*"]}},
        {"Effect": "Deny", "NotPrincipal": {"AWS": "ANPACKCEVSQ6C2EXAMPLE"}},
        {"Effect": "Deny", "Principal": "*"},
    )
    assert deleted_principals(document) == (gone[1], "ANPACKCEVSQ6C2EXAMPLE", gone[0])
    assert deleted_principals(None) == ()


def test_services_are_read_of_allow_statements_only() -> None:
    statement = {"Effect": "Deny", "Principal": {"Service": "a.amazonaws.com"}}
    assert services_let_in(_policy(statement)) == frozenset()
    assert services_let_in(_policy({**statement, "Effect": "Allow"})) == {"a.amazonaws.com"}


def test_a_service_needs_all_actions_but_not_from_one_statement() -> None:
    def allow(*actions: str, service: Any = "a.amazonaws.com", effect: str = "Allow") -> dict[str, Any]:
        return {"Effect": effect, "Principal": {"Service": service}, "Action": list(actions)}

    needed = ("kms:GenerateDataKey", "kms:Decrypt")

    def lets(*found: dict[str, Any]) -> bool:
        return lets_service(_policy(*found), "a.amazonaws.com", needed)

    assert lets(allow("kms:*"))
    assert lets(
        allow("KMS:generatedatakey*", service=["b.amazonaws.com", "a.amazonaws.com"]), allow("kms:Decrypt")
    )
    assert not lets(allow("kms:Decrypt"))
    assert not lets(allow("kms:*", service="b.amazonaws.com"))
    assert not lets(allow("kms:*", effect="Deny"))
    assert not lets({"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*"})
    assert not lets_service(None, "a.amazonaws.com", needed)
