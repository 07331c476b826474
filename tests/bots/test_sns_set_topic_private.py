"""Scenes of `bots.sns_set_topic_private`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.sns.models import sns_backends

from bots._bot import CannotFix
from bots._policies import same
from bots._words import BadWords, parse
from bots.sns_set_topic_private import Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

ELSEWHERE = "eu-west-1"
PUBLIC: dict[str, Any] = {"Sid": "all", "Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SNS:Publish"}
SERVICE: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "sns:Publish",
}
PARTNER: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": "222233334444"}, "Action": "sns:Subscribe"}


def _topic(
    admin: Admin, *more: dict[str, Any], words: tuple[str, ...] = (), region: str = "us-east-1"
) -> Planted:
    """A topic with AWS's own policy and more statements."""
    sns = admin.client("sns", region)
    arn = sns.create_topic(Name="alarms")["TopicArn"]
    planted = Planted(
        entity={"topicArn": arn, "name": "alarms"},
        words=tuple(word.replace("TOPIC", arn) for word in words),
        notes={"region": region},
    )
    _set(admin, planted, *_statements(admin, planted), *({**each, "Resource": arn} for each in more))
    return planted


def _set(admin: Admin, planted: Planted, *statements: dict[str, Any]) -> None:
    whole = json.dumps({"Version": "2008-10-17", "Id": "theirs", "Statement": list(statements)})
    admin.client("sns", planted.notes["region"]).set_topic_attributes(
        TopicArn=planted.entity["topicArn"], AttributeName="Policy", AttributeValue=whole
    )


def _statements(admin: Admin, planted: Planted) -> Any:
    return json.loads(_observe(admin, planted)["Policy"])["Statement"]


def _observe(admin: Admin, planted: Planted) -> Any:
    sns = admin.client("sns", planted.notes["region"])
    return sns.get_topic_attributes(TopicArn=planted.entity["topicArn"])["Attributes"]


def _missing(admin: Admin) -> Planted:
    return Planted(entity={"id": f"arn:aws:sns:us-east-1:{admin.account_id}:never-made"})


def _given(**more: Any) -> str:
    statement = {
        "Sid": "owner",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["sns:Publish", "sns:Subscribe"],
    }
    condition = {"StringEquals": {"AWS:SourceOwner": "$ACCOUNT_ID"}}
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [{**statement, "Resource": "TOPIC", "Condition": condition, **more}],
        }
    )


def scenes() -> list[Scene]:
    return [
        Scene(
            name="public among others",
            plant=lambda admin: _topic(admin, SERVICE, PUBLIC, PARTNER),
            observe=_observe,
            missing=_missing,
        ),
        Scene(
            name="everybody but one",
            plant=lambda admin: _topic(
                admin, {"Effect": "Allow", "NotPrincipal": {"AWS": "222233334444"}, "Action": "sns:Publish"}
            ),
            observe=_observe,
            refusal="allows by NotPrincipal",
        ),
    ]


@pytest.mark.parametrize("word", ["policy={}", "Policy={}", "policy:{}", "{}"])
def test_a_policy_is_given_with_blanks_and_by_any_spelling(word: str) -> None:
    text = _given()
    assert parse(Wish, word.replace("{}", text).split(" ")).policy == text
    assert parse(Wish, []).policy is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "policy document in JSON"),
        ("[]", "policy document in JSON"),
        ("{}", "at least one statement"),
        ('{"Statement": []}', "at least one statement"),
        ('{"Statement": ["*"]}', "at least one statement"),
        (_given(Condition={}), "to everybody without a condition"),
        (_given(Principal="*", Condition={"StringEquals": {"SNS:Protocol": "sqs"}}), "to everybody"),
        (_given(Condition=[]), "to everybody"),
        (_given(Condition={"StringEquals": "everything"}), "to everybody"),
        (_given(Sid="x" * 31_000), "at most 30720 bytes"),
    ],
)
def test_a_policy_that_is_none_or_open_is_refused_before_anything_is_asked(text: str, why: str) -> None:
    with pytest.raises(BadWords, match=why):
        parse(Wish, [f"policy={text}"])


def test_a_policy_for_one_named_account_needs_no_condition() -> None:
    text = _given(Principal={"AWS": "222233334444"}, Condition={})
    assert parse(Wish, [f"policy={text}"]).policy == text


@pytest.mark.usefixtures("hub_environment")
async def test_open_statements_go_and_all_others_stay_wherever_the_topic_is(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    mixed = {**PARTNER, "Principal": {"AWS": ["*", "222233334444"]}}
    planted = _topic(admin, SERVICE, {**PUBLIC, "Principal": "*"}, mixed, region=ELSEWHERE)
    default, service, _, partner = _statements(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).region == ELSEWHERE
        assert (await one.fix()).compliant
        assert _statements(admin, planted) == [
            default,
            service,
            {**partner, "Principal": {"AWS": ["222233334444"]}},
        ]
        # A policy of nothing but open statements becomes the one every new topic has.
        arn = planted.entity["topicArn"]
        _set(admin, planted, {**PUBLIC, "Resource": arn})
        assert (await one.fix()).compliant
        assert same(
            *(
                json.dumps({"Statement": {**each, "Sid": ""}})
                for each in (*_statements(admin, planted), default)
            )
        )


@pytest.mark.usefixtures("hub_environment")
async def test_a_given_policy_is_set_and_its_account_filled_in(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _topic(admin, PARTNER, words=("Policy=" + _given(),))
    async with alone(bot, aws, admin, planted) as one:
        was = await one.check()
        assert "not the one asked for" in was.why
        after = await one.fix()
        assert after.compliant
        condition = _statements(admin, planted)[0]["Condition"]
        assert condition == {"StringEquals": {"AWS:SourceOwner": admin.account_id}}
        assert (await one.undo(was.before)).before == was.before
        other = _given(Resource=planted.entity["topicArn"] + "-of-somebody-else")
        with pytest.raises(CannotFix, match="alarms-of-somebody-else, not about topic"):
            await one.saying(f"policy={other}").check()


@pytest.mark.usefixtures("hub_environment")
async def test_strangers_who_have_subscribed_are_named(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _topic(admin, PUBLIC)
    sns, arn = admin.client("sns"), planted.entity["topicArn"]
    for number in range(2):
        sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=f"arn:aws:sqs:us-east-1:222233334444:q{number}")
    next(iter(sns_backends[admin.account_id]["us-east-1"].subscriptions.values())).owner = "222233334444"
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).notes == ("a subscription that stays: account 222233334444 by sqs",)
        assert (await one.fix()).notes == ()
