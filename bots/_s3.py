"""What every bucket bot needs first: the bucket's name and the region it lives in."""

from __future__ import annotations

from bots._bot import Aws, CannotFix, Target, TargetGone

BUCKET = ("arn:{partition}:s3:::*",)


def bucket_name(target: Target) -> str:
    """The bucket's name, also when the finding gave its ARN."""
    return target.id.rsplit(":::", 1)[-1].split("/", 1)[0]


async def bucket_home(aws: Aws, target: Target) -> Aws:
    """The account in the bucket's own region, as S3 says it; the finding's region is only a hint.

    Raises:
        TargetGone: no such bucket.
        CannotFix: a directory bucket, which lacks the bucket-level settings.
    """
    name = bucket_name(target)
    if name.endswith("--x-s3"):
        raise CannotFix(f"{name} is a directory bucket; this setting does not exist there")
    head = await aws.find(
        "s3", "HeadBucket", absent=("404", "NoSuchBucket"), Bucket=name, ExpectedBucketOwner=aws.account_id
    )
    if head is None:
        raise TargetGone(f"bucket {name} does not exist")
    return aws.at(head.get("BucketRegion") or aws.region)
