"""Server access logs of S3: the bucket an account keeps them in, and whether S3 can deliver into it."""

from __future__ import annotations

from bots import _log_bucket
from bots._aws import Aws, together
from bots._bot import CannotFix, on
from bots._log_bucket import LogBucket
from bots._policies import Statement
from bots._s3 import LOGGING_SERVICE

_LOG_BUCKET = ("arn:{partition}:s3:::{account}s3accesslogs*",)
READS = on(
    _LOG_BUCKET,
    "s3:GetEncryptionConfiguration",
    "s3:GetBucketObjectLockConfiguration",
    "s3:GetBucketRequestPayment",
)
WRITES = on(_LOG_BUCKET, *_log_bucket.WRITES)
_NO_LOCK = ("ObjectLockConfigurationNotFoundError",)


def bucket_for(home: Aws) -> str:
    """Name of the bucket for the access logs of the account in this region."""
    return f"{home.account_id}s3accesslogs{home.region}"


def leave_for(home: Aws, bucket: LogBucket) -> Statement:
    """What lets S3 deliver the access logs of the account's buckets."""
    # One statement for all buckets of the account: one for each would outgrow the policy.
    return _log_bucket.leave(
        "S3ServerAccessLogs",
        LOGGING_SERVICE,
        "s3:PutObject",
        _log_bucket.arn_of(home, bucket.name, ""),
        {
            "ArnLike": {"aws:SourceArn": f"arn:{home.partition}:s3:::*"},
            "StringEquals": {"aws:SourceAccount": home.account_id},
        },
    )


async def usable(home: Aws, name: str) -> LogBucket:
    """The log bucket of that name in this region, there or still to be made.

    Raises:
        CannotFix: logs would not arrive in it.
    """
    bucket = await _log_bucket.look(home, name, region=home.region)
    if bucket.existed:
        await _refuse_unfit(home, bucket)
    return bucket


async def is_there(home: Aws, name: str) -> bool:
    """Whether the bucket that logs go to still is there; S3 does not notice when it is deleted."""
    try:
        return (await _log_bucket.look(home, name)).existed
    except CannotFix:
        return True  # it keeps this role out, as a good archive does


async def _refuse_unfit(home: Aws, bucket: LogBucket) -> None:
    """
    Raises:
        CannotFix: S3 would lose the logs on their way into the bucket, without a word.
    """
    own = {"Bucket": bucket.name, "ExpectedBucketOwner": home.account_id}
    lock, payment, _ = await together(
        home.find("s3", "GetObjectLockConfiguration", absent=_NO_LOCK, **own),
        home.call("s3", "GetBucketRequestPayment", **own),
        _log_bucket.refuse_kms(home, bucket, "server access"),
    )
    if lock and "Rule" in lock.get("ObjectLockConfiguration", {}):
        raise CannotFix(
            f"log bucket {bucket.name} locks every object by default: S3 delivers no logs into it"
        )
    if payment.get("Payer") == "Requester":
        raise CannotFix(f"log bucket {bucket.name} makes requesters pay: S3 delivers no logs into it")
