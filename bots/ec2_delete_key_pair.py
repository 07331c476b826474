"""Delete a key pair.

After: no instance can be launched with the key pair in this region; its public key stays in the journal.
Caution: instances that were launched with it still accept the key, which is in a file on them. Launch
templates, Auto Scaling groups and node groups that name the pair fail at their next launch. A pair of the
same name in another region is another pair.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity, on
from bots._key_pairs import PAIR, find_pair, import_pair, launched_with
from bots._sentences import some
from bots._tags import own_tags


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
    found = await find_pair(aws, target.id)
    if found is None:
        why = f"key pair {target.id} does not exist in {aws.region}"
        return Check(compliant=True, before=Pair(exists=False, name=target.id), why=why)
    name = found["KeyName"]
    users = await launched_with(aws, name)
    return Check(
        compliant=False,
        before=Pair(
            exists=True,
            name=name,
            kind=found.get("KeyType", ""),
            public_key=" ".join(found.get("PublicKey", "").split()[:2]),
            tags=own_tags(found),
        ),
        why=f"key pair {name} ({found['KeyPairId']}, fingerprint {found.get('KeyFingerprint', 'unknown')}) exists",
        notes=(f"still accepted by what was launched with it: {some(users)}",) if users else (),
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
    await import_pair(aws, before.name, before.public_key, before.tags)
