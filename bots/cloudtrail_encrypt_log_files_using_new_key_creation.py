"""Encrypt a trail's log files with a rotating KMS key made for the trail, and let the trail sign them.

After: new log files are encrypted with a key of the trail's own and have signed digests; older ones
stay as they are. A trail with a working key keeps it.
Caution: a key has a monthly price. Whoever reads the log files needs kms:Decrypt on it, by IAM. An undo
leaves the key, as log files written meanwhile can only be read with it; the next run uses it again.
"""

from typing import Any

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity, on
from bots._kms import GONE, KEYS
from bots._trail_keys import NOT_YET, alias_for, key_made_before, make_key
from bots._trails import LOOK_UP, TRAIL, Trail, log_bucket_region, trail_of, update_trail


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
    encrypts = await _has_working_key(aws, trail)
    if not encrypts:
        await _keys_home(trail)  # refuses the buckets of others
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
    if not await _has_working_key(aws, trail):
        changes["KmsKeyId"] = await _key_for(trail)
    await update_trail(trail.home, trail.arn, later=NOT_YET, **changes)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Protection) -> None:
    await update_trail(
        aws.at(before.region),
        before.trail_arn,
        KmsKeyId=before.key or "",  # an empty text takes the key away
        EnableLogFileValidation=before.validates,
    )


async def _key_for(trail: Trail) -> str:
    home = await _keys_home(trail)
    key = await key_made_before(home, trail)
    if key is None:
        # Changes nothing, but tells whether CloudTrail would take a change, before a key costs money.
        await update_trail(trail.home, trail.arn, later={}, EnableLogFileValidation=trail.validates)
        key = await make_key(home, trail)
    taken = ("AlreadyExistsException",)
    await home.find("kms", "CreateAlias", absent=taken, AliasName=alias_for(trail), TargetKeyId=key)
    await home.call("kms", "EnableKeyRotation", KeyId=key)
    return key


async def _keys_home(trail: Trail) -> Aws:
    region = await log_bucket_region(trail)
    if region is None:
        raise CannotFix(
            f"the bucket {trail.bucket} of trail {trail.name} is not one of this account: a key for it is for "
            "the owner of the bucket to make; then name it to cloudtrail_encrypt_log_files_using_existing_key"
        )
    return trail.home.at(region)


async def _has_working_key(aws: Aws, trail: Trail) -> bool:
    if trail.key is None:
        return False
    _, _, _, region, owner, _ = trail.key.split(":", 5)
    if owner != aws.account_id:
        return True  # another account's key is that account's business
    answer = await aws.at(region).find("kms", "DescribeKey", absent=GONE, KeyId=trail.key)
    return answer is not None and answer["KeyMetadata"]["KeyState"] == "Enabled"
