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
from bots._groups import group_notes, live_rules
from bots._removal import READS, WRITES, AnyPort, Protocol, put_back, remove
from bots._rules import EVERYTHING, PORTED, Direction, Rule, cidr, contains, named, ways_left


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

    def takes(self, rule: Rule) -> bool:
        """Whether the rule goes."""
        if not (self._names(rule) and rule.is_network and contains(rule.source, self.scope)):
            return False
        return self.port == "*" or rule.is_just(self.port) or (not self.port and rule.protocol == EVERYTHING)

    def concerns(self, rule: Rule) -> bool:
        """Whether the rule opens what is to be closed, for whomever and however wide."""
        if self.port == "*" or self.protocol == EVERYTHING:
            return self._names(rule) or rule.protocol == EVERYTHING
        names = (self.protocol,) if self.protocol in PORTED else PORTED
        return any(rule.opens(name, self.port) for name in names)

    def _names(self, rule: Rule) -> bool:
        either = (self.protocol, rule.protocol) == ("icmp", "icmpv6")
        return self.protocol in ("*", rule.protocol) or either

    def __str__(self) -> str:
        if self.protocol == EVERYTHING:
            return "all traffic"
        port = "every port" if self.port == "*" else f"port {self.port}"
        return f"{port} ({'any protocol' if self.protocol == '*' else self.protocol})"


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
    notes = await group_notes(aws, target)
    live = await live_rules(aws, target.id, params.direction)
    rules = tuple(sorted(rule for rule in live.values() if params.takes(rule)))
    others = [rule for rule in live.values() if not params.takes(rule) and params.concerns(rule)]
    for why, left in ways_left(others, params.scope).items():
        notes += (f"{params} stays open {params.direction} {why}: {named(left)}",)
    return Check(
        compliant=not rules,
        before=Deleted(wish=params, rules=rules),
        why=f"{params} is open {params.direction} for {params.scope}: {named(rules)}"
        if rules
        else f"no {params.direction} rule that is to go opens {params} for {params.scope}",
        notes=notes,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Deleted) -> None:
    await remove(aws, target.id, params.direction, params.takes)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Deleted) -> None:
    wish = before.wish
    await put_back(aws, target.id, wish.direction, wish.takes, before.rules)
