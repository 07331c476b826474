"""Trails for the tests of the bots about them."""

from __future__ import annotations

from typing import Any

from tests.bots import buckets
from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin
from tests.fake_aws.server import allow, policy

ELSEWHERE = "eu-west-1"


def a_trail(
    admin: Admin,
    *words: str,
    name: str = "audit",
    region: str = "us-east-1",
    bucket_region: str = "us-east-1",
    notes: dict[str, Any] | None = None,
    **made: Any,
) -> Planted:
    """A trail with a bucket of its own, as a finding has it."""
    bucket = f"{name.lower().replace('_', '-')}-logs-{admin.account_id}"
    buckets.make(admin, bucket, bucket_region)
    let_cloudtrail_in(admin, bucket, bucket_region)
    trail = admin.client("cloudtrail", region).create_trail(Name=name, S3BucketName=bucket, **made)
    entity = {"id": trail["TrailARN"], "name": name, "type": "CloudTrail", "region": region.replace("-", "_")}
    return Planted(entity=entity, words=words, notes={"region": region, "name": name, **(notes or {})})


def let_cloudtrail_in(admin: Admin, bucket: str, region: str = "us-east-1") -> None:
    """AWS makes no trail into a bucket that does not admit CloudTrail."""
    actions, who = ("s3:GetBucketAcl", "s3:PutObject"), {"Principal": {"Service": "cloudtrail.amazonaws.com"}}
    statement = allow(*actions, resource=[f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"], **who)
    admin.client("s3", region).put_bucket_policy(Bucket=bucket, Policy=policy(statement))


def by_name(planted: Planted) -> Planted:
    """The same finding with the trail's name for its ARN."""
    return Planted(
        entity={**planted.entity, "id": planted.notes["name"]}, words=planted.words, notes=planted.notes
    )


def no_trail(admin: Admin) -> Planted:
    arn = f"arn:aws:cloudtrail:us-east-1:{admin.account_id}:trail/never-made"
    return Planted(entity={"id": arn, "name": "never-made", "type": "CloudTrail"})


def seen(admin: Admin, planted: Planted) -> dict[str, Any]:
    """All settings of the trail and whether it logs."""
    cloudtrail = admin.client("cloudtrail", planted.notes["region"])
    found: dict[str, Any] = cloudtrail.get_trail(Name=planted.notes["name"])["Trail"]
    return {**found, "IsLogging": cloudtrail.get_trail_status(Name=planted.notes["name"])["IsLogging"]}
