"""Take every grant of a bucket's ACL away but the owner's.

After: the bucket's ACL gives full control to its owner and nothing to anybody else.
Caution: whoever used the bucket by such a grant is locked out. Objects keep ACLs of their own, public ones
too: s3_block_all_public_access shuts those off. An undo cannot bring public grants back while the bucket
blocks public ACLs, nor any grant while Object Ownership switches ACLs off.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._bucket_access import Acl, put_acl, read_acl
from bots._s3 import BUCKET, bucket_home, bucket_name, own_bucket


class Granted(Before):
    region: str
    acl: Acl


bot = Bot(
    name="s3_delete_acls",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Granted,
    reads=on(BUCKET, "s3:GetBucketAcl", "s3:GetBucketOwnershipControls"),
    writes=on(BUCKET, "s3:PutBucketAcl"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Granted]:
    name = bucket_name(target)
    home, acl = await bucket_home(aws, target, read_acl)
    acl.refuse_log_writers(name)
    grants = ", ".join(f"{permission} to {who}" for who, permission in acl.to_others)
    right = f"the ACL of bucket {name} " + (
        "grants nothing to others" if acl.in_force else "is switched off by Object Ownership"
    )
    return Check(
        compliant=not grants,
        before=Granted(region=home.region, acl=acl),
        why=f"the ACL of bucket {name} grants {grants}" if grants else right,
        region=home.region,
        notes=("objects keep their own ACLs: public ones stay public",) if grants else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Granted) -> None:
    await put_acl(aws.at(before.region), own_bucket(aws, target), before.acl.alone)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Granted) -> None:
    await put_acl(aws.at(before.region), own_bucket(aws, target), before.acl)
