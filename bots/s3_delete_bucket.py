"""Delete an empty bucket.

After: the bucket is gone, and its name is free for anybody in the world.
Caution: whoever takes the name gets what is still sent there, and serves those who still read there: look
for DNS records, CloudFront origins, trails and clients first. Never touched are buckets with objects,
versions or delete markers, buckets that a service or log delivery is let into, and buckets with access
points. Load balancers of older regions deliver logs as an AWS account, which cannot be told from a user.
"""

from typing import Any

from pydantic import Field

from bots._aws import Aws, AwsError, together
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TargetGone, Undo, entity, on
from bots._bucket_access import read_acl
from bots._empty_buckets import READS, is_uploaded_to, refuse_content, settings_of
from bots._policies import services_let_in
from bots._s3 import BUCKET, bucket_home, bucket_name, own_bucket

# S3 knows best, and at the moment of the deletion; asking before could be too early.
REFUSALS = {
    "BucketNotEmpty": "it is not empty any more",
    "BucketHasAccessPointsAttached": "it has access points: delete them first, if nobody uses them",
}


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
    reads=READS,
    writes=on(BUCKET, "s3:DeleteBucket"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none("the name is free for anybody; the saved settings are for whoever makes the bucket anew"),
    optional=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Settings]:
    name, bucket = bucket_name(target), own_bucket(aws, target)
    try:
        home, _ = await bucket_home(aws, target, refuse_content)
    except TargetGone as gone:
        return Check(compliant=True, before=Settings(exists=False), why=str(gone))
    acl = await read_acl(home, bucket)
    acl.refuse_log_writers(name)
    uploads, found = await together(is_uploaded_to(home, bucket), settings_of(home, bucket))
    if services := services_let_in(found.get("GetBucketPolicy", {}).get("Policy")):
        raise CannotFix(
            f"the policy of bucket {name} lets {', '.join(sorted(services))} in, and a stranger could take over what "
            "is delivered there: switch that off first"
        )
    notes = (
        ["the bucket serves a website, or did: see who links to it"] if "GetBucketWebsite" in found else []
    )
    if uploads:
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
