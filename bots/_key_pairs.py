"""Key pairs: find one by its id or name, tell which instances accept it, import it anew."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bots._aws import Aws

PAIR = ("arn:{partition}:ec2:*:{account}:key-pair/*",)
GONE = ("InvalidKeyPair.NotFound",)
_ID = re.compile(r"key-([0-9a-f]{8}|[0-9a-f]{17})")


async def find_pair(aws: Aws, named: str) -> dict[str, Any] | None:
    """The pair with that id, else the one with that name; None if there is neither."""
    asked: list[dict[str, Any]] = [{"KeyNames": [named]}]
    if _ID.fullmatch(named):
        asked.insert(0, {"Filters": [{"Name": "key-pair-id", "Values": [named]}]})
    for way in asked:
        answer = await aws.find("ec2", "DescribeKeyPairs", absent=GONE, IncludePublicKey=True, **way)
        if answer is not None and answer["KeyPairs"]:
            found: dict[str, Any] = answer["KeyPairs"][0]
            return found
    return None


async def launched_with(aws: Aws, name: str) -> list[str]:
    """Ids of the instances that were launched with the pair."""
    # A filter takes * and ? for wildcards, and names may hold them.
    pattern = re.sub(r"([*?\\])", r"\\\1", name)
    launched = [
        {"Name": "key-name", "Values": [pattern]},
        {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]},
    ]
    found = aws.pages("ec2", "DescribeInstances", items="Reservations", Filters=launched)
    return sorted([each["InstanceId"] async for group in found for each in group["Instances"]])


async def import_pair(aws: Aws, name: str, public_key: str, tags: Sequence[tuple[str, str]]) -> None:
    """Make the pair from its public key."""
    pairs = [{"Key": key, "Value": value} for key, value in tags]
    tagged = {"TagSpecifications": [{"ResourceType": "key-pair", "Tags": pairs}]} if pairs else {}
    await aws.call("ec2", "ImportKeyPair", KeyName=name, PublicKeyMaterial=public_key.encode(), **tagged)
