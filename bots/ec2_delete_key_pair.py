"""Delete a key pair.

After: no instance can be launched with the key pair in this region; its public key stays in the journal.
Caution: instances that were launched with it still accept the key, which is in a file on them. Launch
templates, Auto Scaling groups and node groups that name the pair fail at their next launch. A pair of the
same name in another region is another pair.
"""

import re
from typing import Any

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity, on

PAIR = ("arn:{partition}:ec2:*:{account}:key-pair/*",)
GONE = ("InvalidKeyPair.NotFound",)
NAMED_AT_MOST = 5
_ID = re.compile(r"key-([0-9a-f]{8}|[0-9a-f]{17})")


class Pair(Before):
    """A key pair, or that there is none. AWS gives it a new id and fingerprint when it is imported."""

    exists: bool
    name: str
    kind: str = ""
    public_key: str = ""  # without the comment, in which AWS writes what it likes
    tags: tuple[tuple[str, str], ...] = ()


bot = Bot(
    name="ec2_delete_key_pair",
    acts_on="AWS::EC2::KeyPair",
    target=entity("id", "name"),
    params=NoParams,
    before=Pair,
    reads=("ec2:DescribeKeyPairs", "ec2:DescribeInstances"),
    writes=on(PAIR, "ec2:DeleteKeyPair", "ec2:ImportKeyPair", "ec2:CreateTags"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.nearest(
        "the same public key is imported under the same name; its id and fingerprint are new",
        expects=lambda was: was,
    ),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Pair]:
    found = await _find(aws, target.id)
    if found is None:
        why = f"key pair {target.id} does not exist in {aws.region}"
        return Check(compliant=True, before=Pair(exists=False, name=target.id), why=why)
    name = found["KeyName"]
    return Check(
        compliant=False,
        before=Pair(
            exists=True,
            name=name,
            kind=found.get("KeyType", ""),
            public_key=" ".join(found.get("PublicKey", "").split()[:2]),
            tags=_tags(found),
        ),
        why=f"key pair {name} ({found['KeyPairId']}, fingerprint {found.get('KeyFingerprint', 'unknown')}) exists",
        notes=_told(await _users(aws, name)),
        target_id=name,  # the id is lost with the pair
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Pair) -> None:
    await aws.call("ec2", "DeleteKeyPair", KeyName=before.name)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Pair) -> None:
    if not before.public_key:
        raise CannotFix(
            f"AWS did not tell the public key of {before.name}: import it by hand from a copy of yours"
        )
    tags = [{"Key": key, "Value": value} for key, value in before.tags]
    tagged = {"TagSpecifications": [{"ResourceType": "key-pair", "Tags": tags}]} if tags else {}
    material = before.public_key.encode()
    await aws.call("ec2", "ImportKeyPair", KeyName=before.name, PublicKeyMaterial=material, **tagged)


async def _find(aws: Aws, named: str) -> dict[str, Any] | None:
    """The pair with that id, else the one with that name."""
    asked: list[dict[str, Any]] = [{"KeyNames": [named]}]
    if _ID.fullmatch(named):
        asked.insert(0, {"Filters": [{"Name": "key-pair-id", "Values": [named]}]})
    for way in asked:
        answer = await aws.find("ec2", "DescribeKeyPairs", absent=GONE, IncludePublicKey=True, **way)
        if answer is not None and answer["KeyPairs"]:
            found: dict[str, Any] = answer["KeyPairs"][0]
            return found
    return None


def _tags(found: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    tags = ((tag["Key"], tag["Value"]) for tag in found.get("Tags", ()))
    # AWS's own tags cannot be given.
    return tuple(sorted(tag for tag in tags if not tag[0].lower().startswith("aws:")))


async def _users(aws: Aws, name: str) -> list[str]:
    """Instances launched with the pair."""
    # A filter takes * and ? for wildcards, and names may hold them.
    pattern = re.sub(r"([*?\\])", r"\\\1", name)
    launched = [
        {"Name": "key-name", "Values": [pattern]},
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
    ]
    found = aws.pages("ec2", "DescribeInstances", items="Reservations", Filters=launched)
    return sorted([each["InstanceId"] async for group in found for each in group["Instances"]])


def _told(users: list[str]) -> tuple[str, ...]:
    if not users:
        return ()
    more = f" and {len(users) - NAMED_AT_MOST} more" if len(users) > NAMED_AT_MOST else ""
    return (f"still accepted by what was launched with it: {', '.join(users[:NAMED_AT_MOST])}{more}",)
