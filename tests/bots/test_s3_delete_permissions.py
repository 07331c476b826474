"""Scenes of `bots.s3_delete_permissions`, and what only this bot does."""

from __future__ import annotations

import pytest

from bots._aws import AwsError
from bots._bot import CannotFix
from bots._s3 import LOG_DELIVERY_GROUP
from bots.s3_delete_permissions import bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.buckets import EVERYBODY
from tests.bots.scene import Scene
from tests.fake_aws.server import FakeAws

OWN = ("OWNER", "FULL_CONTROL")
# Blanks and order as nobody's serialiser writes them: an undo must bring back every byte.
POLICY = """{ "Version":"2012-10-17",
  "Statement" : {"Effect":"Allow", "Action":"s3:GetObject", "Principal":"*", "Resource":"arn:aws:s3:::BUCKET/*"} }"""
DENY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"a": "b"}},
}
CLOUDTRAIL = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudtrail.amazonaws.com"},
    "Action": "s3:PutObject",
}


def scenes() -> list[Scene]:
    return [
        Scene(
            name="policy and public ACL",
            plant=lambda admin: buckets.plant(admin, policy=POLICY, grants=[OWN, (EVERYBODY, "READ")]),
            observe=buckets.observe,
            missing=buckets.missing,
            region="",
        ),
        Scene(
            name="log target by policy",
            plant=lambda admin: buckets.plant(admin, policy={"Statement": [CLOUDTRAIL]}),
            observe=buckets.observe,
            refusal="lets cloudtrail.amazonaws.com in",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_only_what_is_there_is_taken_away_and_put_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = buckets.plant(admin, region=buckets.ELSEWHERE, grants=[(EVERYBODY, "READ")])
    before = buckets.observe(admin, planted)
    async with alone(bot, aws, admin, planted) as one:
        was = (await one.check()).before
        assert (await one.fix()).compliant
        assert (await one.undo(was)).before == was
        assert buckets.observe(admin, planted) == before
        after = await one.fix()
        assert after.compliant
        assert "neither policy nor ACL" in after.why
        admin.client("s3").put_bucket_policy(Bucket=planted.notes["name"], Policy=POLICY)
        was = (await one.check()).before
        assert (await one.fix()).compliant
        assert (await one.undo(was)).before == was
    writes = [
        call.operation for call in aws.calls(admin.account_id) if call.is_write and call.service == "s3"
    ]
    assert writes == ["PutBucketAcl"] * 3 + ["DeleteBucketPolicy", "PutBucketPolicy"]


@pytest.mark.usefixtures("hub_environment")
async def test_a_policy_that_cannot_be_deleted_brings_the_acl_back(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = buckets.plant(admin, policy=POLICY, grants=[OWN, (EVERYBODY, "READ")])
    before = buckets.observe(admin, planted)
    aws.fail(admin.account_id, "s3:DeleteBucketPolicy", "OperationAborted", status=409)
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(AwsError, match="OperationAborted"):
            await one.fix()
    assert buckets.observe(admin, planted) == before


@pytest.mark.usefixtures("hub_environment")
async def test_log_delivery_by_acl_is_not_cut_off(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(
        bot, aws, admin, buckets.plant(admin, grants=[OWN, (LOG_DELIVERY_GROUP, "WRITE")])
    ) as one:
        with pytest.raises(CannotFix, match="S3 access logs"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_denials_that_go_and_undos_that_cannot_be_are_pointed_out(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    gone = {"Effect": "Allow", "Principal": {"AWS": "AROACKCEVSQ6C2EXAMPLE"}, "Action": "s3:GetObject"}
    planted = buckets.plant(admin, policy={"Statement": [DENY, gone]})
    # The fake AWS evaluates conditions, and this one never holds.
    async with alone(bot, aws, admin, planted) as one:
        notes = (await one.check()).notes
    assert any(
        note.startswith("statements of the policy that deny something go as well: 1") for note in notes
    )
    assert any("AROACKCEVSQ6C2EXAMPLE" in note for note in notes)
