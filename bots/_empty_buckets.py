"""Empty buckets: whether one is empty, and the settings it takes to make one like it."""

from __future__ import annotations

import json
from typing import Any

from bots._aws import Aws, together
from bots._bot import CannotFix, on
from bots._bucket_access import NO_WEBSITE
from bots._s3 import BUCKET, NO_POLICY

READS = on(
    BUCKET,
    "s3:ListBucketVersions",
    "s3:ListBucketMultipartUploads",
    "s3:GetBucketPolicy",
    "s3:GetBucketAcl",
    "s3:GetBucketOwnershipControls",
    "s3:GetEncryptionConfiguration",
    "s3:GetBucketVersioning",
    "s3:GetBucketTagging",
    "s3:GetBucketLogging",
    "s3:GetBucketWebsite",
    "s3:GetLifecycleConfiguration",
    "s3:GetBucketCORS",
    "s3:GetReplicationConfiguration",
    "s3:GetBucketNotification",
    "s3:GetBucketPublicAccessBlock",
)
# What is read, and how S3 says that a bucket has none.
_SAVED: dict[str, tuple[str, ...]] = {
    "GetBucketPolicy": NO_POLICY,
    "GetBucketEncryption": ("ServerSideEncryptionConfigurationNotFoundError",),
    "GetBucketVersioning": (),
    "GetBucketTagging": ("NoSuchTagSet",),
    "GetBucketLogging": (),
    "GetBucketWebsite": NO_WEBSITE,
    "GetBucketLifecycleConfiguration": ("NoSuchLifecycleConfiguration",),
    "GetBucketCors": ("NoSuchCORSConfiguration",),
    "GetBucketReplication": ("ReplicationConfigurationNotFoundError",),
    "GetBucketNotificationConfiguration": (),
    "GetPublicAccessBlock": ("NoSuchPublicAccessBlockConfiguration",),
}


async def refuse_content(home: Aws, bucket: dict[str, str]) -> None:
    """
    Raises:
        CannotFix: the bucket is not empty.
    """
    held = await home.call("s3", "ListObjectVersions", MaxKeys=1, **bucket)
    if held.get("Versions") or held.get("DeleteMarkers"):
        raise CannotFix(
            f"bucket {bucket['Bucket']} is not empty: it holds objects, older versions or delete markers"
        )


async def is_uploaded_to(home: Aws, bucket: dict[str, str]) -> bool:
    """Whether somebody has begun to upload something in parts, which does not count as content."""
    return bool((await home.call("s3", "ListMultipartUploads", MaxUploads=1, **bucket)).get("Uploads"))


async def settings_of(home: Aws, bucket: dict[str, str]) -> dict[str, Any]:
    """S3's answer by operation, of what the bucket has."""
    answers = await together(
        *(home.find("s3", operation, absent=absent, **bucket) for operation, absent in _SAVED.items())
    )
    return {operation: _plain(each) for operation, each in zip(_SAVED, answers, strict=True) if each}


def _plain(answer: dict[str, Any]) -> Any:
    """As JSON has it, dates as texts."""
    told = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    return json.loads(json.dumps(told, default=str))
