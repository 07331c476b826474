"""Encrypt new objects of a bucket by default: SSE-S3, or SSE-KMS with a given key.

After: every new object is encrypted as asked; KMS comes with a Bucket Key, which saves KMS requests.
Caution: existing objects stay as they are. With KMS, writers need kms:GenerateDataKey and readers
kms:Decrypt on the key. A bucket that uses KMS already is never taken back to SSE-S3.
Finding: s3_enable_encryption s3
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from bots import _bucket_encryption
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._kms import KEY_PATTERN, KEYS, usable_key
from bots._s3 import BUCKET, bucket_home, bucket_name, own_bucket
from bots._wished_keys import verdict

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
        *on(BUCKET, "s3:GetEncryptionConfiguration", "s3:GetBucketPolicy", "s3:GetBucketAcl"),
        *on(KEYS, "kms:DescribeKey"),
    ),
    writes=on(BUCKET, "s3:PutEncryptionConfiguration"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Encryption]:
    name = bucket_name(target)
    home, rules = await bucket_home(aws, target, _bucket_encryption.rules_of)
    now = _bucket_encryption.default_of(rules)
    told = f"new objects of bucket {name} are encrypted with {now.algorithm or 'nothing'}"
    before = Encryption(region=home.region, rules=rules)
    if params.kms_key_arn is None:
        return Check(compliant=bool(now.algorithm), before=before, why=told, region=home.region)
    compliant, trouble = await verdict(
        now.algorithm if now.uses_kms else None, _bucket_encryption.is_under(home, now, params.kms_key_arn)
    )
    return Check(
        compliant=compliant,
        before=before,
        why=f"{told}, key {now.key or 'none'}, Bucket Key {'on' if now.bucket_key else 'off'}{trouble}",
        region=home.region,
        notes=(
            "writers of the bucket need kms:GenerateDataKey and readers kms:Decrypt on the key",
            *(() if compliant else await _bucket_encryption.notes_about_services(home, name, now)),
        ),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Encryption) -> None:
    home, key = aws.at(before.region), params.kms_key_arn
    # Always the key's ARN: an alias would be looked up in each uploader's own account.
    arn = None if key is None else await usable_key(home, key)
    rule = _bucket_encryption.rule_with(before.rules, arn)
    await _bucket_encryption.put(home, own_bucket(aws, target), (rule,))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Encryption) -> None:
    await _bucket_encryption.put(aws.at(before.region), own_bucket(aws, target), before.rules)
