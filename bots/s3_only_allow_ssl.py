"""Deny plain HTTP to a bucket in its policy.

After: the policy denies every S3 action on the bucket and its objects to requests without TLS; all other
statements are as they were.
Caution: clients that speak plain HTTP fail, and so do website endpoints, which know nothing else, with any
CloudFront distribution in front of one.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._bucket_access import put_policy, read_website, refuse_unstorable
from bots._bucket_statements import arns, denial_of_plain_http, denies_plain_http
from bots._policies import merged
from bots._s3 import BUCKET, bucket_home, bucket_name, own_bucket, read_policy


class Policy(Before):
    region: str
    document: str | None  # as S3 keeps it; None: there is none


bot = Bot(
    name="s3_only_allow_ssl",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Policy,
    reads=on(BUCKET, "s3:GetBucketPolicy", "s3:GetBucketWebsite"),
    writes=on(BUCKET, "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    creates=("a bucket policy, if there was none",),
    aliases=("s3_allow_ssl_only", "s3_enforce_ssl_data_encryption"),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Policy]:
    bucket, name = own_bucket(aws, target), bucket_name(target)
    home, document = await bucket_home(aws, target, read_policy)
    compliant = denies_plain_http(document, arns(aws, name))
    notes = []
    if not compliant:
        refuse_unstorable(name, merged(document, denial_of_plain_http(aws, name)))
        if await read_website(home, bucket) is not None:
            notes.append("the bucket serves a website: its endpoint speaks plain HTTP only and will fail")
    return Check(
        compliant=compliant,
        before=Policy(region=home.region, document=document),
        why=f"bucket {name} {'denies' if compliant else 'lets in'} requests without TLS",
        region=home.region,
        notes=tuple(notes),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Policy) -> None:
    document = merged(before.document, denial_of_plain_http(aws, bucket_name(target)))
    await put_policy(aws.at(before.region), own_bucket(aws, target), document)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Policy) -> None:
    await put_policy(aws.at(before.region), own_bucket(aws, target), before.document)
