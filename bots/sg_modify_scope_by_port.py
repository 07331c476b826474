"""Give the rules of a security group that open a port another network.

After: no rule of the direction that lets the port through is for the old network; each has become a rule
for the new one, with the same protocol, ports, description and tags.
Caution: a range moves whole, with all its other ports. Who is in the old network and not in the new one
loses access; tracked connections outlive that. Rules for groups and prefix lists stay.
Finding: sg_modify_scope_by_port 3306 0.0.0.0/0 10.30.0.0/16 inbound
"""

from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity
from bots._groups import READS, group_notes, own_rules, rearrange
from bots._narrowing import ANY, Narrowing, refuse_widening
from bots._removal import TURNING_WRITES, Port, restore
from bots._rules import Direction, Rule, cidr, named, to_move


def _network_or_any(text: str) -> str:
    return text if text == ANY else cidr(text)


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
        refuse_widening(self.change_scope_from, self.change_scope_to)
        return self

    @property
    def narrowing(self) -> Narrowing:
        return Narrowing(port=self.port, old=self.change_scope_from, new=self.change_scope_to)


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
    writes=TURNING_WRITES,
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Moved]:
    live = (await own_rules(aws, target))[params.direction]
    new, side, narrowing = params.change_scope_to, params.direction, params.narrowing
    wrong = [rule for rule in live.values() if narrowing.moves(rule)]
    notes = await group_notes(aws, target) if wrong else ()
    return Check(
        compliant=not wrong,
        before=Moved(wish=params, rules=tuple(sorted(filter(narrowing.concerns, live.values())))),
        why=f"port {params.port} is open {side} for others than {new}: {named(wrong)}"
        if wrong
        else f"port {params.port} is open {side} by no rule that is to move to {new}",
        notes=notes + narrowing.notes(live, side),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Moved) -> None:
    side, moves = params.direction, params.narrowing.moves
    await rearrange(aws, target.id, lambda live: {side: to_move(live[side], moves, params.change_scope_to)})


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Moved) -> None:
    wish = before.wish
    await restore(aws, target.id, wish.direction, wish.narrowing.concerns, before.rules)
