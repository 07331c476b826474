"""What every bucket bot shares: the bucket's region is learnt from S3's answers and asked of nobody."""

from __future__ import annotations

import pytest

from bots import _log_bucket
from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone
from bots.s3_enable_logging import bot as logging_bot
from bots.s3_enable_versioning import bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

READ = "GetBucketVersioning"

pytestmark = pytest.mark.usefixtures("hub_environment")


def _bucket(admin: Admin, region: str) -> Planted:
    return Planted(entity={"id": buckets.make(admin, f"far-{admin.account_id}", region)})


def _calls(aws: FakeAws, admin: Admin) -> list[tuple[str, str]]:
    return [(call.operation, call.region) for call in aws.calls(admin.account_id)]


@pytest.mark.parametrize(
    ("said", "lives"),
    [
        ("us-east-1", "eu-west-1"),
        ("eu-central-1", "eu-west-1"),
        ("eu-central-1", "us-east-1"),
        ("eu-west-1", "af-south-1"),
        ("me-south-1", "us-east-1"),
    ],
)
async def test_a_wrong_region_costs_one_refused_call_and_nothing_is_kept_of_it(
    aws: FakeAws, said: str, lives: str
) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _bucket(admin, lives), region=said) as there:
        seen = await there.check()
        assert (seen.region, seen.before.model_dump()["region"]) == (lives, lives)
        await there.bot.run_fix(there.account, there.target, there.params, seen.before)
        assert (await there.check()).compliant
    look = [(READ, said), (READ, lives)]
    assert _calls(aws, admin) == [*look, ("PutBucketVersioning", lives), *look]


async def test_a_right_region_costs_nothing(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _bucket(admin, "af-south-1"), region="af-south-1") as there:
        await there.check()
    assert _calls(aws, admin) == [(READ, "af-south-1")]


async def test_a_stranger_s_bucket_in_another_region_is_refused_there(aws: FakeAws) -> None:
    stranger, admin = aws.fresh_account(), aws.fresh_account()
    # Its policy lets the whole world in: nothing but the expected owner keeps the bot out.
    name = buckets.make(stranger, f"far-{stranger.account_id}", "eu-west-1")
    everything = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": f"arn:aws:s3:::{name}"}
    buckets.set_policy(stranger, name, everything)
    async with alone(bot, aws, admin, Planted(entity={"id": name})) as there:
        with pytest.raises(AwsError, match="GetBucketVersioning in eu-west-1: AccessDenied") as caught:
            await there.check()
    assert caught.value.status == 403


async def test_no_bucket_is_told_apart_in_any_region(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, buckets.missing(admin), region="eu-central-1") as there:
        with pytest.raises(TargetGone, match=f"bucket never-made-{admin.account_id} does not exist"):
            await there.check()


async def test_what_was_made_anew_in_another_region_is_another_bucket(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _bucket(admin, "eu-west-1")
    name = planted.entity["id"]
    async with alone(bot, aws, admin, planted) as there:
        seen = await there.check()
        admin.client("s3", "eu-west-1").delete_bucket(Bucket=name)
        buckets.make(admin, name, "eu-central-1")
        with pytest.raises(AwsError, match="PermanentRedirect"):
            await there.bot.run_fix(there.account, there.target, there.params, seen.before)
    assert "Status" not in admin.client("s3", "eu-central-1").get_bucket_versioning(Bucket=name)


@pytest.mark.parametrize(("asked", "lives"), [("us-east-1", "eu-west-1"), ("eu-west-1", "af-south-1")])
async def test_a_log_bucket_is_found_in_any_region(aws: FakeAws, asked: str, lives: str) -> None:
    admin = aws.fresh_account()
    name = buckets.make(admin, f"{admin.account_id}s3accesslogs-far", lives)
    async with alone(logging_bot, aws, admin, buckets.missing(admin), region=asked) as there:
        found = await _log_bucket.look(there.account, name)
        assert (found.region, found.existed) == (lives, True)
        with pytest.raises(CannotFix, match=f"is in {lives}, but it must be in {asked}"):
            await _log_bucket.look(there.account, name, region=asked)
