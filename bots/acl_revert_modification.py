"""Put the network ACL entry that somebody has just changed back to what it was.

After: the one entry (number and direction) that the call at the finding's time made, replaced or deleted is
as it was right before that call.
Caution: an entry put back can be one that allows; the report shows both. What the entry was is told by
CloudTrail for 90 days and after that by AWS Config, if it records network ACLs. An entry that somebody
else has changed since is left alone.
"""

from bots import _acl_history
from bots._acl_entries import ACL, Entry, entries_of, find_acl, is_acl, turn
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TargetGone, Undo, entity, on
from bots._trail import ACTION, event_time


class Slot(Before):
    """The place an entry has in its ACL, with what is there and what was there before the reported call."""

    egress: bool
    number: int
    entry: Entry | None
    prior: Entry | None

    @property
    def key(self) -> tuple[bool, int]:
        return self.egress, self.number


bot = Bot(
    name="acl_revert_modification",
    acts_on="AWS::EC2::NetworkAcl",
    target=entity("id"),
    params=NoParams,
    before=Slot,
    reads=("ec2:DescribeNetworkAcls", ACTION, "config:GetResourceConfigHistory"),
    writes=on(ACL, *(f"ec2:{name}" for name in _acl_history.WRITES)),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Slot]:
    if not is_acl(target.id):
        raise CannotFix(
            f"{target.id[:80]!r} is not the id of a network ACL, by which the finding must name it"
        )
    found = await find_acl(aws, target.id)
    if found is None:
        raise TargetGone(f"network ACL {target.id} does not exist in {aws.region}")
    calls = await _acl_history.calls_on(aws, target.id)
    change = _acl_history.the_change(aws, calls, event_time(target))
    key = _acl_history.key_of(change)
    live = next((entry for entry in entries_of(found) if entry.key == key), None)
    place = f"{_acl_history.place_of(change)} of {target.id}"
    if _acl_history.by_the_hub(change):
        slot = Slot(egress=key[0], number=key[1], entry=live, prior=live)
        return Check(compliant=True, before=slot, why=f"the hub itself made the call about {place}")
    prior = await _acl_history.entry_before(aws, target.id, calls, change)
    if live not in (prior, _acl_history.written_by(change)) and not _acl_history.is_of_the_same_hands(
        calls, change, live
    ):
        raise CannotFix(
            f"{place} was changed again since by somebody else: it is now {live or 'empty'}, and was "
            f"{prior or 'empty'} before the reported call; change it by hand"
        )
    return Check(
        compliant=live == prior,
        before=Slot(egress=key[0], number=key[1], entry=live, prior=prior),
        why=f"{place} is {live or 'empty'}; before {change.name} by {change.caller or 'somebody'} it was "
        f"{prior or 'empty'}",
        notes=("the entry put back allows traffic",)
        if prior and prior.action == "allow" and live != prior
        else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Slot) -> None:
    await turn(aws, target.id, before.key, before.entry, before.prior)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Slot) -> None:
    await turn(aws, target.id, before.key, before.prior, before.entry)
