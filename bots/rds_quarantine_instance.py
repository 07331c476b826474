"""Cut a database off from the network.

After: the DB instance wears only the group 'quarantine' of its VPC, which has no rules.
Caution: tracked connections go on until they end; a reboot or a network ACL cuts them at once. Read replicas
wear groups of their own. Members of a cluster (Aurora, Neptune, DocumentDB, Multi-AZ clusters) are
refused, for their groups are the whole cluster's. Backups and RDS's own access go on.
"""

from typing import Any

from bots import _quarantine_group
from bots._aws import Aws
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
from bots._quarantine_group import OpenRule, cell_of, locked_cell

DATABASE = ("arn:{partition}:rds:*:{account}:db:*",)
READ, CHANGE = "rds:DescribeDBInstances", "rds:ModifyDBInstance"
RESOURCE_ID = "regionInstance"  # of the finding's entity: an id that is never used again, unlike the name


class Connected(Before):
    """The instance's groups in alphabetical order, and rules the quarantine group has."""

    groups: tuple[str, ...]
    opened: tuple[OpenRule, ...]


bot = Bot(
    name="rds_quarantine_instance",
    acts_on="AWS::RDS::DBInstance",
    target=entity("id", "name"),
    params=NoParams,
    before=Connected,
    reads=(*_quarantine_group.READS, *on(DATABASE, READ)),
    writes=(*_quarantine_group.WRITES, *on(DATABASE, CHANGE)),
    risk=Risk.DISRUPTIVE,
    undo=Undo.nearest(
        "the instance wears its groups again; the quarantine group stays, and stays without rules",
        expects=lambda was: was.model_copy(update={"opened": ()}),
    ),
    entity_keys=(RESOURCE_ID,),
    creates=(_quarantine_group.CREATES,),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Connected]:
    database = await _instance(aws, target)
    _refuse_unchangeable(target, database)
    groups = _groups(database)
    cell = await cell_of(aws, database["DBSubnetGroup"]["VpcId"], worn=groups)
    changing = "" if _is_settled(database) else " (RDS is exchanging them)"
    replicas = database.get("ReadReplicaDBInstanceIdentifiers", ())
    return Check(
        compliant=groups == (cell.group_id,) and not changing and not cell.opened,
        before=Connected(groups=groups, opened=cell.kept),
        why=f"{target.id} wears {', '.join(groups)}{changing}"
        + ("; the quarantine group has been opened" if cell.kept else ""),
        notes=cell.notes + tuple(f"read replica {each} wears groups of its own" for each in replicas),
        touches=cell.touches,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Connected) -> None:
    database = await _instance(aws, target)
    group_id = await locked_cell(aws, database["DBSubnetGroup"]["VpcId"])
    if _groups(database) != (group_id,):
        changed = await _give(aws, target, (group_id,))
        if changed is None:
            raise TryLater(f"{target.id} is {database['DBInstanceStatus']}: RDS changes available ones only")
        database = changed
    if not _is_settled(database):
        raise TryLater(f"RDS is exchanging the groups of {target.id}", seconds=30)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Connected) -> None:
    if await _give(aws, target, before.groups) is None:
        raise CannotFix(f"RDS is busy with {target.id}: undo again when it is available")


async def _give(aws: Aws, target: Target, groups: tuple[str, ...]) -> dict[str, Any] | None:
    """The instance as it is then, None if RDS cannot change it now.

    Groups change at once anyway. ApplyImmediately would also bring on what else waits for the
    maintenance window, and perhaps a restart with it.
    """
    answer = await aws.find(
        "rds",
        "ModifyDBInstance",
        absent=("InvalidDBInstanceState",),
        DBInstanceIdentifier=target.id,
        VpcSecurityGroupIds=list(groups),
    )
    return None if answer is None else answer["DBInstance"]


async def _instance(aws: Aws, target: Target) -> dict[str, Any]:
    answer = await aws.find(
        "rds", "DescribeDBInstances", absent=("DBInstanceNotFound",), DBInstanceIdentifier=target.id
    )
    if answer is None or not answer["DBInstances"]:
        raise TargetGone(f"DB instance {target.id} does not exist in {aws.region}")
    found: dict[str, Any] = answer["DBInstances"][0]
    seen = str(target.entity.get(RESOURCE_ID) or "")
    if seen.startswith("db-") and seen != found["DbiResourceId"]:
        raise TargetGone(f"DB instance {seen} of the finding is gone; another one is called {target.id} now")
    if found["DBInstanceStatus"] == "deleting":
        raise TargetGone(f"DB instance {target.id} is being deleted")
    return found


def _refuse_unchangeable(target: Target, database: dict[str, Any]) -> None:
    if cluster := database.get("DBClusterIdentifier"):
        raise CannotFix(
            f"{target.id} is a member of cluster {cluster}, and RDS knows groups only of the cluster as a whole: "
            "change the cluster's by hand if all its members are to be cut off"
        )
    if database["Engine"].startswith("custom-"):
        raise CannotFix(f"{target.id} is of RDS Custom, whose groups RDS does not change")
    if database["DBInstanceStatus"] in ("stopping", "stopped"):
        raise CannotFix(f"{target.id} is stopped: RDS changes running ones only, and nothing reaches it now")


def _groups(database: dict[str, Any]) -> tuple[str, ...]:
    """Ids of the groups it has or is about to get."""
    found = database["VpcSecurityGroups"]
    return tuple(sorted(each["VpcSecurityGroupId"] for each in found if each["Status"] != "removing"))


def _is_settled(database: dict[str, Any]) -> bool:
    return all(each["Status"] == "active" for each in database["VpcSecurityGroups"])
