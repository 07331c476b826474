"""Scenes of `bots.s3_only_allow_ssl`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bots._bot import CannotFix
from bots._bucket_statements import denies_plain_http
from bots._catalogue import bot_named
from bots.s3_only_allow_ssl import bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.scene import Scene
from tests.fake_aws.server import FakeAws

ARNS = ["arn:aws:s3:::b", "arn:aws:s3:::b/*"]
DENY: dict[str, Any] = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": ARNS,
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
READER = {"Effect": "Allow", "Principal": {"AWS": "222233334444"}, "Action": "s3:GetObject", "Resource": "*"}
# Somebody else's statement under the name of ours, and the policy's own layout.
POLICY = json.dumps(
    {"Id": "theirs", "Version": "2012-10-17", "Statement": {**READER, "Sid": "DenyInsecureTransport"}},
    indent=2,
)


def scenes() -> list[Scene]:
    return [
        Scene(
            name="no policy",
            plant=lambda admin: buckets.by_arn(buckets.plant(admin)),
            observe=buckets.observe,
            missing=buckets.missing,
            region="",
        ),
        Scene(
            name="policy of somebody else",
            plant=lambda admin: buckets.plant(admin, policy=POLICY),
            observe=buckets.observe,
        ),
    ]


def _denies(*statements: dict[str, Any]) -> bool:
    return denies_plain_http(json.dumps({"Statement": list(statements)}), ARNS)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"Principal": {"AWS": ["*"]}},
        {"Action": ["S3:*"]},
        {"Action": "*", "Resource": "*"},
        {"Resource": "arn:aws:s3:::b*"},
        {"Condition": {"BoolIfExists": {"AWS:securetransport": False}}},
    ],
)
def test_a_full_denial_is_known_in_all_spellings(change: dict[str, Any]) -> None:
    assert _denies(READER, {**DENY, **change})


def test_statements_may_share_the_work() -> None:
    assert _denies(*({**DENY, "Resource": arn} for arn in ARNS))


@pytest.mark.parametrize(
    "change",
    [
        {"Effect": "Allow"},
        {"Principal": {"AWS": "222233334444"}},
        {"Action": "s3:GetObject"},
        {"Action": ["s3:Get*", "s3:Put*"]},
        {"Resource": ARNS[0]},
        {"Resource": ARNS[1]},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {"Bool": {"aws:SecureTransport": "false"}, "StringEquals": {"aws:userid": "x"}}},
        {"Condition": {"NumericLessThan": {"s3:TlsVersion": 1.2}}},
        {"Condition": {}},
    ],
)
def test_half_a_denial_is_none(change: dict[str, Any]) -> None:
    assert not _denies({**DENY, **change})


def test_a_denial_for_everybody_but_some_is_none() -> None:
    statement = {key: value for key, value in DENY.items() if key != "Principal"}
    assert not _denies({**statement, "NotPrincipal": {"AWS": "222233334444"}})
    assert not denies_plain_http(None, ARNS)


@pytest.mark.parametrize("alias", ["s3_allow_ssl_only", "s3_enforce_ssl_data_encryption"])
def test_the_names_findings_use_lead_to_one_bot(alias: str) -> None:
    assert bot_named(alias) is bot


@pytest.mark.usefixtures("hub_environment")
async def test_the_policy_keeps_every_statement_and_gains_one_about_this_bucket(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = buckets.plant(admin, region=buckets.ELSEWHERE, policy=POLICY)
    name = planted.notes["name"]
    async with alone(bot, aws, admin, planted) as one:
        await one.fix()
        # A second attempt after a crash adds nothing.
        await one.bot.run_fix(one.account, one.target, one.params, (await one.check()).before)
    assert buckets.statements(planted.notes["name"]) == [
        {**READER, "Sid": "DenyInsecureTransport"},
        {
            **DENY,
            "Sid": "DenyInsecureTransport2",
            "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        },
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_what_s3_would_refuse_or_break_is_said_before(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = buckets.plant(admin)
    s3, name = admin.client("s3"), planted.notes["name"]
    async with alone(bot, aws, admin, planted) as one:
        s3.put_bucket_website(Bucket=name, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
        assert any("serves a website" in note for note in (await one.check()).notes)
        gone = {**READER, "Principal": {"AWS": ["AROACKCEVSQ6C2EXAMPLE"]}}
        long = [{**READER, "Sid": f"Reader{number}"} for number in range(220)]
        for statements, why in (([gone], "AROACKCEVSQ6C2EXAMPLE"), (long, "more than the 20480")):
            s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Statement": statements}))
            with pytest.raises(CannotFix, match=why):
                await one.check()
