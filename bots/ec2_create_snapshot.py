"""Take a snapshot of every EBS volume of an instance, all at one moment.

After: each attached volume has a snapshot, complete or on its way, tagged with the instance's id. A finding
that comes again within a day finds them and takes no others.
Caution: snapshots cost until somebody deletes them. They hold what was written to the volumes, not what the
operating system still had in memory. Instance store is not in them. An undo deletes them.
"""

from bots import _snapshots
from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, TargetGone, Undo, entity
from bots._instances import find_instance, volumes_of


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
    writes=_snapshots.WRITES,
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
    found = await _snapshots.snapshots_of(aws, target)
    good = [each for each in found if _snapshots.counts(aws, target, each)]
    covered = {each["VolumeId"]: each["SnapshotId"] for each in good}
    made = sorted(each["SnapshotId"] for each in found if _snapshots.is_own(target, each))
    return Check(
        compliant=covered.keys() >= volumes.keys(),
        before=Snapshots(made=tuple(made)),
        why=_told(target, {volume: covered.get(volume) for volume in volumes}),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Snapshots) -> None:
    await _snapshots.take(aws, target)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Snapshots) -> None:
    for each in await _snapshots.snapshots_of(aws, target):
        if _snapshots.is_own(target, each) and each["SnapshotId"] not in before.made:
            await _snapshots.delete(aws, each["SnapshotId"])


def _told(target: Target, snapshots: dict[str, str | None]) -> str:
    if not snapshots:
        return f"instance {target.id} has no EBS volumes, so there is nothing to take a snapshot of"
    each = [f"volume {volume}: {snapshot or 'no fresh snapshot'}" for volume, snapshot in snapshots.items()]
    return f"instance {target.id}, {'; '.join(each)}"
