"""Scenes of `bots.cloudtrail_encrypt_log_files_using_new_key_creation`, and what only this bot does."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix, TryLater
from bots.cloudtrail_encrypt_log_files_using_new_key_creation import Protection, bot
from tests.bots.alone import Alone, alone
from tests.bots.scene import Planted, Scene
from tests.bots.trails import ELSEWHERE, a_trail, no_trail, seen
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

ALIAS = "alias/cloudtrail-audit"


def _policy(admin: Admin, trail: str = "audit") -> str:
    """As an earlier run left it."""
    arn = f"arn:aws:cloudtrail:us-east-1:{admin.account_id}:trail/{trail}"
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudtrail.amazonaws.com"},
                    "Action": ["kms:GenerateDataKey*", "kms:DescribeKey"],
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:SourceArn": arn}},
                },
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{admin.account_id}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                },
            ],
        }
    )


def _made_before(admin: Admin, *, trail: str = "audit", alias: bool = True, **made: Any) -> str:
    kms = admin.client("kms", ELSEWHERE)
    key = kms.create_key(Policy=_policy(admin, trail), **made)["KeyMetadata"]
    if alias:
        kms.create_alias(AliasName=ALIAS, TargetKeyId=key["KeyId"])
    return str(key["Arn"])


def _key_left_over(admin: Admin) -> Planted:
    """A bucket in another region than the trail, and a key that an earlier run made there."""
    _made_before(admin)
    return a_trail(admin, bucket_region=ELSEWHERE, EnableLogFileValidation=True)


def _alias_taken(admin: Admin) -> Planted:
    _made_before(admin, trail="another")
    return a_trail(admin, bucket_region=ELSEWHERE)


def _archive(admin: Admin) -> Planted:
    """The bucket is nobody's in this account."""
    planted = a_trail(admin)
    admin.client("s3").delete_bucket(Bucket=f"audit-logs-{admin.account_id}")
    return planted


def scenes() -> list[Scene]:
    return [
        Scene(name="neither key nor digests", plant=a_trail, observe=seen, missing=no_trail),
        Scene(name="key left over, bucket elsewhere", plant=_key_left_over, observe=seen),
        Scene(name="alias taken", plant=_alias_taken, observe=seen, refusal="delete the alias"),
        Scene(name="bucket elsewhere owned", plant=_archive, observe=seen, refusal="not one of this account"),
    ]


def _keys(admin: Admin, region: str = "us-east-1") -> list[str]:
    return [each["KeyArn"] for each in admin.client("kms", region).list_keys()["Keys"]]


def _key(one: Protection) -> str:
    assert one.key is not None
    return one.key


async def _fixed(one: Alone) -> Protection:
    after = await one.fix()
    assert after.compliant, after.why
    assert isinstance(after.before, Protection)
    return after.before


@pytest.mark.usefixtures("hub_environment")
async def test_the_new_key_rotates_has_an_alias_and_serves_cloudtrail_for_this_trail_only(
    aws: FakeAws,
) -> None:
    admin = aws.fresh_account()
    planted = a_trail(admin, name="audit.all")
    async with alone(bot, aws, admin, planted) as one:
        key = _key(await _fixed(one))
    kms = admin.client("kms")
    assert kms.describe_key(KeyId="alias/cloudtrail-audit_all")["KeyMetadata"]["Arn"] == key
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is True
    statements = json.loads(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"])["Statement"]
    keeps = [each for each in statements if "AWS" in each["Principal"]]
    serves = [each for each in statements if "AWS" not in each["Principal"]]
    assert [each["Principal"]["AWS"] for each in keeps] == [f"arn:aws:iam::{admin.account_id}:root"]
    assert [each["Condition"]["StringEquals"]["aws:SourceArn"] for each in serves] == [
        planted.entity["id"]
    ] * 2


@pytest.mark.usefixtures("hub_environment")
async def test_a_trail_with_a_working_key_keeps_it_and_gets_digests(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key = _made_before(admin, alias=False)
    async with alone(bot, aws, admin, a_trail(admin, bucket_region=ELSEWHERE, KmsKeyId=key)) as one:
        assert _key(await _fixed(one)) == key
    assert _keys(admin, ELSEWHERE) == [key]


@pytest.mark.usefixtures("hub_environment")
async def test_the_key_of_another_account_is_left_to_that_account(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    key = "arn:aws:kms:us-east-1:111122223333:key/11112222-3333-4444-5555-666677778888"
    async with alone(bot, aws, admin, a_trail(admin, KmsKeyId=key, EnableLogFileValidation=True)) as one:
        assert (await one.check()).compliant


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_that_was_switched_off_is_replaced(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    old = _made_before(admin, alias=False)
    admin.client("kms", ELSEWHERE).disable_key(KeyId=old.rpartition("/")[2])
    async with alone(bot, aws, admin, a_trail(admin, bucket_region=ELSEWHERE, KmsKeyId=old)) as one:
        assert "does not work" in (await one.check()).why
        assert _key(await _fixed(one)) != old


@pytest.mark.usefixtures("hub_environment")
async def test_a_key_that_is_behind_the_alias_but_off_is_left_to_a_person(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _key_left_over(admin)
    kms = admin.client("kms", ELSEWHERE)
    kms.disable_key(KeyId=kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["KeyId"])
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="enable that key or delete the alias"):
            await one.fix()


@pytest.mark.usefixtures("hub_environment")
@pytest.mark.parametrize("operation", ["kms:CreateAlias", "kms:EnableKeyRotation"])
async def test_a_key_whose_making_broke_off_is_used_by_the_next_run(aws: FakeAws, operation: str) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, a_trail(admin)) as one:
        aws.fail(admin.account_id, operation, "AccessDeniedException")
        with pytest.raises(AwsError, match="AccessDenied"):
            await one.fix()
        (made,) = _keys(admin)
        assert _key(await _fixed(one)) == made
    assert _keys(admin) == [made]
    assert admin.client("kms").describe_key(KeyId=ALIAS)["KeyMetadata"]["Arn"] == made


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_that_kms_has_not_spread_yet_is_waited_for_with_the_same_key(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, a_trail(admin, EnableLogFileValidation=True)) as one:
        seen_first = await one.check()
        await one.bot.run_fix(one.account, one.target, one.params, seen_first.before)
        await one.undo(seen_first.before)
        # The key is there now, so that the one change of the trail is the first.
        aws.fail(admin.account_id, "cloudtrail:UpdateTrail", "InsufficientEncryptionPolicyException")
        with pytest.raises(TryLater, match="has not spread"):
            await one.fix()
        await _fixed(one)
    assert len(_keys(admin)) == 1


@pytest.mark.usefixtures("hub_environment")
async def test_no_key_is_made_for_a_trail_that_takes_no_change(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, a_trail(admin)) as one:
        aws.fail(admin.account_id, "cloudtrail:UpdateTrail", "InsufficientS3BucketPolicyException")
        with pytest.raises(AwsError, match="InsufficientS3BucketPolicy"):
            await one.fix()
    assert _keys(admin) == []


@pytest.mark.usefixtures("hub_environment")
async def test_an_undo_keeps_the_key_and_another_fix_uses_it_again(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, a_trail(admin)) as one:
        was = (await one.check()).before
        first = _key(await _fixed(one))
        assert (await one.undo(was)).before == was
        assert _key(await _fixed(one)) == first
