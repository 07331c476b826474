"""Snapshots of an instance's volumes: those that are there, by whom and when they were taken; taking more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, Target, TryLater, on
from bots._instances import INSTANCE

SNAPSHOT = ("arn:{partition}:ec2:*::snapshot/*",)  # ARNs of snapshots leave the account out
VOLUME = ("arn:{partition}:ec2:*:{account}:volume/*",)
WRITES = (
    *on(INSTANCE + VOLUME + SNAPSHOT, "ec2:CreateSnapshots"),
    *on(SNAPSHOT, "ec2:CreateTags", "ec2:DeleteSnapshot"),
)
SOURCE = "source_instance_id"
OCCURRENCE = "remediation_occurrence"
STILL_FRESH = timedelta(days=1)
LONGEST_DESCRIPTION = 255
BUSY_SECONDS = 120
_GOOD = ("pending", "completed")
_BUSY = ("ConcurrentSnapshotLimitExceeded", "SnapshotCreationPerVolumeRateExceeded")

Found = Mapping[str, Any]


async def snapshots_of(aws: Aws, target: Target) -> list[dict[str, Any]]:
    """Every snapshot that was taken here of the instance."""
    mine = [{"Name": f"tag:{SOURCE}", "Values": [target.id]}]
    found = aws.pages("ec2", "DescribeSnapshots", items="Snapshots", OwnerIds=["self"], Filters=mine)
    return [each async for each in found]


def is_own(target: Target, snapshot: Found) -> bool:
    """Whether it was taken for this report of the finding."""
    return {"Key": OCCURRENCE, "Value": target.occurrence} in snapshot.get("Tags", ())


def counts(aws: Aws, target: Target, snapshot: Found) -> bool:
    """Whether it is a good one, taken for this report of the finding or for another one not long ago."""
    alike = snapshot.get("Description") == _description(target)
    fresh = alike and aws.now - snapshot["StartTime"] < STILL_FRESH
    return snapshot["State"] in _GOOD and (is_own(target, snapshot) or fresh)


async def take(aws: Aws, target: Target) -> None:
    """Take a snapshot of every volume of the instance, all at one moment.

    Raises:
        TryLater: AWS takes no more of them just now.
    """
    tags = [{"Key": SOURCE, "Value": target.id}, {"Key": OCCURRENCE, "Value": target.occurrence}]
    try:
        await aws.call(
            "ec2",
            "CreateSnapshots",
            InstanceSpecification={"InstanceId": target.id},
            Description=_description(target),
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}],
        )
    except AwsError as error:
        if error.code not in _BUSY:
            raise
        raise TryLater(
            f"AWS takes no more snapshots of {target.id} just now: {error.message}", seconds=BUSY_SECONDS
        ) from error


async def delete(aws: Aws, snapshot: str) -> None:
    """
    Raises:
        CannotFix: an image needs it.
    """
    deleted = await aws.find("ec2", "DeleteSnapshot", absent=("InvalidSnapshot.InUse",), SnapshotId=snapshot)
    if deleted is None:
        raise CannotFix(
            f"an image was registered from snapshot {snapshot}: deregister it first, if it may go"
        )


def _description(target: Target) -> str:
    rule = "".join(letter if letter.isprintable() else " " for letter in target.rule)
    return f"Remediation of {target.id}: {rule}"[:LONGEST_DESCRIPTION]
