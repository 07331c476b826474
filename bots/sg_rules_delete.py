"""Delete all rules of a security group.

After: the group has no inbound and no outbound rule; it stays, and so does everything that wears it.
Caution: whatever wears only this group can no longer be reached and reach anybody; tracked connections
outlive the rules. Services that manage a group of their own (EKS, Directory Service) may add rules again.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity
from bots._groups import READS, group_notes, own_rules, rearrange
from bots._removal import WRITES
from bots._rules import Direction, Rule, named, to_drop, to_put_back


class Stripped(Before):
    """All rules; without ids, which a rule put back has anew."""

    inbound: tuple[Rule, ...]
    outbound: tuple[Rule, ...]


bot = Bot(
    name="sg_rules_delete",
    acts_on="AWS::EC2::SecurityGroup",
    target=entity("id"),
    params=NoParams,
    before=Stripped,
    reads=READS,
    writes=WRITES,
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Stripped]:
    live = await own_rules(aws, target)
    before = Stripped(
        inbound=tuple(sorted(live["inbound"].values())), outbound=tuple(sorted(live["outbound"].values()))
    )
    notes = await group_notes(aws, target) if before.inbound or before.outbound else ()
    sides = (("inbound", before.inbound), ("outbound", before.outbound))
    return Check(
        compliant=not (before.inbound or before.outbound),
        before=before,
        why=", ".join(
            f"{len(rules)} {side} rules ({named(rules)})" if rules else f"no {side} rules"
            for side, rules in sides
        ),
        notes=notes,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Stripped) -> None:
    await rearrange(
        aws, target.id, lambda live: {side: to_drop(rules, lambda _: True) for side, rules in live.items()}
    )


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Stripped) -> None:
    saved: dict[Direction, tuple[Rule, ...]] = {"inbound": before.inbound, "outbound": before.outbound}
    await rearrange(
        aws,
        target.id,
        lambda live: {side: to_put_back(rules, lambda _: True, saved[side]) for side, rules in live.items()},
    )
