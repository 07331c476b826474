"""Cut an instance off from the network.

After: every network interface of the instance wears only the group 'quarantine' of its VPC, which has no rules.
Caution: tracked connections go on until they end; only a network ACL cuts them at once. Security groups
never filter instance metadata, Amazon's DNS, DHCP and Time Sync. An Auto Scaling group or a load balancer
takes the instance for ill: its group may terminate it, and the evidence with it.
"""

from bots import _quarantine_group
from bots._aws import Aws, together
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._interfaces import CHANGE, CHANGED, READS, interfaces_of, may_wear, wear
from bots._quarantine_group import OpenRule, cell_of, locked_cell


class Connected(Before):
    """Groups by interface, both as ids in alphabetical order, and rules the quarantine groups have."""

    interfaces: tuple[tuple[str, tuple[str, ...]], ...]
    opened: tuple[OpenRule, ...]


bot = Bot(
    name="ec2_quarantine_instance",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=NoParams,
    before=Connected,
    reads=(*READS, "ec2:DescribeSecurityGroupRules"),
    writes=(*_quarantine_group.WRITES, *on(CHANGED, CHANGE)),
    risk=Risk.DISRUPTIVE,
    undo=Undo.nearest(
        "the interfaces wear their groups again; the quarantine group stays, and stays without rules",
        expects=lambda was: was.model_copy(update={"opened": ()}),
    ),
    creates=(_quarantine_group.CREATES,),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Connected]:
    attached = await interfaces_of(aws, target)
    vpcs = sorted({each.vpc for each in attached.interfaces})
    worn = {group for each in attached.interfaces for group in each.groups}
    cells = dict(zip(vpcs, await together(*(cell_of(aws, vpc, worn=worn) for vpc in vpcs)), strict=True))
    free = [each for each in attached.interfaces if each.groups != (cells[each.vpc].group_id,)]
    opened = any(cell.opened for cell in cells.values())
    return Check(
        compliant=not (free or opened),
        before=Connected(
            interfaces=tuple((each.id, each.groups) for each in attached.interfaces),
            opened=tuple(rule for cell in cells.values() for rule in cell.kept),
        ),
        why="; ".join(f"{each.id} wears {', '.join(each.groups)}" for each in free)
        or f"all interfaces of {target.id} are in quarantine{', which has been opened' if opened else ''}",
        notes=attached.notes + tuple(note for cell in cells.values() for note in cell.notes),
        touches=tuple(touched for cell in cells.values() for touched in cell.touches),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Connected) -> None:
    interfaces = (await interfaces_of(aws, target)).interfaces
    await may_wear(aws, {each.id: each.groups for each in interfaces})
    cells = {vpc: await locked_cell(aws, vpc) for vpc in sorted({each.vpc for each in interfaces})}
    await wear(aws, {each.id: (cells[each.vpc],) for each in interfaces if each.groups != (cells[each.vpc],)})


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Connected) -> None:
    await wear(aws, dict(before.interfaces))
