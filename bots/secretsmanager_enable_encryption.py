"""Encrypt a secret with a customer managed key.

After: new versions of the secret, and the current, pending and previous one, are under the key.
Caution: who reads the secret now needs kms:Decrypt on the key: rotation functions, containers, other accounts.
Should the key's policy forbid the hub kms:Encrypt, Secrets Manager silently leaves existing versions under the
old key. Replicas keep keys of their own.
Finding: secretsmanager_enable_encryption 1234abcd-12ab-34cd-56ef-1234567890ab
"""

from typing import Annotated, Any

from pydantic import Field

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, TargetGone, Undo, entity, on
from bots._kms import KEY_PATTERN, KEYS, is_key, usable_key

SECRET = ("arn:{partition}:secretsmanager:*:{account}:secret:*",)
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
    home, secret = await _secret(aws, target)
    key = secret.get("KmsKeyId")
    key = None if key is None or key.endswith(MANAGED) else str(key)
    compliant, trouble = False, ""
    try:
        compliant = await is_key(home, key, await usable_key(home, params.kms_key_id))
    except CannotFix as problem:
        # A secret under a customer's key is reported all the same: an undo must be able to look at it when
        # the key has been switched off since. The fix then refuses.
        if key is None:
            raise
        trouble = f"; {problem}"
    return Check(
        compliant=compliant,
        before=Encryption(secret=secret["ARN"], region=home.region, key=key),
        why=f"secret {secret['Name']} is encrypted with {key or 'the key AWS manages'}{trouble}",
        region=home.region,
        notes=() if compliant else _notes(secret),
    )


def _notes(secret: dict[str, Any]) -> tuple[str, ...]:
    notes = ["readers of the secret need kms:Decrypt on the key"]
    if function := secret.get("RotationLambdaARN"):
        notes.append(f"so does the function that rotates it, with kms:GenerateDataKey: {function}")
    if regions := [each["Region"] for each in secret.get("ReplicationStatus", ())]:
        notes.append(f"replicas keep their own keys: {', '.join(sorted(regions))}")
    return tuple(notes)


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


async def _secret(aws: Aws, target: Target) -> tuple[Aws, dict[str, Any]]:
    """The account in the secret's region, and what is known of the secret.

    Raises:
        TargetGone: no such secret.
        CannotFix: its key is not for us to change.
    """
    home, named = aws, target.id
    if named.startswith("arn:"):
        _, _, _, region, owner, _ = (named + ":::::").split(":", 5)
        if owner != aws.account_id:
            raise CannotFix(f"secret {named} belongs to account {owner}, not to {aws.account_id}")
        home = aws.at(region)
    found = await home.find(
        "secretsmanager", "DescribeSecret", absent=("ResourceNotFoundException",), SecretId=named
    )
    if found is None:
        raise TargetGone(f"secret {named} does not exist in {home.region}")
    name = found["Name"]
    if found.get("DeletedDate"):
        raise CannotFix(f"secret {name} is being deleted: restore it first, if it is still needed")
    if service := found.get("OwningService"):
        raise CannotFix(f"secret {name} is managed by {service}: change its key there")
    if (primary := found.get("PrimaryRegion", home.region)) != home.region:
        raise CannotFix(f"secret {name} is a replica: change its key in the Region it comes from, {primary}")
    return home, found
