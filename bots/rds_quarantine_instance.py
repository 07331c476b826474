"""Cut a database off from the network.

After: the DB instance wears only the group 'quarantine' of its VPC, which has no rules.
Caution: tracked connections go on until they end; a reboot or a network ACL cuts them at once. Read replicas
wear groups of their own. Members of a cluster (Aurora, Neptune, DocumentDB, Multi-AZ clusters) are
refused, for their groups are the whole cluster's. Backups and RDS's own access go on.
"""

from bots import _databases, _groups, _quarantine_group
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TryLater, Undo, entity
from bots._quarantine_group import OpenRule, cell_of, locked_cell


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
    reads=(*_groups.READS, *_databases.READS),
    writes=(*_quarantine_group.WRITES, *_databases.WRITES),
    risk=Risk.DISRUPTIVE,
    undo=Undo.nearest(
        "the instance wears its groups again; the quarantine group stays, and stays without rules",
        expects=lambda was: was.model_copy(update={"opened": ()}),
    ),
    entity_keys=(_databases.RESOURCE_ID,),
    creates=(_quarantine_group.CREATES,),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Connected]:
    database = await _databases.find_database(aws, target)
    _databases.refuse_unchangeable(target, database)
    groups = _databases.groups_of(database)
    cell = await cell_of(aws, database["DBSubnetGroup"]["VpcId"], worn=groups)
    changing = "" if _databases.is_settled(database) else " (RDS is exchanging them)"
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
    database = await _databases.find_database(aws, target)
    group_id = await locked_cell(aws, database["DBSubnetGroup"]["VpcId"])
    if _databases.groups_of(database) != (group_id,):
        changed = await _databases.wear(aws, target, (group_id,))
        if changed is None:
            raise TryLater(f"{target.id} is {database['DBInstanceStatus']}: RDS changes available ones only")
        database = changed
    if not _databases.is_settled(database):
        raise TryLater(f"RDS is exchanging the groups of {target.id}", seconds=30)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Connected) -> None:
    if await _databases.wear(aws, target, before.groups) is None:
        raise CannotFix(f"RDS is busy with {target.id}: undo again when it is available")
