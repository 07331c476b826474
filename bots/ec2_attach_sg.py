"""Replace the security groups of an instance by one.

After: every network interface of the instance wears exactly the named group.
Caution: all groups it wore are taken off, and other groups' rules for these no longer reach it. Tracked
connections go on until they end.
Finding: ec2_attach_sg restricted-baseline
Finding: ec2_attach_sg "restricted baseline"
"""

from typing import Annotated

from pydantic import Field

from bots import _group_names
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._interfaces import CHANGE, CHANGED, READS, interfaces_of, wear
from bots._words import Word


class Wish(Params):
    security_group_name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9 ._:/()#,@\[\]+=&;{}!$*-]{1,255}$",
            description="name of the group in the interface's VPC, to the letter, or its id (sg-…)",
        ),
        Word(aliases=("security_group", "security_group_id", "group_name", "group_id", "sg")),
    ]


class Worn(Before):
    """Groups by interface, both as ids in alphabetical order."""

    interfaces: tuple[tuple[str, tuple[str, ...]], ...]


bot = Bot(
    name="ec2_attach_sg",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=Wish,
    before=Worn,
    reads=(*dict.fromkeys((*READS, *_group_names.READS)),),
    writes=on(CHANGED, CHANGE),
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Worn]:
    attached = await interfaces_of(aws, target)
    named = params.security_group_name
    serving = await _group_names.serving(aws, named, {each.vpc for each in attached.interfaces})
    others = [each for each in attached.interfaces if each.groups != (serving[each.vpc],)]
    return Check(
        compliant=not others,
        before=Worn(interfaces=tuple((each.id, each.groups) for each in attached.interfaces)),
        why=f"not just {named}: " + "; ".join(f"{each.id} wears {', '.join(each.groups)}" for each in others)
        if others
        else f"all interfaces of {target.id} wear just {named}",
        notes=attached.notes,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Worn) -> None:
    interfaces = (await interfaces_of(aws, target)).interfaces
    serving = await _group_names.serving(aws, params.security_group_name, {each.vpc for each in interfaces})
    wanted = {each.id: (serving[each.vpc],) for each in interfaces}
    await wear(aws, {each.id: wanted[each.id] for each in interfaces if each.groups != wanted[each.id]})


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Worn) -> None:
    await wear(aws, dict(before.interfaces))
