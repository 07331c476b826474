"""Scenes of `bots.sns_enforce_sse`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from moto.kms.models import kms_backends

from bots._bot import CannotFix, TargetGone
from bots._words import BadWords, parse
from bots.sns_enforce_sse import Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

ELSEWHERE = "eu-west-1"
ALARMS = "cloudwatch.amazonaws.com"
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"


def _key(admin: Admin, region: str = "us-east-1", *services: str, **made: Any) -> str:
    """The ARN of a key that the services may use."""
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{admin.account_id}:root"},
        "Action": "kms:*",
    }
    use = {
        "Effect": "Allow",
        "Principal": {"Service": list(services)},
        "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
    }
    policy = json.dumps(
        {"Version": "2012-10-17", "Statement": [{**each, "Resource": "*"} for each in (root, use)]}
    )
    return str(admin.client("kms", region).create_key(Policy=policy, **made)["KeyMetadata"]["Arn"])


def _topic(
    admin: Admin, *words: str, region: str = "us-east-1", key: str = "", services: tuple[str, ...] = ()
) -> Planted:
    sns = admin.client("sns", region)
    arn = sns.create_topic(Name="alarms", Attributes={"KmsMasterKeyId": key} if key else {})["TopicArn"]
    if services:
        policy = json.loads(sns.get_topic_attributes(TopicArn=arn)["Attributes"]["Policy"])
        publish = {
            "Effect": "Allow",
            "Principal": {"Service": list(services)},
            "Action": "sns:Publish",
            "Resource": arn,
        }
        policy["Statement"].append(publish)
        sns.set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(policy))
    return Planted(
        entity={"topicArn": arn, "id": arn, "name": "alarms"}, words=words, notes={"region": region}
    )


def _observe(admin: Admin, planted: Planted) -> Any:
    sns = admin.client("sns", planted.notes["region"])
    return sns.get_topic_attributes(TopicArn=planted.entity["topicArn"])["Attributes"]


def _missing(admin: Admin) -> Planted:
    return Planted(entity={"id": f"arn:aws:sns:us-east-1:{admin.account_id}:never-made"}, words=(ID,))


def scenes() -> list[Scene]:
    return [
        Scene(
            name="not encrypted, alarms publish",
            plant=lambda admin: _topic(admin, _key(admin, "us-east-1", ALARMS), services=(ALARMS,)),
            observe=_observe,
            missing=_missing,
        ),
        Scene(
            name="alarms could not publish any more",
            plant=lambda admin: _topic(admin, _key(admin), services=(ALARMS,)),
            observe=_observe,
            refusal=f"lets {ALARMS} publish",
        ),
    ]


@pytest.mark.parametrize(
    "words",
    [
        (ID, "us-east-2"),
        (f"kmsKeyId={ID}", "kmsRegion=us-east-2"),
        (
            f"kms_key_id:{ID}",
            "us-east-2",
            "exec_function_arn=arn:aws:lambda:us-east-1:111122223333:function:hub",
        ),
    ],
)
def test_key_and_region_are_given_by_position_or_name(words: tuple[str, ...]) -> None:
    assert parse(Wish, words) == Wish(kms_key_id=ID, kms_region="us-east-2")


@pytest.mark.parametrize("words", [(), ("key; drop",), (ID, "everywhere"), (ID, "arn:aws:lambda:x")])
def test_other_words_are_refused_before_anything_is_asked(words: tuple[str, ...]) -> None:
    with pytest.raises(BadWords):
        parse(Wish, words)


@pytest.mark.usefixtures("hub_environment")
async def test_another_key_takes_the_place_of_the_old_one_in_the_topics_region(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    old, new = _key(admin, ELSEWHERE), _key(admin, ELSEWHERE)
    admin.client("kms", ELSEWHERE).create_alias(AliasName="alias/topics", TargetKeyId=new)
    planted = _topic(admin, "alias/topics", ELSEWHERE, region=ELSEWHERE, key=old)
    async with alone(bot, aws, admin, planted) as one:
        was = await one.check()
        assert was.region == ELSEWHERE
        assert (await one.fix()).compliant
        assert _observe(admin, planted)["KmsMasterKeyId"] == new
        # Under its id or alias the same key is right as well.
        for name in (new.rsplit("/", 1)[-1], "alias/topics"):
            admin.client("sns", ELSEWHERE).set_topic_attributes(
                TopicArn=planted.entity["id"], AttributeName="KmsMasterKeyId", AttributeValue=name
            )
            assert (await one.check()).compliant
        assert (await one.undo(was.before)).before == was.before
        with pytest.raises(CannotFix, match=f"cannot use a key in us-east-1: name a key in {ELSEWHERE}"):
            await one.saying(new, "us-east-1").bot.run_fix(
                one.account, one.target, one.saying(new, "us-east-1").params, was.before
            )


@pytest.mark.usefixtures("hub_environment")
async def test_the_key_of_aws_does_where_no_service_publishes(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    backend = kms_backends[admin.account_id]["us-east-1"]
    backend.create_alias(_key(admin), "alias/aws/sns")  # AWS makes it at the first use
    planted = _topic(admin, "alias/aws/sns")
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant
        assert _observe(admin, planted)["KmsMasterKeyId"] == "alias/aws/sns"
    served = _topic(admin, "alias/aws/sns", services=(ALARMS,))
    admin.client("sns").set_topic_attributes(
        TopicArn=served.entity["id"], AttributeName="KmsMasterKeyId", AttributeValue=""
    )
    async with alone(bot, aws, admin, served) as one:
        with pytest.raises(CannotFix, match="takes a customer managed key"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_works_after_the_key_was_switched_off(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key = _key(admin)
    async with alone(bot, aws, admin, _topic(admin, key)) as one:
        was = (await one.check()).before
        await one.fix()
        admin.client("kms").disable_key(KeyId=key.rsplit("/", 1)[-1])
        now = await one.check()
        assert not now.compliant
        assert "KeyState is Disabled" in now.why
        await one.bot.run_undo(one.account, one.target, was)
        with pytest.raises(CannotFix, match="KeyState is Disabled"):
            await one.check()
        with pytest.raises(CannotFix, match="is in eu-west-1"):
            await one.saying(_key(admin, ELSEWHERE)).check()


@pytest.mark.usefixtures("hub_environment")
async def test_topics_of_others_and_topics_that_are_not_there_are_told_apart(aws: FakeAws) -> None:
    admin, stranger = aws.fresh_account(), aws.fresh_account()
    async with alone(bot, aws, admin, _topic(stranger, ID)) as one:
        with pytest.raises(CannotFix, match=f"belongs to account {stranger.account_id}"):
            await one.check()
    async with alone(bot, aws, admin, Planted(entity={"id": "never-made"}, words=(ID,))) as one:
        with pytest.raises(TargetGone, match=f"arn:aws:sns:us-east-1:{admin.account_id}:never-made"):
            await one.check()
