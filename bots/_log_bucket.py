"""A private bucket of this account that a service of AWS delivers logs into.

Others may deliver into the same bucket, so nothing that was there is ever replaced: statements are merged
into its policy, and what a bot added is taken back only while nobody can have come to rely on it.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import Field

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, TryLater
from bots._bucket_encryption import default_of, rules_of
from bots._policies import Statement, merged, names_everyone, same, statements
from bots._s3 import read_policy, region_of

# What a bot with a log bucket needs. Check reads, fix and undo write.
READS = ("s3:ListBucket", "s3:GetBucketPolicy", "s3:GetEncryptionConfiguration")
WRITES = (
    "s3:CreateBucket",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
    "s3:PutBucketPolicy",
    "s3:DeleteBucket",
)
HANDED_OVER = {"s3:x-amz-acl": "bucket-owner-full-control"}  # some services ask for it on every object
NAME_PATTERN = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
BucketName = Annotated[str, Field(pattern=NAME_PATTERN)]
KEPT = "a log bucket stays, with its leave to deliver, unless this run made it and nothing was delivered yet"
_FORBIDDEN = 403
_BLOCK = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@dataclass(frozen=True, slots=True)
class LogBucket:
    """A log bucket in a snapshot.

    Whether it was there only tells an undo what to do with it: snapshots that differ in nothing else are
    equal, or an undo that keeps a bucket with logs in it would never come out right.
    """

    name: str
    region: str = field(compare=False)
    existed: bool = field(compare=False)


async def look(aws: Aws, name: str, *, region: str | None = None) -> LogBucket:
    """The bucket of that name as it is.

    Args:
        region: where it must be; None: anywhere, and made in this region.

    Raises:
        CannotFix: somebody else's, or in the wrong region.
    """
    try:
        found = await region_of(aws, name)
    except AwsError as error:
        if error.status != _FORBIDDEN:
            raise
        # Without s3:ListBucket S3 says so of every name, with it only of what is not ours to see.
        await region_of(aws, f"{aws.account_id}-{name}"[:63])
        raise CannotFix(
            f"the name of log bucket {name} is taken by another account, or the bucket's policy keeps this "
            "role out: logs are sent to no bucket that cannot be seen to be the account's own"
        ) from error
    if found is None:
        return LogBucket(name, region or aws.region, existed=False)
    if region not in (None, found):
        raise CannotFix(f"log bucket {name} is in {found}, but it must be in {region}")
    return LogBucket(name, found, existed=True)


async def default_encryption(aws: Aws, bucket: LogBucket) -> str:
    """Algorithm of the bucket's default encryption: ``AES256`` (SSE-S3) or one of KMS."""
    if not bucket.existed:
        return "AES256"
    rules = await rules_of(aws.at(bucket.region), _own(aws, bucket))
    return default_of(rules).algorithm or "AES256"


async def refuse_kms(aws: Aws, bucket: LogBucket, whose: str) -> None:
    """
    Raises:
        CannotFix: the bucket encrypts with KMS, and ``whose`` logs would be lost on the way into it.
    """
    if (algorithm := await default_encryption(aws, bucket)) != "AES256":
        raise CannotFix(
            f"log bucket {bucket.name} encrypts with {algorithm} by default, and {whose} logs are delivered "
            "only into buckets with SSE-S3: change its default encryption or send the logs elsewhere by hand"
        )


async def remarks(aws: Aws, bucket: LogBucket) -> tuple[str, ...]:
    """What a person should know about the bucket before logs go there."""
    if not bucket.existed:
        return (
            f"bucket {bucket.name} is made in {bucket.region} and keeps logs until it gets a lifecycle rule",
        )
    denying = [
        str(each.get("Sid", "without a name"))
        for each in statements(await read_policy(aws.at(bucket.region), _own(aws, bucket)))
        if each.get("Effect") == "Deny" and names_everyone(each) and not _is_about_tls(each)
    ]
    if not denying:
        return ()
    return (
        f"the policy of {bucket.name} denies things to everybody ({', '.join(denying)}): logs may be among them",
    )


def _is_about_tls(statement: Statement) -> bool:
    keys = [key.lower() for condition in statement.get("Condition", {}).values() for key in condition]
    return keys == ["aws:securetransport"]


