"""Take from a bucket's policy what lets everybody read, write, list, delete or restore.

After: no statement without a restricting condition allows such actions to the whole world; all other
statements are as they were.
Caution: anonymous readers and writers, of a website too, are shut out; so are other accounts that came in
by a wildcard. Grant to named principals what must stay.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._bucket_access import put_policy, refuse_unstorable
from bots._bucket_statements import limited
from bots._policies import with_statements
from bots._s3 import BUCKET, NO_POLICY, bucket_home, bucket_name, own_bucket, read_policy


class Policy(Before):
    region: str
    document: str | None  # as S3 keeps it; None: there is none


bot = Bot(
    name="s3_limit_access",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Policy,
    reads=on(BUCKET, "s3:GetBucketPolicy", "s3:GetBucketPolicyStatus"),
    writes=on(BUCKET, "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    aliases=("s3_limit_aceess",),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Policy]:
    bucket, name = own_bucket(aws, target), bucket_name(target)
    home, document = await bucket_home(aws, target, read_policy)
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
