"""Encrypt a trail's log files with a rotating KMS key made for the trail, and let the trail sign them.

After: new log files are encrypted with a key of the trail's own and have signed digests; older ones
stay as they are. A trail with a working key keeps it.
Caution: a key has a monthly price. Whoever reads the log files needs kms:Decrypt on it, by IAM. An undo
leaves the key, as log files written meanwhile can only be read with it; the next run uses it again.
"""

from typing import Any

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._kms import KEYS
from bots._trail_keys import NOT_YET, has_working_key, home_of_own_key, own_key
from bots._trails import LOOK_UP, TRAIL, trail_of, update_trail


class Protection(Before):
    trail_arn: str
    region: str
    key: str | None  # None: SSE-S3
    validates: bool


bot = Bot(
    name="cloudtrail_encrypt_log_files_using_new_key_creation",
    acts_on="AWS::CloudTrail::Trail",
    target=entity("id", "name"),
    params=NoParams,
    before=Protection,
    reads=(
        LOOK_UP,
        "s3:ListAllMyBuckets",
        "tag:GetResources",
        *on(KEYS, "kms:DescribeKey", "kms:GetKeyPolicy"),
    ),
    writes=(
        "kms:CreateKey",
        *on(TRAIL, "cloudtrail:UpdateTrail"),
        *on(KEYS, "kms:TagResource", "kms:PutKeyPolicy", "kms:EnableKeyRotation"),
        *on(("arn:{partition}:kms:*:{account}:alias/cloudtrail-*", *KEYS), "kms:CreateAlias"),
    ),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.nearest(
        "the key made for the trail stays: log files written meanwhile can only be read with it",
        expects=lambda was: was,
    ),
    creates=("a KMS key for the trail, with the alias alias/cloudtrail-<trail name>",),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Protection]:
    trail = await trail_of(aws, target)
    encrypts = await has_working_key(trail)
    if not encrypts:
        await home_of_own_key(trail)  # refuses the buckets of others
    digests = "with" if trail.validates else "without"
    return Check(
        compliant=encrypts and trail.validates,
        before=Protection(
            trail_arn=trail.arn, region=trail.home.region, key=trail.key, validates=trail.validates
        ),
        why=f"log files of trail {trail.name} are encrypted with {trail.key or 'SSE-S3'}"
        + (", which does not work," if trail.key and not encrypts else "")
        + f" and delivered {digests} signed digests",
        region=trail.home.region,
        notes=() if encrypts else ("a key is made for the trail, unless an earlier run has made one",),
        target_id=trail.arn,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Protection) -> None:
    trail = await trail_of(aws, target)
    changes: dict[str, Any] = {"EnableLogFileValidation": True}
    if not await has_working_key(trail):
        changes["KmsKeyId"] = await own_key(trail)
    await update_trail(trail.home, trail.arn, later=NOT_YET, **changes)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Protection) -> None:
    await update_trail(
        aws.at(before.region),
        before.trail_arn,
        KmsKeyId=before.key or "",  # an empty text takes the key away
        EnableLogFileValidation=before.validates,
    )
