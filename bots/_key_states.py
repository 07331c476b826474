"""States of KMS keys: which can be enabled, and how long one has that is to be deleted."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix

DOOMED = ("PendingDeletion", "PendingReplicaDeletion")
_WRONG_STATE = ("KMSInvalidStateException",)
_SHORTEST_WAIT, _LONGEST_WAIT = 7, 30  # days
# Where clocks differ a little, whole days stay whole days.
_LENIENCE = timedelta(hours=1)
_REMEDIES = {
    "PendingImport": "import its key material first",
    "Unavailable": "connect its custom key store first",
    "Creating": "send the finding again when it is made",
    "Updating": "send the finding again when the change of its primary Region is through",
}


def refuse_unenablable(key: dict[str, Any]) -> None:
    """
    Raises:
        CannotFix: AWS alone enables the key, or something else must be done first.
    """
    now, key_id = key["KeyState"], key["KeyId"]
    if key["KeyManager"] == "AWS":
        raise CannotFix(f"key {key_id} is managed by AWS, which alone enables and disables it")
    if now in _REMEDIES:
        raise CannotFix(f"key {key_id} is {now} and cannot be enabled: {_REMEDIES[now]}")


def days_left(key: dict[str, Any], now: datetime) -> int | None:
    """Days before the deletion, as KMS would take them for a new one; None: the key is not to be deleted."""
    if key["KeyState"] not in DOOMED:
        return None
    # A primary that waits for its replicas to go has a waiting period, but no date yet.
    days: int | None = key.get("PendingDeletionWindowInDays")
    if days is None:
        days = math.ceil((key["DeletionDate"] - now - _LENIENCE) / timedelta(days=1))
    return min(max(days, _SHORTEST_WAIT), _LONGEST_WAIT)


async def enabled(home: Aws, key_id: str) -> bool:
    """Enable the key; False if it is in a state in which AWS does not."""
    return await home.find("kms", "EnableKey", absent=_WRONG_STATE, KeyId=key_id) is not None
