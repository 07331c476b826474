"""What every bucket bot needs first: the bucket's name and the region it lives in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, Target, TargetGone
from bots._policies import services_let_in

OwnBucket = dict[str, str]  # arguments that name a bucket of the account
_A = TypeVar("_A")

BUCKET = ("arn:{partition}:s3:::*",)
NO_POLICY = ("NoSuchBucketPolicy",)
LOGGING_SERVICE = "logging.s3.amazonaws.com"
LOG_DELIVERY_GROUP = "http://acs.amazonaws.com/groups/s3/LogDelivery"


def bucket_name(target: Target) -> str:
    """The bucket's name, also when the finding gave its ARN."""
    return target.id.rsplit(":::", 1)[-1].split("/", 1)[0]


def own_bucket(aws: Aws, target: Target) -> OwnBucket:
    """Arguments naming the bucket; S3 refuses if it has come to belong to another account."""
    return {"Bucket": bucket_name(target), "ExpectedBucketOwner": aws.account_id}


async def bucket_home(
    aws: Aws, target: Target, read: Callable[[Aws, OwnBucket], Awaitable[_A]]
) -> tuple[Aws, _A]:
    """The account in the bucket's own region, and what ``read`` finds there.

    The finding's region is only a hint, and it is nearly always right: ``read`` is tried there first. S3
    answers for a bucket in its own region alone and elsewhere says which that is, so nobody has to ask.

    Args:
        read: the check's first look at the bucket; called again where the bucket lives if that is elsewhere.

    Raises:
        TargetGone: no such bucket.
        CannotFix: a directory bucket, which lacks the bucket-level settings.
    """
    name, bucket = bucket_name(target), own_bucket(aws, target)
    if name.endswith("--x-s3"):
        raise CannotFix(f"{name} is a directory bucket; this setting does not exist there")
    try:
        return await _where_it_lives(aws, lambda home: read(home, bucket))
    except AwsError as error:
        if error.code != "NoSuchBucket":
            raise
        raise TargetGone(f"bucket {name} does not exist") from error


async def _where_it_lives(aws: Aws, read: Callable[[Aws], Awaitable[_A]]) -> tuple[Aws, _A]:
    try:
        return aws, await read(aws)
    except AwsError as error:
        if error.right_region is None:
            raise
        home = aws.at(error.right_region)
    return home, await read(home)


async def region_of(aws: Aws, name: str) -> str | None:
    """Where the account's bucket of that name lives; None: there is none. Needs s3:ListBucket."""
    own = {"Bucket": name, "ExpectedBucketOwner": aws.account_id}
    absent = ("404", "NoSuchBucket")
    home, head = await _where_it_lives(aws, lambda home: home.find("s3", "HeadBucket", absent=absent, **own))
    return None if head is None else str(head.get("BucketRegion") or home.region)


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
