"""Delete an empty bucket.

After: the bucket is gone, and its name is free for anybody in the world.
Caution: whoever takes the name gets what is still sent there, and serves those who still read there: look
for DNS records, CloudFront origins, trails and clients first. Never touched are buckets with objects,
versions or delete markers, buckets that a service or log delivery is let into, and buckets with access
points. Load balancers of older regions deliver logs as an AWS account, which cannot be told from a user.
"""

import json
from typing import Any

from pydantic import Field

from bots._aws import Aws, AwsError, together
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TargetGone, Undo, entity, on
from bots._bucket_access import NO_POLICY, NO_WEBSITE, read_acl
from bots._policies import services_let_in
from bots._s3 import BUCKET, bucket_home, bucket_name, own_bucket

# What is saved for people, and how S3 says that a bucket has none.
SAVED: dict[str, tuple[str, ...]] = {
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
# S3 knows best, and at the moment of the deletion; asking before could be too early.
REFUSALS = {
    "BucketNotEmpty": "it is not empty any more",
    "BucketHasAccessPointsAttached": "it has access points: delete them first, if nobody uses them",
}
READS = (
    "s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:GetBucketPolicy",
    "s3:GetBucketAcl", "s3:GetBucketOwnershipControls", "s3:GetEncryptionConfiguration", "s3:GetBucketVersioning",
    "s3:GetBucketTagging", "s3:GetBucketLogging", "s3:GetBucketWebsite", "s3:GetLifecycleConfiguration",
    "s3:GetBucketCORS", "s3:GetReplicationConfiguration", "s3:GetBucketNotification",
    "s3:GetBucketPublicAccessBlock",
)  # fmt: skip
WRITES = ("s3:DeleteBucket",)


class Settings(Before):
    """All a person needs to make an empty bucket like it."""

    exists: bool
    region: str = ""
    found: dict[str, Any] = Field(default_factory=dict)  # answer by operation, where the bucket has one


bot = Bot(
    name="s3_delete_bucket",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Settings,
    reads=on(BUCKET, *READS),
    writes=on(BUCKET, *WRITES),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none("the name is free for anybody; the saved settings are for whoever makes the bucket anew"),
    optional=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Settings]:
    name, bucket = bucket_name(target), own_bucket(aws, target)
    try:
        home = await bucket_home(aws, target)
    except TargetGone as gone:
        return Check(compliant=True, before=Settings(exists=False), why=str(gone))
    held = await home.call("s3", "ListObjectVersions", MaxKeys=1, **bucket)
    if held.get("Versions") or held.get("DeleteMarkers"):
        raise CannotFix(f"bucket {name} is not empty: it holds objects, older versions or delete markers")
    acl = await read_acl(home, bucket)
    acl.refuse_log_writers(name)
    answers = await together(
        home.call("s3", "ListMultipartUploads", MaxUploads=1, **bucket),
        *(home.find("s3", operation, absent=absent, **bucket) for operation, absent in SAVED.items()),
    )
    uploads = answers[0]
    found = {operation: _plain(each) for operation, each in zip(SAVED, answers[1:], strict=True) if each}
    if services := services_let_in(found.get("GetBucketPolicy", {}).get("Policy")):
        raise CannotFix(
            f"the policy of bucket {name} lets {', '.join(sorted(services))} in, and a stranger could take over what "
            "is delivered there: switch that off first"
        )
    notes = (
        ["the bucket serves a website, or did: see who links to it"] if "GetBucketWebsite" in found else []
    )
    if (uploads or {}).get("Uploads"):
        notes.append("somebody has begun to upload something; it is lost")
    return Check(
        compliant=False,
        before=Settings(
            exists=True, region=home.region, found=found | {"GetBucketAcl": acl.model_dump(mode="json")}
        ),
        why=f"bucket {name} exists and is empty",
        region=home.region,
        notes=tuple(notes),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Settings) -> None:
    try:
        await aws.at(before.region).call("s3", "DeleteBucket", **own_bucket(aws, target))
    except AwsError as error:
        if error.code not in REFUSALS:
            raise
        raise CannotFix(f"S3 does not delete bucket {bucket_name(target)}: {REFUSALS[error.code]}") from error


def _plain(answer: dict[str, Any]) -> Any:
    """As JSON has it, dates as texts."""
    told = {key: value for key, value in answer.items() if key != "ResponseMetadata"}
    return json.loads(json.dumps(told, default=str))
