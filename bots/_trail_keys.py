"""KMS keys for the log files of a trail: what CloudTrail needs of one, and how one is made and found again."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix
from bots._kms import GONE, usable_key
from bots._policies import listed, names_everyone, statements, with_statements
from bots._trails import Trail, log_bucket_region, update_trail

SERVICE = "cloudtrail.amazonaws.com"
TAG = "cloudtrail-trail"  # of a key made for a trail; its value is the trail's ARN
CONTEXT = "kms:EncryptionContext:aws:cloudtrail:arn"
# What CloudTrail answers while KMS has not spread a new key's policy.
NOT_YET = {
    "InsufficientEncryptionPolicyException": "KMS has not spread the new key's policy yet",
    "KmsKeyNotFoundException": "KMS has not spread the new key yet",
}
_NEEDED = ("kms:GenerateDataKey", "kms:DescribeKey")
_POSITIVE = ("stringequals", "stringlike", "arnequals", "arnlike")


async def existing_key(aws: Aws, trail: Trail, key: str) -> tuple[Aws, str]:
    """The account where the key lives and the ARN of the key that ``key`` names in any form.

    CloudTrail wants it in the region of the trail's bucket. Where another account's bucket is, only
    CloudTrail can tell: then the key's ARN is believed, or else the trail's home.

    Raises:
        CannotFix: it cannot be used for this trail; the text says why.
    """
    named = key.split(":")[3] if key.startswith("arn:") else trail.home.region
    home = aws.at(await log_bucket_region(trail) or named)
    arn = await usable_key(home, key)
    if not lets_encrypt(await key_policy(home, arn), trail.arn):
        raise CannotFix(
            f"the policy of key {arn} does not let CloudTrail use it: allow {SERVICE} kms:GenerateDataKey* and "
            f"kms:DescribeKey, with aws:SourceArn {trail.arn}"
        )
    return home, arn


async def key_policy(home: Aws, key: str) -> str:
    """The policy of a key by its ARN."""
    answer = await home.call("kms", "GetKeyPolicy", KeyId=key, PolicyName="default")
    return str(answer["Policy"])


def lets_encrypt(policy: str, trail_arn: str) -> bool:
    """Whether the key's policy lets CloudTrail look at the key and make data keys for this trail.

    Conditions about anything else are left to CloudTrail, which tries the key before it takes it.
    """
    return all(
        any(_allows(statement, action, trail_arn) for statement in statements(policy)) for action in _NEEDED
    )


def _allows(statement: Mapping[str, Any], action: str, trail_arn: str) -> bool:
    principal = statement.get("Principal")
    services = listed(principal.get("Service", [])) if isinstance(principal, dict) else []
    return (
        statement.get("Effect") == "Allow"
        and (SERVICE in services or names_everyone(statement))
        and any(fnmatchcase(action.lower(), word.lower()) for word in listed(statement.get("Action", [])))
        and all(
            any(fnmatchcase(trail_arn, word) for word in listed(values))
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
            if operator.lower() in _POSITIVE and key.lower() in ("aws:sourcearn", CONTEXT.lower())
        )
    )


async def has_working_key(trail: Trail) -> bool:
    """Whether the trail's log files are encrypted with a key that is not switched off."""
    if trail.key is None:
        return False
    _, _, _, region, owner, _ = trail.key.split(":", 5)
    if owner != trail.home.account_id:
        return True  # another account's key is that account's business
    answer = await trail.home.at(region).find("kms", "DescribeKey", absent=GONE, KeyId=trail.key)
    return answer is not None and answer["KeyMetadata"]["KeyState"] == "Enabled"


async def own_key(trail: Trail) -> str:
    """ARN of the trail's own key, with its alias and rotating: the one made before, or a new one.

    Raises:
        CannotFix: no key of this account will do; the text says why.
        TryLater: CloudTrail takes no change of the trail right now.
    """
    home = await home_of_own_key(trail)
    key = await _key_made_before(home, trail)
    if key is None:
        # Changes nothing, but tells whether CloudTrail would take a change, before a key costs money.
        await update_trail(trail.home, trail.arn, later={}, EnableLogFileValidation=trail.validates)
        key = await _make_key(home, trail)
    taken = ("AlreadyExistsException",)
    await home.find("kms", "CreateAlias", absent=taken, AliasName=_alias_for(trail), TargetKeyId=key)
    await home.call("kms", "EnableKeyRotation", KeyId=key)
    return key


