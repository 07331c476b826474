"""KMS keys by whatever name: where they are, which rotate, and which can encrypt something by default."""

from __future__ import annotations

from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, TargetGone

# An ARN or name of a key or an alias. Nothing is asked of AWS for what cannot be one.
KEY_PATTERN = (
    r"^(arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:)?(key/|alias/)[A-Za-z0-9/_-]{1,250}$|^(mrk-)?[0-9a-f-]{32,36}$"
)
KEYS = ("arn:{partition}:kms:*:{account}:key/*",)
GONE = ("NotFoundException",)


async def found_key(aws: Aws, named: str) -> tuple[Aws, dict[str, Any]]:
    """The account in the key's region, and what KMS says of the key that ``named`` names in any form.

    Raises:
        TargetGone: no such key.
        CannotFix: it belongs to another account.
    """
    home = aws
    if named.startswith("arn:") and named.count(":") >= 5:
        _, _, _, region, owner, _ = named.split(":", 5)
        if owner != aws.account_id:
            raise CannotFix(f"key {named} belongs to account {owner}, not to {aws.account_id}")
        home = aws.at(region or aws.region)
    answer = await home.find("kms", "DescribeKey", absent=GONE, KeyId=named)
    if answer is None:
        raise TargetGone(f"key {named} does not exist in {home.region}")
    return home, answer["KeyMetadata"]


async def rotatable_key(aws: Aws, named: str) -> tuple[Aws, dict[str, Any], list[str]]:
    """The key whose rotation is to change, the account in its region, and notes.

    Raises:
        TargetGone: no such key.
        CannotFix: its material cannot be rotated automatically, or not now.
    """
    notes = []
    home, key = await found_key(aws, named)
    if key.get("MultiRegionConfiguration", {}).get("MultiRegionKeyType") == "REPLICA":
        primary = key["MultiRegionConfiguration"]["PrimaryKey"]["Arn"]
        notes.append(f"the key is a replica; rotation is a setting of its primary {primary}")
        home, key = await found_key(aws, primary)
    if key["KeyManager"] == "AWS":
        raise CannotFix("the key is managed by AWS, which rotates it every year by itself")
    for has, needed, why in (
        ("KeySpec", "SYMMETRIC_DEFAULT", "only symmetric keys rotate automatically"),
        ("KeyUsage", "ENCRYPT_DECRYPT", "only encryption keys rotate automatically"),
        ("Origin", "AWS_KMS", "only key material made by KMS rotates automatically; replace it by hand"),
        ("KeyState", "Enabled", "enable the key, or cancel its deletion, if it is still needed"),
    ):
        if key.get(has) != needed:
            raise CannotFix(f"the {has} of key {key['KeyId']} is {key.get(has)}: {why}")
    return home, key, notes


async def usable_key(aws: Aws, key: str, *, or_managed: str = "") -> str:
    """ARN of the customer managed key of this account and region that ``key`` names in any form.

    Services store whatever they are told and fail at the first use, so the key is looked at first.
    Keys of other accounts are refused: a finding must not be able to put data under a stranger's key.

    Args:
        or_managed: alias of a key managed by AWS that will do as well (``alias/aws/sns``).

    Raises:
        CannotFix: the key cannot encrypt; the text says why.
    """
    if key.startswith("arn:"):
        _, _, _, region, owner, _ = key.split(":", 5)
        if region != aws.region:
            raise CannotFix(f"key {key} is in {region}, but it must be in {aws.region}")
        if owner != aws.account_id:
            raise CannotFix(f"key {key} belongs to account {owner}, not to {aws.account_id}")
    answer = await aws.find("kms", "DescribeKey", absent=GONE, KeyId=key)
    if answer is None:
        raise CannotFix(f"there is no key {key} in account {aws.account_id}, {aws.region}")
    found: dict[str, Any] = answer["KeyMetadata"]
    managed = "AWS" if or_managed and key.endswith(or_managed) else "CUSTOMER"
    for has, needed in (
        ("KeyManager", managed),
        ("KeyState", "Enabled"),
        ("KeyUsage", "ENCRYPT_DECRYPT"),
        ("KeySpec", "SYMMETRIC_DEFAULT"),
    ):
        if found.get(has) != needed:
            raise CannotFix(f"key {key} cannot be used: its {has} is {found.get(has)}, not {needed}")
    return str(found["Arn"])


async def is_key(aws: Aws, named: str | None, arn: str) -> bool:
    """Whether a stored name of a key (ARN, id, alias) leads to the key ``arn`` of this account and region."""
    if named is None or named == arn:
        return named == arn
    own = arn.split(":key/", 1)[0]
    if named.startswith("arn:") and not named.startswith(f"{own}:alias/"):
        return False  # another key, or an alias of another account or region
    answer = await aws.find("kms", "DescribeKey", absent=GONE, KeyId=named)
    return answer is not None and answer["KeyMetadata"]["Arn"] == arn
