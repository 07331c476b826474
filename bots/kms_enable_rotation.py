"""Rotate the key material of a customer managed KMS key automatically.

After: AWS makes new key material every period; what was encrypted before stays readable as it is.
Caution: the first and the second rotation of a key each add to its monthly price. Of a multi-Region
key the primary is changed, wherever the finding saw a replica.
"""

from typing import Annotated

from pydantic import Field

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._kms import KEYS, rotatable_key
from bots._words import Word

PERIOD_OF_AWS = 365  # days, when nobody names one


class Wish(Params):
    rotation_period_days: Annotated[
        int | None,
        Field(ge=90, le=2560, description="days between rotations; left out: as it is, 365 if it was off"),
        Word(positional=False),
    ] = None


class Rotation(Before):
    key_arn: str  # of the primary, for a replica
    region: str
    period_days: int | None  # None: rotation is off


bot = Bot(
    name="kms_enable_rotation",
    acts_on="AWS::KMS::Key",
    target=entity("arn", "id"),
    params=Wish,
    before=Rotation,
    reads=on(KEYS, "kms:DescribeKey", "kms:GetKeyRotationStatus"),
    writes=on(KEYS, "kms:EnableKeyRotation", "kms:DisableKeyRotation"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Rotation]:
    home, key, notes = await rotatable_key(aws, target.id)
    # The rotation calls know no aliases, so it is the ARN from here on.
    found = await home.call("kms", "GetKeyRotationStatus", KeyId=key["Arn"])
    period = found.get("RotationPeriodInDays", PERIOD_OF_AWS) if found["KeyRotationEnabled"] else None
    wish = params.rotation_period_days
    if period is not None and wish is not None and wish > period:
        notes.append(f"the wish makes rotation rarer: every {wish} days instead of {period}")
    return Check(
        compliant=period is not None and wish in (None, period),
        before=Rotation(key_arn=key["Arn"], region=home.region, period_days=period),
        why=f"rotation of key {key['KeyId']} is {'off' if period is None else f'every {period} days'}",
        region=home.region,
        notes=tuple(notes),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Rotation) -> None:
    await _enable(aws, before, params.rotation_period_days)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Rotation) -> None:
    if before.period_days is None:
        await aws.at(before.region).call("kms", "DisableKeyRotation", KeyId=before.key_arn)
    else:
        await _enable(aws, before, before.period_days)


async def _enable(aws: Aws, key: Rotation, period_days: int | None) -> None:
    period = {} if period_days is None else {"RotationPeriodInDays": period_days}
    await aws.at(key.region).call("kms", "EnableKeyRotation", KeyId=key.key_arn, **period)
