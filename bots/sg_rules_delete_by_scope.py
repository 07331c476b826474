"""Delete the rules of a security group that are open to a network.

After: no rule of the direction, port and protocol has a range that contains or equals the network.
Caution: wider ranges count, so 10.1.2.3/32 also deletes the rules for 10.0.0.0/8 and 0.0.0.0/0. With a port only
rules for exactly that port go; ranges, groups, prefix lists and the other address family are
reported, not touched. Tracked connections outlive the rule.
Finding: sg_rules_delete_by_scope 0.0.0.0/0 inbound 1433 TCP
"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity
from bots._groups import READS, group_notes, own_rules
from bots._openings import ToNetwork, parted
from bots._removal import WRITES, AnyPort, Protocol, put_back, remove
from bots._rules import EVERYTHING, PORTED, Direction, Rule, cidr, named, ways_left


class Wish(Params):
    scope: Annotated[str, AfterValidator(cidr), Field(description="network the rules are open to")]
    direction: Direction
    port: Annotated[AnyPort, Field(description="rules for exactly this port; * for all rules, ports or not")]
    protocol: Annotated[
        Protocol,
        Field(description="TCP, UDP, ICMP, a protocol's number, ALL for the all-traffic rule, * for any"),
    ]

    @model_validator(mode="after")
    def _port_fits_protocol(self) -> Self:
        # Findings show the all-traffic rule as port 0.
        zero = self.port == 0 and self.protocol == EVERYTHING
        if self.port != "*" and self.protocol not in (*PORTED, "*") and not zero:
            raise ValueError("only TCP and UDP have ports: give the port as * for this protocol")
        return self

    @property
    def opening(self) -> ToNetwork:
        return ToNetwork(scope=self.scope, port=self.port, protocol=self.protocol)


class Deleted(Before):
    """The rules that are to go; without ids, which a rule put back has anew."""

    wish: Wish
    rules: tuple[Rule, ...]


bot = Bot(
    name="sg_rules_delete_by_scope",
    acts_on="AWS::EC2::SecurityGroup",
    target=entity("id"),
    params=Wish,
    before=Deleted,
    reads=READS,
    writes=WRITES,
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    aliases=("intelligence_sg_rules_delete_by_scope",),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Deleted]:
    live = (await own_rules(aws, target))[params.direction]
    opening = params.opening
    rules, others = parted(live, opening)
    notes = await group_notes(aws, target) if rules else ()
    for why, left in ways_left(others, params.scope).items():
        notes += (f"{opening} stays open {params.direction} {why}: {named(left)}",)
    return Check(
        compliant=not rules,
        before=Deleted(wish=params, rules=rules),
        why=f"{opening} is open {params.direction} for {params.scope}: {named(rules)}"
        if rules
        else f"no {params.direction} rule that is to go opens {opening} for {params.scope}",
        notes=notes,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Deleted) -> None:
    await remove(aws, target.id, params.direction, params.opening.takes)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Deleted) -> None:
    wish = before.wish
    await put_back(aws, target.id, wish.direction, wish.opening.takes, before.rules)
