"""Block all public access to a bucket.

After: all four Block Public Access settings of the bucket are on; its policy and ACLs stay, but no longer
let the public in.
Caution: websites, public downloads and CloudFront distributions without origin access control go dark;
a policy that S3 calls public no longer lets other accounts in either.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._bucket_access import audience_notes
from bots._s3 import BUCKET, OwnBucket, bucket_home, bucket_name, own_bucket

SETTINGS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


class Block(Before):
    region: str
    on: tuple[str, ...] | None  # the settings that are on; None: the bucket has no such settings at all


bot = Bot(
    name="s3_block_all_public_access",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Block,
    reads=on(
        BUCKET,
        "s3:GetBucketPublicAccessBlock",
        "s3:GetBucketWebsite",
        "s3:GetBucketPolicyStatus",
    ),
    writes=on(BUCKET, "s3:PutBucketPublicAccessBlock"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    aliases=("s3_block_public_all_access",),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Block]:
    home, kept = await bucket_home(aws, target, _read)
    on = None if kept is None else tuple(name for name in SETTINGS if kept.get(name))
    off = [name for name in SETTINGS if name not in (on or ())]
    return Check(
        compliant=not off,
        before=Block(region=home.region, on=on),
        why=f"bucket {bucket_name(target)} leaves open: {', '.join(off)}"
        if off
        else f"bucket {bucket_name(target)} blocks all public access",
        region=home.region,
        notes=await audience_notes(home, own_bucket(aws, target)) if off else (),
    )


async def _read(home: Aws, bucket: OwnBucket) -> dict[str, bool] | None:
    found = await home.find(
        "s3", "GetPublicAccessBlock", absent=("NoSuchPublicAccessBlockConfiguration",), **bucket
    )
    return None if found is None else found["PublicAccessBlockConfiguration"]


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Block) -> None:
    await _put(aws, target, before.region, SETTINGS)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Block) -> None:
    if before.on is None:
        await aws.at(before.region).call("s3", "DeletePublicAccessBlock", **own_bucket(aws, target))
    else:
        await _put(aws, target, before.region, before.on)


async def _put(aws: Aws, target: Target, region: str, on: tuple[str, ...]) -> None:
    # The call replaces all four.
    settings = {name: name in on for name in SETTINGS}
    await aws.at(region).call(
        "s3", "PutPublicAccessBlock", PublicAccessBlockConfiguration=settings, **own_bucket(aws, target)
    )
