"""Deny plain HTTP to a bucket in its policy.

After: the policy denies every S3 action on the bucket and its objects to requests without TLS; all other
statements are as they were.
Caution: clients that speak plain HTTP fail, and so do website endpoints, which know nothing else, with any
CloudFront distribution in front of one.
"""

from collections.abc import Mapping
from typing import Any

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._bucket_access import NO_WEBSITE, put_policy, read_policy, refuse_unstorable
from bots._policies import Statement, covers, listed, merged, names_everyone, statements
from bots._s3 import BUCKET, bucket_home, bucket_name, own_bucket


class Policy(Before):
    region: str
    document: str | None  # as S3 keeps it; None: there is none


bot = Bot(
    name="s3_only_allow_ssl",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Policy,
    reads=on(BUCKET, "s3:ListBucket", "s3:GetBucketPolicy", "s3:GetBucketWebsite"),
    writes=on(BUCKET, "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    creates=("a bucket policy, if there was none",),
    aliases=("s3_allow_ssl_only", "s3_enforce_ssl_data_encryption"),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Policy]:
    home, bucket, name = await bucket_home(aws, target), own_bucket(aws, target), bucket_name(target)
    document = await read_policy(home, bucket)
    compliant = denies_plain_http(document, _arns(aws, name))
    notes = []
    if not compliant:
        refuse_unstorable(name, merged(document, _denial(aws, name)))
        if await home.find("s3", "GetBucketWebsite", absent=NO_WEBSITE, **bucket) is not None:
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
    document = merged(before.document, _denial(aws, bucket_name(target)))
    await put_policy(aws.at(before.region), own_bucket(aws, target), document)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Policy) -> None:
    await put_policy(aws.at(before.region), own_bucket(aws, target), before.document)


def _arns(aws: Aws, name: str) -> list[str]:
    bucket = f"arn:{aws.partition}:s3:::{name}"
    return [bucket, f"{bucket}/*"]


def _denial(aws: Aws, name: str) -> Statement:
    return {
        "Sid": "DenyInsecureTransport",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": _arns(aws, name),
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def denies_plain_http(document: str | None, arns: list[str]) -> bool:
    """Whether statements that deny all actions to everybody without TLS cover all the ARNs together."""
    denied = [
        pattern
        for statement in statements(document)
        if _is_total(statement)
        for pattern in listed(statement.get("Resource", []))
    ]
    return all(any(covers(pattern, arn) for pattern in denied) for arn in arns)


def _is_total(statement: Mapping[str, Any]) -> bool:
    conditions = [
        (
            operator.lower().removesuffix("ifexists"),
            key.lower(),
            [str(each).lower() for each in listed(value)],
        )
        for operator, keys in (statement.get("Condition") or {}).items()
        for key, value in keys.items()
    ]
    return (
        statement.get("Effect") == "Deny"
        and "NotPrincipal" not in statement
        and names_everyone(statement)
        and any(covers(action, "s3:*", any_case=True) for action in listed(statement.get("Action", [])))
        # Any further condition would let some requests by.
        and conditions == [("bool", "aws:securetransport", ["false"])]
    )
