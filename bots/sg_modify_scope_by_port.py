"""Give the rules of a security group that open a port another network.

After: no rule of the direction that lets the port through is for the old network; each has become a rule
for the new one, with the same protocol, ports, description and tags.
Caution: a range moves whole, with all its other ports. Who is in the old network and not in the new one
loses access; tracked connections outlive that. Rules for groups and prefix lists stay.
Finding: sg_modify_scope_by_port 3306 0.0.0.0/0 10.30.0.0/16 inbound
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._groups import GROUP, RULE, group_notes, live_rules, rearrange
from bots._removal import READS, WRITES, Port
from bots._rules import Change, Direction, Rule, Rules, cidr, contains, named, to_move, to_restore, ways_left


def _network_or_any(text: str) -> str:
    return text if text == "*" else cidr(text)


class Wish(Params):
    port: Annotated[Port, Field(description="port the rule lets through, alone or in a range")]
    change_scope_from: Annotated[
        str,
        AfterValidator(_network_or_any),
        Field(description="network of the rules; * for all but those inside the new one"),
    ]
    change_scope_to: Annotated[str, AfterValidator(cidr), Field(description="network they get")]
    direction: Direction

    @model_validator(mode="after")
    def _narrows(self) -> Self:
        old, new = self.change_scope_from, self.change_scope_to
        if old == "*":
            return self
        if (":" in old) != (":" in new):
            raise ValueError(
                "both networks must be IPv4 or both IPv6: one cannot take the place of the other"
            )
        if contains(new, old):
            raise ValueError("the new network must not contain the old one: that would open the port to more")
        return self

    def moves(self, rule: Rule) -> bool:
        """Whether the rule gets the new network."""
        if not (rule.covers(self.port) and rule.is_network):
            return False
        if self.change_scope_from == "*":
            return not contains(self.change_scope_to, rule.source)
        return rule.source == self.change_scope_from

    def keeps(self, rule: Rule) -> bool:
        """Whether the rule is one that others may have become."""
        return rule.covers(self.port) and rule.source == self.change_scope_to


class Moved(Before):
    """Rules that are to move and what is there for the new network; without ids, which can change."""

    wish: Wish
    rules: tuple[Rule, ...]


bot = Bot(
    name="sg_modify_scope_by_port",
    acts_on="AWS::EC2::SecurityGroup",
    target=entity("id"),
    params=Wish,
    before=Moved,
    reads=READS,
    writes=(*WRITES, *on(GROUP + RULE, "ec2:ModifySecurityGroupRules")),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Moved]:
    notes = await group_notes(aws, target)
    live = await live_rules(aws, target.id, params.direction)
    old, new, side = params.change_scope_from, params.change_scope_to, params.direction
    wrong = [rule for rule in live.values() if params.moves(rule)]
    others = [rule for rule in live.values() if rule.covers(params.port) and not params.moves(rule)]
    for why, left in ways_left(others, new if old == "*" else old).items():
        if left := [rule for rule in left if not params.keeps(rule)]:
            notes += (f"port {params.port} stays open {side} {why}: {named(left)}",)
    if wide := [rule for rule in wrong if not rule.is_just(params.port)]:
        notes += (f"rules that open more than port {params.port} move whole: {named(wide)}",)
    return Check(
        compliant=not wrong,
        before=Moved(wish=params, rules=_of(params, live)),
        why=f"port {params.port} is open {side} for others than {new}: {named(wrong)}"
        if wrong
        else f"port {params.port} is open {side} by no rule that is to move to {new}",
        notes=notes,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Moved) -> None:
    side = params.direction
    await rearrange(
        aws, target.id, lambda live: {side: to_move(live[side], params.moves, params.change_scope_to)}
    )


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Moved) -> None:
    wish = before.wish

    def back(live: Mapping[Direction, Rules]) -> dict[Direction, Change]:
        now = {
            each: rule for each, rule in live[wish.direction].items() if wish.moves(rule) or wish.keeps(rule)
        }
        return {wish.direction: to_restore(now, before.rules)}

    await rearrange(aws, target.id, back)


def _of(wish: Wish, live: Rules) -> tuple[Rule, ...]:
    return tuple(sorted(rule for rule in live.values() if wish.moves(rule) or wish.keeps(rule)))
