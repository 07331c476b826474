"""The tags that a resource has now, whatever a finding's copy says."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import Target
from hub.aws.arns import parse
from hub.aws.errors import outcome_of
from hub.aws.resource_arns import BUCKET, IDENTITIES, UNTAGGED, arn_of, is_of_aws, region_of
from hub.model import Outcome

_IDENTITY = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
# ARNs of images and snapshots are written with the account and without it.
_OWNERLESS = re.compile(r"(arn:[a-z-]+:ec2:[a-z0-9-]+):[0-9]{12}:((image|snapshot)/.+)")

Tags = Mapping[str, str]


async def live_tags(account: Aws, target: Target) -> Tags | None:
    """The tags that AWS has on the resource; {} where it has none, or can have none.

    One call. The Resource Groups Tagging API tells of nearly all kinds, a little after a tag was changed; it says
    nothing of resources that never had a tag. Roles and users are told by IAM, which that API leaves out
    ("Services that support the Resource Groups Tagging API"), and buckets by S3: that API answers for one
    region, and which one a bucket is in only S3 knows.

    Returns:
        None: not known. The role may not look (it is older than the hub), or the finding's name for the
        resource does not lead to one of this account whose kind the hub knows.

    Raises:
        AwsError: AWS answered otherwise, or not at all.
    """
    if target.type in UNTAGGED or is_of_aws(target):
        return {}
    try:
        if target.type in IDENTITIES:
            return await _of_identity(account, target)
        arn = arn_of(target)
        if arn is None:
            return None
        if target.type == BUCKET:
            return await _of_bucket(account.at(target.region), arn.rpartition(":")[2])
        return await _by_arn(account.at(region_of(target)), arn)
    except AwsError as error:
        if outcome_of(error) is Outcome.DENIED:
            return None
        raise


async def _by_arn(home: Aws, arn: str) -> Tags | None:
    asked = list(dict.fromkeys((arn, _OWNERLESS.sub(r"\1::\2", arn))))
    # It says so of an ARN that is none to it.
    answer = await home.find(
        "resourcegroupstaggingapi",
        "GetResources",
        absent=("InvalidParameterException",),
        ResourceARNList=asked,
    )
    if answer is None:
        return None
    return _told(tag for each in answer["ResourceTagMappingList"] for tag in each.get("Tags", ()))


async def _of_bucket(account: Aws, name: str) -> Tags:
    async def ask(home: Aws) -> dict[str, Any] | None:
        return await home.find(
            "s3",
            "GetBucketTagging",
            absent=("NoSuchTagSet",),
            Bucket=name,
            ExpectedBucketOwner=account.account_id,
        )

    try:
        answer = await ask(account)
    except AwsError as error:
        if error.right_region is None:
            raise
        answer = await ask(account.at(error.right_region))
    return _told(answer["TagSet"]) if answer else {}


async def _of_identity(account: Aws, target: Target) -> Tags | None:
    given = parse(target.id)
    if given is not None and given.account != target.account_id:
        return None
    name, kind = target.id.rpartition("/")[2], target.type.rpartition(":")[2]
    if not _IDENTITY.fullmatch(name):
        return None
    # One page: IAM gives a hundred, and there are fifty at most.
    answer = await account.at(region_of(target)).call("iam", f"List{kind}Tags", **{f"{kind}Name": name})
    return _told(answer["Tags"])


def _told(tags: Iterable[Mapping[str, str]]) -> Tags:
    return {tag["Key"]: tag["Value"] for tag in tags}
