"""What every bucket bot needs first: the bucket's name and the region it lives in."""

from __future__ import annotations

from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone
from bots._policies import services_let_in

BUCKET = ("arn:{partition}:s3:::*",)
NO_POLICY = ("NoSuchBucketPolicy",)
LOGGING_SERVICE = "logging.s3.amazonaws.com"
LOG_DELIVERY_GROUP = "http://acs.amazonaws.com/groups/s3/LogDelivery"


def bucket_name(target: Target) -> str:
    """The bucket's name, also when the finding gave its ARN."""
    return target.id.rsplit(":::", 1)[-1].split("/", 1)[0]


def own_bucket(aws: Aws, target: Target) -> dict[str, str]:
    """Arguments naming the bucket; S3 refuses if it has come to belong to another account."""
    return {"Bucket": bucket_name(target), "ExpectedBucketOwner": aws.account_id}


async def bucket_home(aws: Aws, target: Target) -> Aws:
    """The account in the bucket's own region, as S3 says it; the finding's region is only a hint.

    Raises:
        TargetGone: no such bucket.
        CannotFix: a directory bucket, which lacks the bucket-level settings.
    """
    name = bucket_name(target)
    if name.endswith("--x-s3"):
        raise CannotFix(f"{name} is a directory bucket; this setting does not exist there")
    head = await head_of(aws, name)
    if head is None:
        raise TargetGone(f"bucket {name} does not exist")
    return aws.at(head.get("BucketRegion") or aws.region)


async def head_of(aws: Aws, name: str) -> dict[str, Any] | None:
    """What S3 tells of the account's bucket of that name, its region among it; None: there is none."""
    return await aws.find(
        "s3", "HeadBucket", absent=("404", "NoSuchBucket"), Bucket=name, ExpectedBucketOwner=aws.account_id
    )


async def read_policy(home: Aws, bucket: dict[str, str]) -> str | None:
    """The bucket's policy as S3 keeps it, None if there is none."""
    found = await home.find("s3", "GetBucketPolicy", absent=NO_POLICY, **bucket)
    return None if found is None else str(found["Policy"])


async def delivering_services(home: Aws, name: str) -> frozenset[str]:
    """AWS services the bucket lets deliver into it, by policy or, for access logs of older buckets, by ACL."""
    bucket = {"Bucket": name, "ExpectedBucketOwner": home.account_id}
    services = services_let_in(await read_policy(home, bucket))
    acl = await home.call("s3", "GetBucketAcl", **bucket)
    if any(grant.get("Grantee", {}).get("URI") == LOG_DELIVERY_GROUP for grant in acl.get("Grants", ())):
        services |= {LOGGING_SERVICE}
    return services
