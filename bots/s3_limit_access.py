"""Take from a bucket's policy what lets everybody read, write, list, delete or restore.

After: no statement without a restricting condition allows such actions to the whole world; all other
statements are as they were.
Caution: anonymous readers and writers, of a website too, are shut out; so are other accounts that came in
by a wildcard. Grant to named principals what must stay.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._bucket_access import NO_POLICY, put_policy, read_policy, refuse_unstorable
from bots._policies import Statement, covers, is_open, listed, statements, with_statements, without_everyone
from bots._s3 import BUCKET, bucket_home, bucket_name, own_bucket

# What S3 itself calls bad in the hands of the public; lower case.
_BAD = ("s3:delete*", "s3:get*", "s3:list*", "s3:put*", "s3:restoreobject", "s3:abortmultipartupload")


class Policy(Before):
    region: str
    document: str | None  # as S3 keeps it; None: there is none


bot = Bot(
    name="s3_limit_access",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Policy,
    reads=on(BUCKET, "s3:ListBucket", "s3:GetBucketPolicy", "s3:GetBucketPolicyStatus"),
    writes=on(BUCKET, "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    aliases=("s3_limit_aceess",),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Policy]:
    home, bucket, name = await bucket_home(aws, target), own_bucket(aws, target), bucket_name(target)
    document = await read_policy(home, bucket)
    left, taken = limited(document)
    if taken and left:
        refuse_unstorable(name, with_statements(document, left))
    status = await home.find("s3", "GetBucketPolicyStatus", absent=NO_POLICY, **bucket)
    notes = [f"goes: {each}" for each in taken]
    if status is not None and status["PolicyStatus"].get("IsPublic") and not taken:
        notes.append(
            "S3 still calls the policy public: look at the wildcards and address ranges that are left"
        )
    return Check(
        compliant=not taken,
        before=Policy(region=home.region, document=document),
        why=f"the policy of bucket {name} lets everybody in by {len(taken)} of its statements"
        if taken
        else f"no policy lets everybody read or change bucket {name}",
        region=home.region,
        notes=tuple(notes),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Policy) -> None:
    left, _ = limited(before.document)
    document = with_statements(before.document, left) if left else None
    await put_policy(aws.at(before.region), own_bucket(aws, target), document)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Policy) -> None:
    await put_policy(aws.at(before.region), own_bucket(aws, target), before.document)


def limited(document: str | None) -> tuple[list[Statement], list[str]]:
    """The statements that may stay, and in words what goes."""
    left, taken = [], []
    for number, statement in enumerate(statements(document), 1):
        bad = [action for action in listed(statement.get("Action", [])) if is_bad(action)]
        if not is_open(statement) or not (bad or "NotAction" in statement):
            left.append(statement)
            continue
        called = f"statement {statement.get('Sid') or number}"
        if (named := without_everyone(statement)) is not None:
            left.append(named)
            taken.append(f"everybody from the principals of {called}")
        elif good := [action for action in listed(statement.get("Action", [])) if action not in bad]:
            left.append({**statement, "Action": good})
            taken.append(f"{', '.join(bad)} from {called}")
        else:
            taken.append(called)
    return left, taken


def is_bad(action: str) -> bool:
    """Whether a policy's action, which may be a pattern, matches anything that is bad."""
    return any(_meet(action.lower(), bad) for bad in _BAD)


def _meet(pattern: str, bad: str) -> bool:
    """Whether some action fits both."""
    begun = bad.removesuffix("*")
    if begun == bad:
        return covers(pattern, bad)
    head, star, _ = pattern.partition("*")
    begun = begun[: len(head)] if star else begun
    return covers(head[: len(begun)], begun)
