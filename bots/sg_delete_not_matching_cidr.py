"""Delete the rules of a security group that open a port to anyone outside one network.

After: every rule of the direction that lets the port through by TCP or UDP is for a network inside the
given one; all-traffic rules and rules of the other address family count as outside.
Caution: rules go whole, with all their other ports and with the part of their network that is inside.
sg_single_rule_delete cuts out a port, sg_modify_scope_by_port narrows the network. Rules for groups and
prefix lists stay and are reported. Tracked connections outlive the rule.
Finding: sg_delete_not_matching_cidr 5432 10.40.0.0/16 inbound
"""

from typing import Annotated

from pydantic import AfterValidator, Field

from bots import _prefix_lists
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity
from bots._groups import READS, group_notes, own_rules
from bots._removal import WRITES, Port, put_back, remove
from bots._rules import Direction, Rule, cidr, contains, named


class Wish(Params):
    port: Annotated[Port, Field(description="port the rule lets through, alone or in a range")]
    cidr: Annotated[str, AfterValidator(cidr), Field(description="the only network that may keep access")]
    direction: Direction

    def takes(self, rule: Rule) -> bool:
        """Whether the rule goes."""
        return rule.covers(self.port) and rule.is_network and not contains(self.cidr, rule.source)


class Deleted(Before):
    """The rules that are to go; without ids, which a rule put back has anew."""

    wish: Wish
    rules: tuple[Rule, ...]


bot = Bot(
    name="sg_delete_not_matching_cidr",
    acts_on="AWS::EC2::SecurityGroup",
    target=entity("id"),
    params=Wish,
    before=Deleted,
    reads=(*READS, *_prefix_lists.READS),
    writes=WRITES,
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Deleted]:
    live = (await own_rules(aws, target))[params.direction].values()
    rules = tuple(sorted(rule for rule in live if params.takes(rule)))
    notes = await group_notes(aws, target) if rules else ()
    covering = [rule for rule in live if rule.covers(params.port)]
    notes += await _prefix_lists.unjudged(aws, covering, params.cidr)
    if wide := [rule for rule in rules if not rule.is_just(params.port)]:
        notes += (f"rules that open more than port {params.port} go whole: {named(wide)}",)
    if holding := [rule for rule in rules if contains(rule.source, params.cidr)]:
        notes += (f"access for {params.cidr} itself goes too, where only these gave it: {named(holding)}",)
    return Check(
        compliant=not rules,
        before=Deleted(wish=params, rules=rules),
        why=f"port {params.port} is open {params.direction} to others than {params.cidr}: {named(rules)}"
        if rules
        else f"no network outside {params.cidr} has port {params.port} open {params.direction}",
        notes=notes,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Deleted) -> None:
    await remove(aws, target.id, params.direction, params.takes)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Deleted) -> None:
    wish = before.wish
    await put_back(aws, target.id, wish.direction, wish.takes, before.rules)
