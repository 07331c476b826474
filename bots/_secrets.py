"""Secrets of Secrets Manager: the one a finding means, and who reads it."""

from __future__ import annotations

from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone

SECRET = ("arn:{partition}:secretsmanager:*:{account}:secret:*",)


async def the_secret(aws: Aws, target: Target) -> tuple[Aws, dict[str, Any]]:
    """The account in the secret's region, and what is known of the secret.

    Raises:
        TargetGone: no such secret.
        CannotFix: its key is not for us to change.
    """
    home, named = aws, target.id
    if named.startswith("arn:"):
        _, _, _, region, owner, _ = (named + ":::::").split(":", 5)
        if owner != aws.account_id:
            raise CannotFix(f"secret {named} belongs to account {owner}, not to {aws.account_id}")
        home = aws.at(region)
    found = await home.find(
        "secretsmanager", "DescribeSecret", absent=("ResourceNotFoundException",), SecretId=named
    )
    if found is None:
        raise TargetGone(f"secret {named} does not exist in {home.region}")
    name = found["Name"]
    if found.get("DeletedDate"):
        raise CannotFix(f"secret {name} is being deleted: restore it first, if it is still needed")
    if service := found.get("OwningService"):
        raise CannotFix(f"secret {name} is managed by {service}: change its key there")
    if (primary := found.get("PrimaryRegion", home.region)) != home.region:
        raise CannotFix(f"secret {name} is a replica: change its key in the Region it comes from, {primary}")
    return home, found


def reader_notes(secret: dict[str, Any]) -> tuple[str, ...]:
    """Who will need the secret's new key."""
    notes = ["readers of the secret need kms:Decrypt on the key"]
    if function := secret.get("RotationLambdaARN"):
        notes.append(f"so does the function that rotates it, with kms:GenerateDataKey: {function}")
    if regions := [each["Region"] for each in secret.get("ReplicationStatus", ())]:
        notes.append(f"replicas keep their own keys: {', '.join(sorted(regions))}")
    return tuple(notes)
