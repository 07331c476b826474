"""Turn on versioning of a bucket.

After: deleted and overwritten objects can be brought back.
Caution: storage grows until a lifecycle rule expires noncurrent versions; buckets with expiration
rules keep what they used to delete.
"""

from typing import Any, Literal

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity, on
from bots._s3 import BUCKET, OwnBucket, bucket_home, bucket_name, own_bucket


class Versioning(Before):
    region: str
    status: Literal["Off", "Enabled", "Suspended"]
    mfa_delete: bool


bot = Bot(
    name="s3_enable_versioning",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Versioning,
    reads=on(BUCKET, "s3:GetBucketVersioning"),
    writes=on(BUCKET, "s3:PutBucketVersioning"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.nearest(
        "a bucket cannot return to never versioned; undo suspends versioning and keeps the versions",
        expects=lambda was: was.model_copy(update={"status": "Suspended"}),
    ),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Versioning]:
    home, found = await bucket_home(aws, target, _read)
    before = Versioning(
        region=home.region, status=found.get("Status", "Off"), mfa_delete=found.get("MFADelete") == "Enabled"
    )
    return Check(
        compliant=before.status == "Enabled",
        before=before,
        why=f"versioning of bucket {bucket_name(target)} is {before.status}",
        region=home.region,
    )


async def _read(home: Aws, bucket: OwnBucket) -> dict[str, Any]:
    return await home.call("s3", "GetBucketVersioning", **bucket)


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Versioning) -> None:
    if before.mfa_delete:
        raise CannotFix("MFA Delete is on: only the root user with its MFA device can change versioning")
    await _put(aws, target, before.region, "Enabled")


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Versioning) -> None:
    await _put(aws, target, before.region, "Suspended")


async def _put(aws: Aws, target: Target, region: str, status: str) -> None:
    await aws.at(region).call(
        "s3", "PutBucketVersioning", VersioningConfiguration={"Status": status}, **own_bucket(aws, target)
    )
