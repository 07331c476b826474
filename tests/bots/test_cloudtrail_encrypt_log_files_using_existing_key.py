"""Scenes of `bots.cloudtrail_encrypt_log_files_using_existing_key`, and what only this bot does."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from bots._bot import CannotFix
from bots._trail_keys import lets_encrypt
from bots._words import BadWords, parse
from bots.cloudtrail_encrypt_log_files_using_existing_key import Encryption, Wish, bot
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.bots.trails import ELSEWHERE, a_trail, no_trail, seen
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws
from tests.fake_aws.server import policy as policy_of

TRAIL = "arn:aws:cloudtrail:us-east-1:222233334444:trail/audit"
CLOUDTRAIL = {"Service": "cloudtrail.amazonaws.com"}
LET_IN = {"Effect": "Allow", "Principal": CLOUDTRAIL, "Resource": "*"}
BOTH = [
    {**LET_IN, "Action": "kms:GenerateDataKey*"},
    {**LET_IN, "Action": "kms:DescribeKey"},
]


def _key(
    admin: Admin, region: str = "us-east-1", *, policy: str = policy_of(*BOTH), alias: str = "alias/audit"
) -> str:
    kms = admin.client("kms", region)
    arn = str(kms.create_key(Policy=policy)["KeyMetadata"]["Arn"])
    kms.create_alias(AliasName=alias, TargetKeyId=arn)
    return arn


def _bare(admin: Admin) -> Planted:
    _key(admin)
    return a_trail(admin, "alias/audit")


def _other_key(admin: Admin) -> Planted:
    """A bucket in another region than the trail, and log files under an older key."""
    old = _key(admin, ELSEWHERE, alias="alias/old")
    key = _key(admin, ELSEWHERE)
    return a_trail(admin, f"key_id={key}", bucket_region=ELSEWHERE, KmsKeyId=old)


def _shut_out(admin: Admin) -> Planted:
    _key(admin, policy=policy_of())
    return a_trail(admin, "alias/audit")


def scenes() -> list[Scene]:
    missing = replace_words(no_trail, "alias/audit")
    return [
        Scene(name="no key", plant=_bare, observe=seen, missing=missing),
        Scene(name="another key, bucket elsewhere", plant=_other_key, observe=seen),
        Scene(
            name="a key that shuts CloudTrail out",
            plant=_shut_out,
            observe=seen,
            refusal="does not let CloudTrail use it",
        ),
        Scene(
            name="no such key",
            plant=lambda admin: a_trail(admin, "alias/never-made"),
            observe=seen,
            refusal="there is no key alias/never-made",
        ),
    ]


def replace_words(plant: Any, *words: str) -> Any:
    return lambda admin: replace(plant(admin), words=words)


@pytest.mark.parametrize(
    ("statements", "lets"),
    [
        (BOTH, True),
        (BOTH[:1], False),
        ([{**LET_IN, "Action": ["KMS:*"]}], True),
        ([{**LET_IN, "Action": "kms:*", "Principal": "*"}], True),
        ([{**LET_IN, "Action": "kms:*", "Principal": {"AWS": "arn:aws:iam::222233334444:root"}}], False),
        ([{**LET_IN, "Action": "kms:*", "Effect": "Deny"}], False),
        ([{**LET_IN, "NotAction": "kms:Decrypt"}], False),
        ([{**LET_IN, "Action": "kms:*", "Condition": {"ArnLike": {"AWS:SourceArn": "*:trail/a*"}}}], True),
        ([{**LET_IN, "Action": "kms:*", "Condition": {"StringEquals": {"aws:SourceArn": ["x"]}}}], False),
        ([{**LET_IN, "Action": "kms:*", "Condition": {"StringNotEquals": {"aws:SourceArn": "x"}}}], True),
    ],
)
def test_a_key_policy_is_read_as_cloudtrail_feels_it(statements: list[dict[str, Any]], lets: bool) -> None:
    assert lets_encrypt(policy_of(*statements), TRAIL) is lets


@pytest.mark.parametrize(
    "word", ["", "exec_function_arn=arn:aws:lambda:us-east-1:222233334444:function:x", "a b"]
)
def test_without_a_key_nothing_is_asked_of_aws(word: str) -> None:
    with pytest.raises(BadWords, match="key_id"):
        parse(Wish, [word])


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("spelling", ["id", "alias arn"])
async def test_the_trail_gets_the_arn_whatever_the_finding_calls_the_key(aws: FakeAws, spelling: str) -> None:
    admin = aws.fresh_account()
    arn = _key(admin)
    words = {"id": arn.rpartition("/")[2], "alias arn": f"{arn.partition(':key/')[0]}:alias/audit"}
    async with alone(bot, aws, admin, a_trail(admin, words[spelling])) as one:
        after = await one.fix()
    assert after.compliant
    assert isinstance(after.before, Encryption)
    assert after.before.key == arn


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("by_arn", [True, False])
async def test_the_key_for_a_bucket_of_another_account_is_sought_where_it_says(
    aws: FakeAws, by_arn: bool
) -> None:
    admin, archive = aws.fresh_account(), aws.fresh_account()
    region = ELSEWHERE if by_arn else "us-east-1"
    arn = _key(admin, region)
    bucket = a_trail(archive, bucket_region=region).entity
    trail = admin.client("cloudtrail").create_trail(
        Name="audit", S3BucketName=f"audit-logs-{archive.account_id}"
    )
    planted = Planted(entity={**bucket, "id": trail["TrailARN"]}, words=(arn if by_arn else "alias/audit",))
    async with alone(bot, aws, admin, planted) as one:
        assert (await one.fix()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_works_although_the_new_key_was_switched_off(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _other_key(admin)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        await one.fix()
        key = planted.words[0].rpartition("/")[2]
        admin.client("kms", ELSEWHERE).disable_key(KeyId=key)
        assert "KeyState is Disabled" in (await one.check()).why
        after = await one.undo(was)
        assert after.before == was
        with pytest.raises(CannotFix, match="KeyState is Disabled"):
            await one.fix()
