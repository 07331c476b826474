"""Delete the rules of a security group for one port, whoever they are for.

After: no rule of the direction for exactly this protocol and port is left, whatever its source, except
for networks, groups and prefix lists on the white list.
Caution: any source is meant literally, so rules between a load balancer's group and its targets go as well.
Ranges and all-traffic rules that include the port are reported, not touched. Tracked connections
outlive the rule.
Finding: sg_clear_rules_for_any_scope 3389 tcp inbound 10.20.0.0/16,192.0.2.10/32
"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity
from bots._groups import READS, group_notes, own_rules
from bots._openings import ToAnyone, parted, spared
from bots._removal import WRITES, Port, Protocol, put_back, remove
from bots._rules import EVERYTHING, PORTED, Direction, Rule, named
from bots._words import Word


class Wish(Params):
    port: Annotated[Port, Field(description="rules for exactly this port; of no matter for protocol ALL")]
    protocol: Annotated[
        Protocol,
        Field(description="tcp, udp, ALL for the all-traffic rule, or a protocol's number with port 0"),
    ]
    direction: Direction
    white_list: Annotated[
        tuple[Annotated[str, AfterValidator(spared)], ...],
        Field(description="networks, groups (sg-…) and prefix lists (pl-…) whose rules stay"),
        Word(rest=True),
    ] = ()

    @model_validator(mode="after")
    def _port_fits_protocol(self) -> Self:
        if self.protocol == "*":
            raise ValueError("one protocol must be named: tcp, udp, ALL or a number")
        if self.port and self.protocol not in (*PORTED, EVERYTHING):
            raise ValueError("only tcp and udp have ports: give port 0 to clear all rules of this protocol")
        return self

    @property
    def opening(self) -> ToAnyone:
        return ToAnyone(port=self.port, protocol=self.protocol, spared=self.white_list)


class Cleared(Before):
    """The rules that are to go; without ids, which a rule put back has anew."""

    wish: Wish
    rules: tuple[Rule, ...]


bot = Bot(
    name="sg_clear_rules_for_any_scope",
    acts_on="AWS::EC2::SecurityGroup",
    target=entity("id"),
    params=Wish,
    before=Cleared,
    reads=READS,
    writes=WRITES,
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Cleared]:
    live = (await own_rules(aws, target))[params.direction]
    opening = params.opening
    rules, wider = parted(live, opening)
    notes = await group_notes(aws, target) if rules else ()
    if wider:
        notes += (f"{opening} stays open {params.direction} by rules that open more than it: {named(wider)}",)
    return Check(
        compliant=not rules,
        before=Cleared(wish=params, rules=rules),
        why=f"{opening} is open {params.direction}: {named(rules)}"
        if rules
        else f"no {params.direction} rule is left for just {opening}",
        notes=notes,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Cleared) -> None:
    await remove(aws, target.id, params.direction, params.opening.takes)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Cleared) -> None:
    wish = before.wish
    await put_back(aws, target.id, wish.direction, wish.opening.takes, before.rules)
