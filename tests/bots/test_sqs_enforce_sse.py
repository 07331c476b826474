"""Scenes of `bots.sqs_enforce_sse`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bots._bot import CannotFix
from bots._policies import lets_service
from bots._words import BadWords, parse
from bots.sqs_enforce_sse import Encryption, Wish, bot
from tests.bots.alone import alone
from tests.bots.queues import missing, observe, plant
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"
SNS = "sns.amazonaws.com"


def _let_in(service: str, *actions: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": list(actions),
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _key(admin: Admin, *actions: str, region: str = "us-east-1", **made: Any) -> str:
    """A key that lets SNS do the actions."""
    policy = {"Policy": _let_in(SNS, *actions)} if actions else {}
    return str(admin.client("kms", region).create_key(**policy, **made)["KeyMetadata"]["Arn"])


def _off(admin: Admin) -> Planted:
    return plant(admin, SqsManagedSseEnabled="false")


def _with_key(admin: Admin) -> Planted:
    """SNS sends to the queue and may use the new key; the old one stays to be put back."""
    key = _key(admin, "kms:GenerateDataKey*", "kms:Decrypt")
    old = {"KmsMasterKeyId": "alias/aws/sqs", "KmsDataKeyReusePeriodSeconds": "600"}
    return plant(admin, "kms", key, Policy=_let_in(SNS, "sqs:SendMessage"), **old)


def _shut_out(admin: Admin) -> Planted:
    return plant(admin, _key(admin, "kms:Decrypt"), Policy=_let_in(SNS, "sqs:SendMessage"))


def scenes() -> list[Scene]:
    return [
        Scene(name="not encrypted", plant=_off, observe=observe, missing=missing),
        Scene(name="another key wished", plant=_with_key, observe=observe),
        Scene(
            name="key shuts SNS out",
            plant=_shut_out,
            observe=observe,
            refusal="lets sns.amazonaws.com send, but the policy of key",
        ),
    ]


@pytest.mark.parametrize(
    ("words", "key", "region"),
    [
        ([], None, None),
        (["exec_function_arn=arn:aws:lambda:x"], None, None),
        ([KEY], KEY, None),
        (["kms", KEY], KEY, None),
        (["KMS", KEY, "us-east-2"], KEY, "us-east-2"),
        ([KEY, "us-east-2"], KEY, "us-east-2"),
        (["mrk-1234abcd12ab34cd56ef1234567890ab"], "mrk-1234abcd12ab34cd56ef1234567890ab", None),
        ([f"kmsKeyId={KEY}", "kmsRegion=us-east-2"], KEY, "us-east-2"),
        ([KEY, "kms_region=us-east-2"], KEY, "us-east-2"),
        (["alias/orders"], "alias/orders", None),
    ],
)
def test_the_word_kms_may_stand_before_the_key(words: list[str], key: str | None, region: str | None) -> None:
    wish = parse(Wish, words)
    assert (wish.kms_key_id, wish.kms_region) == (key, region)


@pytest.mark.parametrize(
    ("words", "about"),
    [
        (["kms"], "needs a key"),
        (["kmsRegion=us-east-2"], "needs a key"),
        (["kms", "orders"], "'orders' is no id"),
        ([KEY, KEY, "us-east-2"], "three words must be"),
        (["kms", KEY, "us-east-2", "more"], "one too many"),
    ],
)
def test_words_that_name_no_key_are_refused_before_anything_is_asked(words: list[str], about: str) -> None:
    with pytest.raises(BadWords, match=about):
        parse(Wish, words)


@pytest.mark.parametrize(
    ("document", "lets"),
    [
        (_let_in(SNS, "kms:GenerateDataKey", "kms:Decrypt"), True),
        (_let_in(SNS, "kms:*"), True),
        (_let_in(SNS, "KMS:generatedatakey*", "kms:Dec*"), True),
        (_let_in(SNS, "kms:Decrypt"), False),
        (_let_in("events.amazonaws.com", "kms:*"), False),
        (_let_in(SNS, "kms:*").replace("Allow", "Deny"), False),
        ('{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "kms:*"}}', False),
    ],
)
def test_a_key_policy_lets_a_service_in_only_by_its_name(document: str, lets: bool) -> None:
    assert lets_service(document, SNS, ["kms:GenerateDataKey", "kms:Decrypt"]) is lets


@pytest.mark.usefixtures("hub_environment")
async def test_a_queue_on_kms_is_never_taken_back_to_keys_of_sqs(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = plant(admin, KmsMasterKeyId=_key(admin))
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.check()).compliant
    assert aws.calls(admin.account_id)[-1].name == "sqs:GetQueueAttributes"


@pytest.mark.usefixtures("hub_environment")
async def test_the_wished_key_is_stored_by_its_arn_and_the_old_state_comes_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key = _key(admin)
    admin.client("kms").create_alias(AliasName="alias/orders", TargetKeyId=key)
    planted = plant(admin, "alias/orders")
    was = observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        saved = (await one.check()).before
        assert saved == Encryption(kms_key=None, reuse_seconds=None, sqs_keys=True)
        after = await one.fix()
        assert after.before == Encryption(kms_key=key, reuse_seconds=300, sqs_keys=False)
        assert (await one.saying(key).check()).compliant
        assert (await one.undo(saved)).before == saved
    assert observe(admin, planted) == was


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_of_another_region_is_refused_but_for_its_replica_here(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    far = _key(admin, region="us-east-2", MultiRegion=True)
    admin.client("kms", "us-east-2").replicate_key(KeyId=far.rsplit("/", 1)[-1], ReplicaRegion="us-east-1")
    planted = plant(admin)
    async with alone(bot, aws, admin, planted) as one:
        for words, why in (((KEY, "us-east-2"), "the queue's own region"), ((far,), "is in us-east-2")):
            with pytest.raises(CannotFix, match=why):
                await one.saying(*words).check()
        after = await one.saying(far.rsplit("/", 1)[-1], "us-east-2").fix()
    assert after.compliant
    assert after.why.endswith(far.replace("us-east-2", "us-east-1"))


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_is_possible_after_the_key_was_switched_off(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key = _key(admin)
    planted = plant(admin, key, SqsManagedSseEnabled="false")
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        admin.client("kms").disable_key(KeyId=key.rsplit("/", 1)[-1])
        seen = await one.check()
        assert not seen.compliant
        assert "KeyState is Disabled" in seen.why
        with pytest.raises(CannotFix, match="KeyState"):
            await one.fix()
        await one.bot.run_undo(one.account, one.target, was)
    assert observe(admin, planted)["attributes"]["SqsManagedSseEnabled"] == "false"