async def home_of_own_key(trail: Trail) -> Aws:
    """The account in the region where the trail's own key must be, that of the trail's bucket.

    Raises:
        CannotFix: the bucket is another account's.
    """
    region = await log_bucket_region(trail)
    if region is None:
        raise CannotFix(
            f"the bucket {trail.bucket} of trail {trail.name} is not one of this account: a key for it is for "
            "the owner of the bucket to make; then name it to cloudtrail_encrypt_log_files_using_existing_key"
        )
    return trail.home.at(region)


def _policy_for(trail: Trail) -> str:
    """The policy of a key made for the trail alone.

    The account keeps it, so that IAM decides who may administer it and read logs, and nobody is locked
    out. CloudTrail may use it on behalf of this trail and of no other account's.
    """
    _, partition, _, _, account, _ = trail.arn.split(":", 5)
    for_the_trail = {"StringEquals": {"aws:SourceArn": trail.arn}}
    context = f"arn:{partition}:cloudtrail:*:{account}:trail/*"
    own = {"Effect": "Allow", "Resource": "*"}
    return with_statements(
        None,
        [
            {
                "Sid": "AccountKeepsTheKey",
                "Principal": {"AWS": f"arn:{partition}:iam::{account}:root"},
                "Action": "kms:*",
                **own,
            },
            {
                "Sid": "CloudTrailEncrypts",
                "Principal": {"Service": SERVICE},
                "Action": "kms:GenerateDataKey*",
                "Condition": {**for_the_trail, "StringLike": {CONTEXT: context}},
                **own,
            },
            {
                "Sid": "CloudTrailLooks",
                "Principal": {"Service": SERVICE},
                "Action": "kms:DescribeKey",
                "Condition": for_the_trail,
                **own,
            },
        ],
    )


def _alias_for(trail: Trail) -> str:
    """What people find the trail's own key by. Aliases know no dots, names of trails do."""
    return "alias/cloudtrail-" + trail.name.replace(".", "_")


async def _key_made_before(home: Aws, trail: Trail) -> str | None:
    """ARN of the key an earlier attempt made for the trail in the region of its bucket, if there is one.

    Raises:
        CannotFix: the alias of the trail's key leads to a key that cannot encrypt for it.
    """
    named = await home.find("kms", "DescribeKey", absent=GONE, KeyId=_alias_for(trail))
    if named is not None:
        arn = str(named["KeyMetadata"]["Arn"])
        if await _fits(home, trail, arn):
            return arn
        raise CannotFix(
            f"{_alias_for(trail)} leads to {arn}, which is switched off or does not let CloudTrail encrypt for "
            f"{trail.arn}: enable that key or delete the alias"
        )
    # A key that was made but never got its alias must not cost its monthly price twice.
    tagged = home.pages(
        "resourcegroupstaggingapi",
        "GetResources",
        items="ResourceTagMappingList",
        TagFilters=[{"Key": TAG, "Values": [trail.arn]}],
        ResourceTypeFilters=["kms:key"],
    )
    arns = [str(each["ResourceARN"]) async for each in tagged]
    fitting = [arn for arn in sorted(arns) if await _fits(home, trail, arn)]
    return fitting[0] if fitting else None


async def _fits(home: Aws, trail: Trail, key: str) -> bool:
    try:
        await usable_key(home, key)
    except CannotFix:
        return False
    return lets_encrypt(await key_policy(home, key), trail.arn)


async def _make_key(home: Aws, trail: Trail) -> str:
    """Make a key for the trail; its ARN."""
    answer = await home.call(
        "kms",
        "CreateKey",
        Description=f"Log files of the CloudTrail trail {trail.name}",
        Policy=_policy_for(trail),
        Tags=[{"TagKey": TAG, "TagValue": trail.arn}],
    )
    return str(answer["KeyMetadata"]["Arn"])
