"""Encrypt new objects of a bucket by default: SSE-S3, or SSE-KMS with a given key.

After: every new object is encrypted as asked; KMS comes with a Bucket Key, which saves KMS requests.
Caution: existing objects stay as they are. With KMS, writers need kms:GenerateDataKey and readers
kms:Decrypt on the key. A bucket that uses KMS already is never taken back to SSE-S3.
Finding: s3_enable_encryption s3
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._kms import KEY_PATTERN, KEYS, is_key, usable_key
from bots._s3 import BUCKET, LOGGING_SERVICE, bucket_home, bucket_name, delivering_services, own_bucket

# These write into buckets and cannot use SSE-KMS there.
ONLY_SSE_S3 = {LOGGING_SERVICE, "logdelivery.elasticloadbalancing.amazonaws.com"}
NONE_SET = ("ServerSideEncryptionConfigurationNotFoundError",)
SYNONYMS = {"aes256": "s3", "aws:kms": "kms"}


class Wish(Params):
    encryption_type: Annotated[
        Literal["s3", "kms"],
        BeforeValidator(lambda word: SYNONYMS.get(word.lower(), word) if isinstance(word, str) else word),
        Field(description="s3 (AES256) or kms (aws:kms)"),
    ]
    kms_key_arn: Annotated[
        str | None,
        Field(
            pattern=KEY_PATTERN, description="customer managed key in the bucket's region; a key ARN is best"
        ),
    ] = None

    @model_validator(mode="after")
    def _key_goes_with_kms(self) -> Self:
        if (self.encryption_type == "kms") != (self.kms_key_arn is not None):
            raise ValueError("kms needs a kms_key_arn, s3 takes none")
        return self


class Encryption(Before):
    region: str
    rules: tuple[dict[str, Any], ...] | None  # None: no default encryption at all


bot = Bot(
    name="s3_enable_encryption",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=Wish,
    before=Encryption,
    reads=(
        *on(
            BUCKET, "s3:ListBucket", "s3:GetEncryptionConfiguration", "s3:GetBucketPolicy", "s3:GetBucketAcl"
        ),
        *on(KEYS, "kms:DescribeKey"),
    ),
    writes=on(BUCKET, "s3:PutEncryptionConfiguration"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Encryption]:
    home = await bucket_home(aws, target)
    found = await home.find("s3", "GetBucketEncryption", absent=NONE_SET, **own_bucket(aws, target))
    rules = None if found is None else tuple(found["ServerSideEncryptionConfiguration"]["Rules"])
    now, key, bucket_key = _default(rules)
    told = f"new objects of bucket {bucket_name(target)} are encrypted with {now or 'nothing'}"
    before = Encryption(region=home.region, rules=rules)
    if params.kms_key_arn is None:
        return Check(compliant=bool(now), before=before, why=told, region=home.region)
    uses_kms, compliant, trouble = now.startswith("aws:kms"), False, ""
    try:
        wanted = await usable_key(home, params.kms_key_arn)
        # Double encryption (aws:kms:dsse) knows no Bucket Key.
        compliant = (bucket_key or now == "aws:kms:dsse") and await is_key(home, key, wanted)
    except CannotFix as problem:
        # A bucket on KMS is reported all the same: an undo must be able to look at it when the key
        # has been switched off since. The fix then refuses.
        if not uses_kms:
            raise
        trouble = f"; {problem}"
    services = frozenset() if compliant else await delivering_services(home, bucket_name(target))
    if services & ONLY_SSE_S3 and not uses_kms:
        raise CannotFix(
            f"bucket {bucket_name(target)} receives access logs, which are not delivered into buckets that "
            "default to SSE-KMS; leave it at SSE-S3 or send the logs elsewhere first"
        )
    return Check(
        compliant=compliant,
        before=before,
        why=f"{told}, key {key or 'none'}, Bucket Key {'on' if bucket_key else 'off'}{trouble}",
        region=home.region,
        notes=(
            "writers of the bucket need kms:GenerateDataKey and readers kms:Decrypt on the key",
            *(f"the key's policy must let {service} use the key" for service in sorted(services)),
        ),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Encryption) -> None:
    default: dict[str, Any] = {"SSEAlgorithm": "AES256"}
    if params.kms_key_arn is not None:
        # Double encryption stays double: the wish is a key, not less encryption.
        double = _default(before.rules)[0] == "aws:kms:dsse"
        # Always the key's ARN: an alias would be looked up in each uploader's own account.
        key = await usable_key(aws.at(before.region), params.kms_key_arn)
        default = {"SSEAlgorithm": "aws:kms:dsse" if double else "aws:kms", "KMSMasterKeyID": key}
    rule = {**(before.rules[0] if before.rules else {}), "ApplyServerSideEncryptionByDefault": default}
    rule["BucketKeyEnabled"] = default["SSEAlgorithm"] == "aws:kms"
    await _put(aws, target, before.region, (rule,))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Encryption) -> None:
    await _put(aws, target, before.region, before.rules)


async def _put(aws: Aws, target: Target, region: str, rules: tuple[dict[str, Any], ...] | None) -> None:
    home, bucket = aws.at(region), own_bucket(aws, target)
    if rules is None:
        await home.call("s3", "DeleteBucketEncryption", **bucket)
    else:
        what = {"Rules": list(rules)}
        await home.call("s3", "PutBucketEncryption", ServerSideEncryptionConfiguration=what, **bucket)


def _default(rules: tuple[dict[str, Any], ...] | None) -> tuple[str, str | None, bool]:
    """Algorithm ("" if none), key and whether the Bucket Key is on."""
    rule = rules[0] if rules else {}
    default = rule.get("ApplyServerSideEncryptionByDefault", {})
    return default.get("SSEAlgorithm", ""), default.get("KMSMasterKeyID"), rule.get("BucketKeyEnabled", False)
