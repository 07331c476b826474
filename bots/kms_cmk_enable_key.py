"""Enable a customer managed key; if it is to be deleted, cancel that first.

After: the key is enabled, and what it encrypted can be read again.
Caution: somebody may have disabled the key on purpose, in an incident or to retire it. Of a multi-Region
key only the one named is enabled. An undo starts the waiting period before a deletion anew, with the days
that were left and at least 7, so that the key lives longer than it would have.
"""

from typing import Literal

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, TryLater, Undo, entity, on
from bots._key_states import days_left, enabled, refuse_unenablable
from bots._kms import KEYS, found_key


class State(Before):
    key_id: str
    region: str
    state: Literal["Enabled", "Disabled", "PendingDeletion"]
    days_left: int | None  # before the deletion, as KMS would take them; None: not to be deleted


bot = Bot(
    name="kms_cmk_enable_key",
    acts_on="AWS::KMS::Key",
    target=entity("arn", "id"),
    params=NoParams,
    before=State,
    reads=on(KEYS, "kms:DescribeKey"),
    writes=on(KEYS, "kms:EnableKey", "kms:CancelKeyDeletion", "kms:DisableKey", "kms:ScheduleKeyDeletion"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.nearest(
        "a cancelled deletion is scheduled anew: the days that were left, at least 7, begin with the undo",
        expects=lambda was: was,
    ),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[State]:
    home, key = await found_key(aws, target.id)
    refuse_unenablable(key)
    now, key_id, days = key["KeyState"], key["KeyId"], days_left(key, aws.now)
    doomed = days is not None
    notes = ["somebody disabled the key or means to delete it: know why"] if now != "Enabled" else []
    if key.get("MultiRegion"):
        notes.append("a multi-Region key: its relatives in other Regions have states of their own")
    return Check(
        compliant=now == "Enabled",
        before=State(
            key_id=key_id, region=home.region, state="PendingDeletion" if doomed else now, days_left=days
        ),
        why=f"key {key_id} is {now}" + (f", to be deleted in {days} days" if doomed else ""),
        region=home.region,
        notes=tuple(notes) if now != "Enabled" else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: State) -> None:
    home = aws.at(before.region)
    # Tried first on a key that is to be deleted, too: a role that may cancel but not enable is denied here,
    # before anything has changed.
    if await enabled(home, before.key_id):
        return
    await home.call("kms", "CancelKeyDeletion", KeyId=before.key_id)
    if not await enabled(home, before.key_id):
        raise TryLater(f"the cancelled deletion of key {before.key_id} to show everywhere in KMS", seconds=15)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: State) -> None:
    home = aws.at(before.region)
    if before.days_left is None:
        await home.call("kms", "DisableKey", KeyId=before.key_id)
    else:
        await home.call(
            "kms", "ScheduleKeyDeletion", KeyId=before.key_id, PendingWindowInDays=before.days_left
        )
