"""Close one port of a security group for one network.

After: no rule for exactly that network and protocol lets the port through; with split=true a wider
rule stays open on its other ports.
Caution: tracked connections outlive the rule. What still lets the port through (other networks, groups,
prefix lists, rules of another protocol) is reported, not touched. Splitting an all-traffic rule keeps
TCP, UDP and ICMP only.
Finding: sg_single_rule_delete split=true protocol=TCP scope=0.0.0.0/0 direction=inbound port=22
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity
from bots._closing import Closing, closing_notes, to_close
from bots._groups import READS, group_notes, own_rules, rearrange
from bots._removal import TURNING_WRITES, Port, restore
from bots._rules import Direction, Rule, cidr, named


class Wish(Params):
    split: Annotated[bool, Field(description="carve the port out of wider rules; false: exact rules only")]
    protocol: Annotated[
        Literal["TCP", "UDP", "ALL", "*"],
        Field(description="TCP or UDP rules, the all-traffic rule (ALL), or all three (*)"),
    ]
    scope: Annotated[str, AfterValidator(cidr), Field(description="the rule's network, IPv4 or IPv6")]
    direction: Direction
    port: Annotated[Port | None, Field(description="port to close; 0: rules open on all ports")] = None

    @model_validator(mode="after")
    def _port_is_there(self) -> Self:
        if self.port is None and (self.split or self.protocol != "ALL"):
            raise ValueError("port must be given, except with protocol=ALL and split=false")
        return self

    @property
    def closing(self) -> Closing:
        return Closing(scope=self.scope, protocol=self.protocol, port=self.port, split=self.split)


class Opened(Before):
    """All rules of the direction for the one network; without ids, which a rule put back has anew."""

    direction: Direction
    scope: str
    rules: tuple[Rule, ...]


bot = Bot(
    name="sg_single_rule_delete",
    acts_on="AWS::EC2::SecurityGroup",
    target=entity("id"),
    params=Wish,
    before=Opened,
    reads=READS,
    writes=TURNING_WRITES,
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Opened]:
    live = (await own_rules(aws, target))[params.direction]
    closing = params.closing
    open_rules = [rule for rule in live.values() if closing.left_of(rule) is not None]
    notes = await group_notes(aws, target) if open_rules else ()
    saved = tuple(sorted(rule for rule in live.values() if rule.source == params.scope))
    return Check(
        compliant=not open_rules,
        before=Opened(direction=params.direction, scope=params.scope, rules=saved),
        why=f"{closing} is open {params.direction}: {named(open_rules)}"
        if open_rules
        else f"no {params.direction} rule for {params.scope} itself opens {closing}",
        notes=notes + closing_notes(live, closing, params.direction),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Opened) -> None:
    side = params.direction
    await rearrange(aws, target.id, lambda live: {side: to_close(live[side], params.closing)})


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Opened) -> None:
    await restore(aws, target.id, before.direction, lambda rule: rule.source == before.scope, before.rules)
