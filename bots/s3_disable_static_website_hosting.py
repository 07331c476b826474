"""Switch a bucket's static website off.

After: the bucket's website endpoint serves nothing any more; objects and policy stay.
Caution: the site, or the redirect, is gone at once. DNS records and CloudFront origins that point at the
endpoint dangle: should the bucket be deleted, a stranger could take its name and serve in their place.
"""

from typing import Any

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._bucket_access import read_website
from bots._s3 import BUCKET, bucket_home, bucket_name, own_bucket

PARTS = ("IndexDocument", "ErrorDocument", "RedirectAllRequestsTo", "RoutingRules")


class Website(Before):
    region: str
    configuration: dict[str, Any] | None  # None: no website


bot = Bot(
    name="s3_disable_static_website_hosting",
    acts_on="AWS::S3::Bucket",
    target=entity("id", "name"),
    params=NoParams,
    before=Website,
    reads=on(BUCKET, "s3:GetBucketWebsite"),
    writes=on(BUCKET, "s3:DeleteBucketWebsite", "s3:PutBucketWebsite"),
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
    aliases=("s3_disable_website_static_hosting",),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Website]:
    home, found = await bucket_home(aws, target, read_website)
    site = None if found is None else {part: found[part] for part in PARTS if part in found}
    what = "serves no website"
    if site is not None:
        elsewhere = site.get("RedirectAllRequestsTo", {}).get("HostName")
        what = f"redirects its visitors to {elsewhere}" if elsewhere else "serves a website"
    return Check(
        compliant=site is None,
        before=Website(region=home.region, configuration=site),
        why=f"bucket {bucket_name(target)} {what}",
        region=home.region,
        notes=() if site is None else ("look for DNS records and CloudFront origins that name the endpoint",),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Website) -> None:
    await aws.at(before.region).call("s3", "DeleteBucketWebsite", **own_bucket(aws, target))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Website) -> None:
    await aws.at(before.region).call(
        "s3", "PutBucketWebsite", WebsiteConfiguration=before.configuration, **own_bucket(aws, target)
    )
