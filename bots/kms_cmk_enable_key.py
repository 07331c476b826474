"""Enable a customer managed key; if it is to be deleted, cancel that first.

After: the key is enabled, and what it encrypted can be read again.
Caution: somebody may have disabled the key on purpose, in an incident or to retire it. Of a multi-Region
key only the one named is enabled. An undo starts the waiting period before a deletion anew, with the days
that were left and at least 7, so that the key lives longer than it would have.
"""

import math
from datetime import datetime, timedelta
from typing import Any, Literal

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TryLater, Undo, entity, on
from bots._kms import KEYS, found_key

WRONG_STATE = ("KMSInvalidStateException",)
SHORTEST_WAIT, LONGEST_WAIT = 7, 30  # days
# Where clocks differ a little, whole days stay whole days.
LENIENCE = timedelta(hours=1)
REMEDIES = {
    "PendingImport": "import its key material first",
    "Unavailable": "connect its custom key store first",
    "Creating": "send the finding again when it is made",
    "Updating": "send the finding again when the change of its primary Region is through",
}


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
    now, key_id = key["KeyState"], key["KeyId"]
    if key["KeyManager"] == "AWS":
        raise CannotFix(f"key {key_id} is managed by AWS, which alone enables and disables it")
    if now in REMEDIES:
        raise CannotFix(f"key {key_id} is {now} and cannot be enabled: {REMEDIES[now]}")
    doomed = now in ("PendingDeletion", "PendingReplicaDeletion")
    days = _days_left(key, aws.now) if doomed else None
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


def _days_left(key: dict[str, Any], now: datetime) -> int:
    # A primary that waits for its replicas to go has a waiting period, but no date yet.
    days: int | None = key.get("PendingDeletionWindowInDays")
    if days is None:
        days = math.ceil((key["DeletionDate"] - now - LENIENCE) / timedelta(days=1))
    return min(max(days, SHORTEST_WAIT), LONGEST_WAIT)


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: State) -> None:
    home = aws.at(before.region)
    # Tried first on a key that is to be deleted, too: a role that may cancel but not enable is denied here,
    # before anything has changed.
    if await _enabled(home, before.key_id):
        return
    await home.call("kms", "CancelKeyDeletion", KeyId=before.key_id)
    if not await _enabled(home, before.key_id):
        raise TryLater(f"the cancelled deletion of key {before.key_id} to show everywhere in KMS", seconds=15)


async def _enabled(home: Aws, key_id: str) -> bool:
    return await home.find("kms", "EnableKey", absent=WRONG_STATE, KeyId=key_id) is not None


@bot.undo_with
async def undo(aws: Aws, target: Target, before: State) -> None:
    home = aws.at(before.region)
    if before.days_left is None:
        await home.call("kms", "DisableKey", KeyId=before.key_id)
    else:
        await home.call(
            "kms", "ScheduleKeyDeletion", KeyId=before.key_id, PendingWindowInDays=before.days_left
        )
