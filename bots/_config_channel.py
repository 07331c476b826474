"""Where AWS Config delivers what it records: its delivery channel, and the bucket behind it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from bots import _log_bucket
from bots._aws import Aws
from bots._bot import CannotFix
from bots._config_recorder import SERVICE
from bots._log_bucket import HANDED_OVER, LogBucket, arn_of, leave
from bots._policies import Statement


async def bucket_for(
    aws: Aws, channel: Mapping[str, Any] | None, name: str | None, region: str | None
) -> tuple[LogBucket | None, tuple[str, ...]]:
    """The bucket that must be made or opened to Config, if any, and remarks about it.

    Args:
        channel: the channel there is; without one ``name`` and ``region`` say where it is to lead.
    """
    if channel is not None:
        try:
            found = await _log_bucket.look(aws, channel["s3BucketName"])
        except CannotFix:
            return None, ()  # the central bucket of another account, which AWS accepted
        return (None, ()) if found.existed else (found, await _log_bucket.remarks(aws, found))
    name = name or f"{aws.account_id}awsconfiglogs"
    found = await _log_bucket.look(aws.at(region or aws.region), name)
    notes = await _log_bucket.remarks(aws, found)
    if await _log_bucket.default_encryption(aws, found) != "AES256":
        notes += (f"{name} encrypts with KMS: the key's policy must let {SERVICE} use the key",)
    return found, notes


def new(bucket: LogBucket | None) -> dict[str, Any]:
    """A channel into the bucket."""
    return {
        "name": "default",
        "s3BucketName": bucket and bucket.name,
        "configSnapshotDeliveryProperties": {"deliveryFrequency": "One_Hour"},
    }


@contextlib.asynccontextmanager
async def ready(aws: Aws, channel: Mapping[str, Any], bucket: LogBucket | None) -> AsyncIterator[None]:
    """The channel's bucket, if it needs anything, open to Config inside the block; see `_log_bucket.ready`."""
    if bucket is None:
        yield
        return
    async with _log_bucket.ready(aws, bucket, *_leave_for(aws, channel)):
        yield


def _leave_for(aws: Aws, channel: Mapping[str, Any]) -> tuple[Statement, Statement]:
    """What lets Config deliver for this account, from any region, into the channel's bucket."""
    bucket, prefix = channel["s3BucketName"], channel.get("s3KeyPrefix")
    mine = {"aws:SourceAccount": aws.account_id}
    under = f"{prefix + '/' if prefix else ''}AWSLogs/{aws.account_id}/Config/"
    # With the account in its name: the bucket may gather what Config records in many accounts.
    return (
        leave(
            f"ConfigBucketCheck{aws.account_id}",
            SERVICE,
            ["s3:GetBucketAcl", "s3:ListBucket"],
            arn_of(aws, bucket),
            {"StringEquals": mine},
        ),
        leave(
            f"ConfigDelivery{aws.account_id}",
            SERVICE,
            "s3:PutObject",
            arn_of(aws, bucket, under),
            {"StringEquals": mine | HANDED_OVER},
        ),
    )
