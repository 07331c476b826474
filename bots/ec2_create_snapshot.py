"""Take a snapshot of every EBS volume of an instance, all at one moment.

After: each attached volume has a snapshot, complete or on its way, tagged with the instance's id. A finding
that comes again within a day finds them and takes no others.
Caution: snapshots cost until somebody deletes them. They hold what was written to the volumes, not what the
operating system still had in memory. Instance store is not in them. An undo deletes them.
"""

from datetime import timedelta
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import (
    Before,
    Bot,
    CannotFix,
    Check,
    NoParams,
    Risk,
    Target,
    TargetGone,
    TryLater,
    Undo,
    entity,
    on,
)
from bots._instances import INSTANCE, find_instance, volumes_of

SNAPSHOT = ("arn:{partition}:ec2:*::snapshot/*",)  # ARNs of snapshots leave the account out
VOLUME = ("arn:{partition}:ec2:*:{account}:volume/*",)
SOURCE = "source_instance_id"
OCCURRENCE = "remediation_occurrence"
STILL_FRESH = timedelta(days=1)
LONGEST_DESCRIPTION = 255
BUSY_SECONDS = 120
_GOOD = ("pending", "completed")
_BUSY = ("ConcurrentSnapshotLimitExceeded", "SnapshotCreationPerVolumeRateExceeded")


class Snapshots(Before):
    """Those made for this report of the finding. Others are nobody's business here."""

    made: tuple[str, ...]


bot = Bot(
    name="ec2_create_snapshot",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=NoParams,
    before=Snapshots,
    reads=("ec2:DescribeInstances", "ec2:DescribeSnapshots"),
    writes=(
        *on(INSTANCE + VOLUME + SNAPSHOT, "ec2:CreateSnapshots"),
        *on(SNAPSHOT, "ec2:CreateTags", "ec2:DeleteSnapshot"),
    ),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
    creates=("a snapshot of each attached EBS volume",),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Snapshots]:
    instance = await find_instance(aws, target)
    if instance["State"]["Name"] == "terminated":
        raise TargetGone(f"instance {target.id} is terminated and has no volumes any more")
    volumes = volumes_of(instance)
    found = await _snapshots(aws, target)
    good = [each for each in found if each["State"] in _GOOD and _counts(aws, target, each)]
    covered = {each["VolumeId"]: each["SnapshotId"] for each in good}
    return Check(
        compliant=covered.keys() >= volumes.keys(),
        before=Snapshots(made=tuple(sorted(each["SnapshotId"] for each in found if _is_own(target, each)))),
        why=_told(target, {volume: covered.get(volume) for volume in volumes}),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Snapshots) -> None:
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


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Snapshots) -> None:
    for each in await _snapshots(aws, target):
        if _is_own(target, each) and each["SnapshotId"] not in before.made:
            await _delete(aws, each["SnapshotId"])


async def _delete(aws: Aws, snapshot: str) -> None:
    deleted = await aws.find("ec2", "DeleteSnapshot", absent=("InvalidSnapshot.InUse",), SnapshotId=snapshot)
    if deleted is None:
        raise CannotFix(
            f"an image was registered from snapshot {snapshot}: deregister it first, if it may go"
        )


async def _snapshots(aws: Aws, target: Target) -> list[dict[str, Any]]:
    """Every one this bot has taken of the instance."""
    mine = [{"Name": f"tag:{SOURCE}", "Values": [target.id]}]
    found = aws.pages("ec2", "DescribeSnapshots", items="Snapshots", OwnerIds=["self"], Filters=mine)
    return [each async for each in found]


def _is_own(target: Target, snapshot: dict[str, Any]) -> bool:
    return {"Key": OCCURRENCE, "Value": target.occurrence} in snapshot.get("Tags", ())


def _counts(aws: Aws, target: Target, snapshot: dict[str, Any]) -> bool:
    """Whether it was taken for this report of the finding, or for another one not long ago."""
    alike = snapshot.get("Description") == _description(target)
    return _is_own(target, snapshot) or (alike and aws.now - snapshot["StartTime"] < STILL_FRESH)


def _description(target: Target) -> str:
    rule = "".join(letter if letter.isprintable() else " " for letter in target.rule)
    return f"Remediation of {target.id}: {rule}"[:LONGEST_DESCRIPTION]


def _told(target: Target, snapshots: dict[str, str | None]) -> str:
    if not snapshots:
        return f"instance {target.id} has no EBS volumes, so there is nothing to take a snapshot of"
    each = [f"volume {volume}: {snapshot or 'no fresh snapshot'}" for volume, snapshot in snapshots.items()]
    return f"instance {target.id}, {'; '.join(each)}"
