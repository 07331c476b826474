"""Scenes of `bots.s3_limit_access`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots._bot import CannotFix
from bots._bucket_statements import _BAD, is_bad, limited
from bots._policies import covers, is_open
from bots.s3_limit_access import bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.scene import Scene
from tests.fake_aws.server import FakeAws

ROLE = "arn:aws:iam::222233334444:role/reader"
PRIVATE: list[dict[str, Any]] = [
    {"Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": "s3:*", "Resource": "*"},
    {"Effect": "Allow", "Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject"},
    {"Effect": "Allow", "Principal": {"CanonicalUser": "0123abcd"}, "Action": "s3:GetObject"},
    {
        "Effect": "Allow",
        "Principal": {"Federated": "cognito-identity.amazonaws.com"},
        "Action": "s3:GetObject",
    },
    {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    },
    {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Condition": {"StringEquals": {"aws:SourceVpce": "vpce-0123456789abcdef0"}},
    },
    {"Effect": "Allow", "Principal": "*", "Action": "s3:ReplicateObject"},
]


def _public(action: Any, principal: Any = "*", **more: Any) -> dict[str, Any]:
    return {
        "Effect": "Allow",
        "Principal": principal,
        "Action": action,
        "Resource": "arn:aws:s3:::BUCKET/*",
        **more,
    }


def _after(*found: Any) -> list[Any]:
    left, _ = limited(json.dumps({"Statement": list(found)}))
    return left


# As nobody's serialiser writes it: an undo must bring back every byte.
LONE = json.dumps({"Statement": _public(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])}, indent=3)


def scenes() -> list[Scene]:
    mixed = {
        "Version": "2012-10-17",
        "Id": "theirs",
        "Statement": [*PRIVATE[:3], _public("s3:Get*"), PRIVATE[4]],
    }
    return [
        Scene(
            name="public among others",
            plant=lambda admin: buckets.plant(admin, policy=mixed),
            observe=buckets.observe,
            missing=buckets.missing,
            region="",
        ),
        Scene(
            name="nothing but public",
            plant=lambda admin: buckets.plant(admin, policy=LONE),
            observe=buckets.observe,
        ),
    ]


def test_what_is_not_public_stays_word_for_word() -> None:
    assert limited(json.dumps({"Statement": PRIVATE})) == (PRIVATE, [])
    assert limited(None) == ([], [])


@pytest.mark.parametrize("principal", ["*", ["*"], {"AWS": "*"}, {"AWS": ["*"]}])
@pytest.mark.parametrize(
    "action", ["*", "s3:*", "S3:GETOBJECT", "s3:G*", ["s3:List*", "s3:PutObject"], "s3:?etObject"]
)
def test_a_statement_with_nothing_but_bad_actions_for_everybody_goes(principal: Any, action: Any) -> None:
    assert _after(*PRIVATE, _public(action, principal)) == PRIVATE


def test_of_many_actions_all_bad_ones_go_and_the_others_stay() -> None:
    actions = ["s3:GetObject", "s3:GetObjectVersion", "s3:ReplicateObject", "s3:PutObject", "s3:DeleteObject"]
    assert _after(_public(actions)) == [_public(["s3:ReplicateObject"])]


def test_everybody_is_taken_from_among_named_principals() -> None:
    statement = _public("s3:GetObject", {"AWS": ["*", ROLE], "Service": "a.amazonaws.com"})
    assert _after(statement) == [_public("s3:GetObject", {"AWS": [ROLE], "Service": "a.amazonaws.com"})]
    harmless = _public("s3:ReplicateObject", {"AWS": ["*", ROLE]})
    assert _after(harmless) == [harmless]


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Principal": "*", "NotAction": "s3:DeleteBucket", "Resource": "*"},
        {"Effect": "Allow", "NotPrincipal": {"AWS": ROLE}, "Action": "s3:GetObject", "Resource": "*"},
        _public("s3:GetObject", Condition={"StringLike": {"aws:Referer": "https://example.com/*"}}),
        _public("s3:GetObject", Condition={"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}),
    ],
)
def test_roundabout_ways_to_let_everybody_in_go_too(statement: dict[str, Any]) -> None:
    assert _after(*PRIVATE, statement) == PRIVATE


patterns = st.text("s3:getputlisdrob*?", min_size=1, max_size=12).map(lambda tail: tail.replace("**", "*"))
REAL = [
    "s3:getobject",
    "s3:putobject",
    "s3:listbucket",
    "s3:deleteobject",
    "s3:restoreobject",
    "s3:getbucketacl",
]


@given(patterns | patterns.map("s3:".__add__), st.text("abcdegijlopst", max_size=6))
def test_a_pattern_that_matches_anything_bad_is_bad(pattern: str, tail: str) -> None:
    concrete = [*REAL, *(bad.replace("*", tail) for bad in _BAD)]
    if any(covers(pattern, action) for action in concrete):
        assert is_bad(pattern)


@given(patterns.map("s3:".__add__), st.data())
def test_a_bad_pattern_matches_something_bad(pattern: str, data: st.DataObject) -> None:
    if is_bad(pattern):
        # Fill the pattern in along each bad action until one of them is met.
        assert any(
            covers(pattern, bad.replace("*", filling))
            or covers(pattern, _filled(pattern, bad.removesuffix("*")))
            for bad in _BAD
            for filling in ("", "x")
        )


def _filled(pattern: str, begun: str) -> str:
    """An action that begins with ``begun`` and ends as the pattern does."""
    head, _, rest = pattern.partition("*")
    start = begun + head[len(begun) :] if len(head) > len(begun) else begun
    return (start + rest).replace("*", "").replace("?", "x")


@given(
    st.lists(
        st.sampled_from([*PRIVATE, _public("*"), _public(["s3:GetObject", "s3:TagResource"])]), max_size=6
    )
)
def test_once_is_enough(found: list[dict[str, Any]]) -> None:
    left = _after(*found)
    assert _after(*left) == left
    assert [each for each in left if each in PRIVATE] == [each for each in found if each in PRIVATE]
    assert not any(is_open(each) and is_bad(str(each["Action"])) for each in left)


@pytest.mark.usefixtures("hub_environment")
async def test_what_goes_is_said_and_s3_is_asked_for_its_own_view(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    policy = {"Statement": [_public(["s3:GetObject", "s3:TagResource"], Sid="Web")]}
    async with alone(bot, aws, admin, buckets.plant(admin, region=buckets.ELSEWHERE, policy=policy)) as one:
        assert (await one.check()).notes == ("goes: s3:GetObject from statement Web",)
        after = await one.fix()
    assert after.compliant
    assert any("S3 still calls the policy public" in note for note in after.notes)


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_s3_would_not_take_is_left_alone(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    gone = {"Effect": "Allow", "Principal": {"AWS": "AIDACKCEVSQ6C2EXAMPLE"}, "Action": "s3:GetObject"}
    async with alone(
        bot, aws, admin, buckets.plant(admin, policy={"Statement": [gone, _public("s3:*")]})
    ) as one:
        with pytest.raises(CannotFix, match="AIDACKCEVSQ6C2EXAMPLE"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_without_a_policy_is_right(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, buckets.plant(admin)) as one:
        assert (await one.check()).compliant