def arn_of(aws: Aws, bucket: str, under: str | None = None) -> str:
    """ARN of the bucket, or of all its objects whose key begins with ``under``."""
    return f"arn:{aws.partition}:s3:::{bucket}" + ("" if under is None else f"/{under}*")


def mark_of(text: str) -> str:
    """A short mark for the name of a statement that is only about ``text``."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def leave(
    sid: str, service: str, action: str | list[str], on: str, condition: dict[str, dict[str, str]]
) -> Statement:
    """Leave for a service of AWS to do ``action`` on an ARN.

    Args:
        sid: ours alone: another statement of that name would be replaced.
        condition: on whose behalf the service may, so that strangers cannot make it write here.
    """
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": action,
        "Resource": on,
        **({"Condition": condition} if condition else {}),
    }


@contextlib.asynccontextmanager
async def ready(aws: Aws, bucket: LogBucket, *given: Statement) -> AsyncIterator[None]:
    """The bucket, there and with ``given`` in its policy, inside the block.

    When the block fails, a bucket just made goes again and a policy that was there is put back. Leave
    given to a bucket that had no policy stays: it lets logs in and nothing else. A block that raises
    `TryLater` will be entered again, so all stays then.

    Raises:
        CannotFix: somebody else has taken the name in the meantime.
        TryLater: S3 is busy with a bucket of that name.
    """
    home = aws.at(bucket.region)
    made = not bucket.existed and await _make(home, bucket)
    put_back: str | None = None
    try:
        if made:
            await _close_to_the_public(home, bucket)
        put_back = await _admit(home, bucket, given)
        yield
    except (AwsError, CannotFix):
        with contextlib.suppress(AwsError):
            if made:
                await home.call("s3", "DeleteBucket", **_own(home, bucket))
            elif put_back is not None:
                await home.call("s3", "PutBucketPolicy", Policy=put_back, **_own(home, bucket))
        raise


async def discard(aws: Aws, bucket: LogBucket) -> None:
    """Undo `ready`: the bucket goes if it was made and nothing has been delivered into it."""
    if not bucket.existed:
        # S3 itself refuses to delete what is not empty.
        gone = ("BucketNotEmpty", "NoSuchBucket")
        await aws.at(bucket.region).find("s3", "DeleteBucket", absent=gone, **_own(aws, bucket))


def _own(aws: Aws, bucket: LogBucket) -> dict[str, str]:
    return {"Bucket": bucket.name, "ExpectedBucketOwner": aws.account_id}


async def _make(home: Aws, bucket: LogBucket) -> bool:
    """Whether it was made now; False if it has come to be there since it was looked for."""
    # The first region has no constraint of its own.
    where: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": bucket.region}}
    try:
        await home.call(
            "s3", "CreateBucket", Bucket=bucket.name, **({} if bucket.region == "us-east-1" else where)
        )
    except AwsError as error:
        match error.code:
            case "BucketAlreadyOwnedByYou":
                return False
            case "BucketAlreadyExists":
                raise CannotFix(
                    f"the name of log bucket {bucket.name} is taken by another account"
                ) from error
            case "OperationAborted":
                raise TryLater(f"S3 is busy with bucket {bucket.name}") from error
            case _:
                raise
    return True


async def _close_to_the_public(home: Aws, bucket: LogBucket) -> None:
    """What S3 does to every new bucket by itself, said all the same. ACLs are off in new buckets."""
    own = _own(home, bucket)
    block = dict.fromkeys(_BLOCK, True)
    await home.call("s3", "PutPublicAccessBlock", PublicAccessBlockConfiguration=block, **own)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    await home.call("s3", "PutBucketEncryption", ServerSideEncryptionConfiguration={"Rules": [rule]}, **own)


async def _admit(home: Aws, bucket: LogBucket, given: tuple[Statement, ...]) -> str | None:
    """Merge into the policy what it lacks; the policy that was there, if it was changed."""
    if not given:
        return None
    was = await read_policy(home, _own(home, bucket))
    wanted = merged(was, *given)
    if same(was, wanted):
        return None
    await home.call("s3", "PutBucketPolicy", Policy=wanted, **_own(home, bucket))
    return was
