"""Encrypt a secret with a customer managed key.

After: new versions of the secret, and the current, pending and previous one, are under the key.
Caution: who reads the secret now needs kms:Decrypt on the key: rotation functions, containers, other accounts.
Should the key's policy forbid the hub kms:Encrypt, Secrets Manager silently leaves existing versions under the
old key. Replicas keep keys of their own.
Finding: secretsmanager_enable_encryption 1234abcd-12ab-34cd-56ef-1234567890ab
"""

from typing import Annotated

from pydantic import Field

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._kms import KEY_PATTERN, KEYS, is_key, usable_key
from bots._secrets import SECRET, reader_notes, the_secret
from bots._wished_keys import verdict

MANAGED = "alias/aws/secretsmanager"


class Wish(Params):
    kms_key_id: Annotated[
        str,
        Field(
            pattern=KEY_PATTERN, description="customer managed key in the secret's region: id, ARN or alias"
        ),
    ]


class Encryption(Before):
    secret: str  # ARN
    region: str
    key: str | None  # as Secrets Manager keeps it; None: the key AWS manages


bot = Bot(
    name="secretsmanager_enable_encryption",
    acts_on="AWS::SecretsManager::Secret",
    target=entity("arn", "id"),
    params=Wish,
    before=Encryption,
    reads=(*on(SECRET, "secretsmanager:DescribeSecret"), *on(KEYS, "kms:DescribeKey")),
    writes=(
        *on(SECRET, "secretsmanager:UpdateSecret"),
        *on(KEYS, "kms:GenerateDataKey", "kms:Decrypt", "kms:Encrypt"),
    ),
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Encryption]:
    home, secret = await the_secret(aws, target)
    key = secret.get("KmsKeyId")
    key = None if key is None or key.endswith(MANAGED) else str(key)
    compliant, trouble = await verdict(key, _complies(home, key, params))
    return Check(
        compliant=compliant,
        before=Encryption(secret=secret["ARN"], region=home.region, key=key),
        why=f"secret {secret['Name']} is encrypted with {key or 'the key AWS manages'}{trouble}",
        region=home.region,
        notes=() if compliant else reader_notes(secret),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Encryption) -> None:
    home = aws.at(before.region)
    await _put(home, before, await usable_key(home, params.kms_key_id))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Encryption) -> None:
    await _put(aws.at(before.region), before, before.key or MANAGED)


async def _put(home: Aws, before: Encryption, key: str) -> None:
    # Nothing but the key: a value or description sent along would make a new version of them.
    await home.call("secretsmanager", "UpdateSecret", SecretId=before.secret, KmsKeyId=key)


async def _complies(home: Aws, key: str | None, params: Wish) -> bool:
    return await is_key(home, key, await usable_key(home, params.kms_key_id))
