"""Encrypt a trail's log files with a KMS key that is already there.

After: new log and digest files are encrypted with the key; older ones stay as they are.
Caution: whoever reads the log files needs kms:Decrypt on the key: SIEM, Athena, other accounts. If the
key is switched off, the trail delivers nothing. The key's policy must let CloudTrail in; it is not changed.
Finding: cloudtrail_encrypt_log_files_using_existing_key alias/audit
"""

from typing import Annotated

from pydantic import Field

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._kms import KEY_PATTERN, KEYS, is_key
from bots._trail_keys import existing_key
from bots._trails import LOOK_UP, TRAIL, Trail, trail_of, update_trail
from bots._wished_keys import verdict


class Wish(Params):
    key_id: Annotated[
        str,
        Field(
            pattern=KEY_PATTERN,
            description="customer managed key in the region of the trail's bucket: id, alias or ARN",
        ),
    ]


class Encryption(Before):
    trail_arn: str
    region: str
    key: str | None  # None: SSE-S3


bot = Bot(
    name="cloudtrail_encrypt_log_files_using_existing_key",
    acts_on="AWS::CloudTrail::Trail",
    target=entity("id", "name"),
    params=Wish,
    before=Encryption,
    reads=(LOOK_UP, "s3:ListAllMyBuckets", *on(KEYS, "kms:DescribeKey", "kms:GetKeyPolicy")),
    writes=on(TRAIL, "cloudtrail:UpdateTrail"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Encryption]:
    trail = await trail_of(aws, target)
    compliant, trouble = await verdict(trail.key, _complies(aws, trail, params))
    return Check(
        compliant=compliant,
        before=Encryption(trail_arn=trail.arn, region=trail.home.region, key=trail.key),
        why=f"log files of trail {trail.name} are encrypted with {trail.key or 'SSE-S3'}{trouble}",
        region=trail.home.region,
        notes=() if compliant else ("readers of the log files need kms:Decrypt on the key",),
        target_id=trail.arn,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Encryption) -> None:
    trail = await trail_of(aws, target)
    _, key = await existing_key(aws, trail, params.key_id)
    await update_trail(trail.home, trail.arn, later={}, KmsKeyId=key)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Encryption) -> None:
    # An empty text takes the key away.
    await update_trail(aws.at(before.region), before.trail_arn, KmsKeyId=before.key or "")


async def _complies(aws: Aws, trail: Trail, params: Wish) -> bool:
    keys_home, wanted = await existing_key(aws, trail, params.key_id)
    return await is_key(keys_home, trail.key, wanted)
