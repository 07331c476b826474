"""Scenes of `bots.s3_delete_bucket`, and what only this bot does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.s3control.models import s3control_backends

from bots._aws import AwsError
from bots._bot import CannotFix
from bots._s3 import LOG_DELIVERY_GROUP
from bots.s3_delete_bucket import Settings, bot
from tests.bots import buckets
from tests.bots.alone import alone
from tests.bots.scene import Planted, Scene
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import FakeAws

CLOUDTRAIL = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudtrail.amazonaws.com"},
    "Action": "s3:PutObject",
}


def _empty(admin: Admin, *, region: str = "us-east-1", **made: Any) -> Planted:
    planted = buckets.plant(admin, region=region, **made)
    admin.client("s3", region).delete_object(Bucket=planted.notes["name"], Key="2026/january.txt")
    return planted


def _furnished(admin: Admin, region: str = "us-east-1") -> Planted:
    policy = {
        "Statement": [{"Effect": "Allow", "Principal": {"AWS": "222233334444"}, "Action": "s3:GetObject"}]
    }
    planted = _empty(admin, region=region, policy=policy)
    s3, name = admin.client("s3", region), planted.notes["name"]
    s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "team", "Value": "blue"}]})
    s3.put_bucket_website(Bucket=name, WebsiteConfiguration={"IndexDocument": {"Suffix": "index.html"}})
    expiry = {"Date": datetime(2030, 1, 1, tzinfo=UTC)}
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": expiry}
    s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": [rule]})
    s3.create_multipart_upload(Bucket=name, Key="begun")
    return planted


def _observe(admin: Admin, planted: Planted) -> Any:
    s3 = admin.client("s3", planted.notes["region"])
    name = planted.notes["name"]
    if name not in [each["Name"] for each in s3.list_buckets()["Buckets"]]:
        return "gone"
    versions = s3.list_object_versions(Bucket=name)
    return {
        "policy": buckets.policy_of(admin, planted),
        "versions": [
            each["Key"] for kind in ("Versions", "DeleteMarkers") for each in versions.get(kind, ())
        ],
    }


def scenes() -> list[Scene]:
    return [
        Scene(
            name="empty",
            plant=_furnished,
            observe=_observe,
            missing=buckets.missing,
            when_missing="compliant",
            region="",
        ),
        Scene(
            name="not empty",
            plant=buckets.plant,
            observe=_observe,
            refusal="is not empty",
        ),
        Scene(
            name="target of a trail",
            plant=lambda admin: _empty(admin, policy={"Statement": [CLOUDTRAIL]}),
            observe=_observe,
            refusal="lets cloudtrail.amazonaws.com in",
        ),
    ]


@pytest.mark.usefixtures("hub_environment")
async def test_all_settings_are_saved_for_whoever_makes_it_anew(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    async with alone(bot, aws, admin, _furnished(admin, buckets.ELSEWHERE)) as one:
        seen = await one.check()
    assert isinstance(seen.before, Settings)
    found = json.loads(json.dumps(seen.before.found))
    assert seen.before.region == buckets.ELSEWHERE
    assert "222233334444" in found["GetBucketPolicy"]["Policy"]
    assert found["GetBucketTagging"] == {"TagSet": [{"Key": "team", "Value": "blue"}]}
    assert found["GetBucketLifecycleConfiguration"]["Rules"][0]["Expiration"]["Date"].startswith("2030-01-01")
    assert found["GetBucketAcl"]["in_force"] is True
    assert "GetBucketCors" not in found
    assert len(seen.notes) == 2


@pytest.mark.usefixtures("hub_environment")
async def test_a_bucket_of_nothing_but_delete_markers_is_not_empty(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _empty(admin, grants=[("OWNER", "FULL_CONTROL"), (LOG_DELIVERY_GROUP, "WRITE")])
    async with alone(bot, aws, admin, planted) as one:
        with pytest.raises(CannotFix, match="S3 access logs"):
            await one.check()
        s3, name = admin.client("s3"), planted.notes["name"]
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=name, Key="begun", Body=b"1")
        s3.delete_object(Bucket=name, Key="begun")
        with pytest.raises(CannotFix, match="delete markers"):
            await one.check()


@pytest.mark.usefixtures("hub_environment")
async def test_s3_has_the_last_word(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    planted = _empty(admin)
    name = planted.notes["name"]
    async with alone(bot, aws, admin, planted) as one:
        seen = await one.check()
        points = s3control_backends[admin.account_id]["aws"]
        point = points.create_access_point(admin.account_id, "reports", name, {}, {}, [])
        with pytest.raises(CannotFix, match="it has access points"):
            await one.bot.run_fix(one.account, one.target, one.params, seen.before)
        points.delete_access_point(admin.account_id, point.name)
        admin.client("s3").put_object(Bucket=name, Key="late", Body=b"1")
        with pytest.raises(CannotFix, match="not empty any more"):
            await one.bot.run_fix(one.account, one.target, one.params, seen.before)
    assert _observe(admin, planted)["versions"] == ["late"]


@pytest.mark.usefixtures("hub_environment")
async def test_a_denied_deletion_stays_an_error_of_aws(aws: FakeAws) -> None:
    admin = aws.fresh_account()
    aws.fail(admin.account_id, "s3:DeleteBucket", "OperationAborted", status=409)
    async with alone(bot, aws, admin, _empty(admin)) as one:
        with pytest.raises(AwsError, match="OperationAborted"):
            await one.fix()
