"""What was done to a network ACL and its entries, from CloudTrail, and what they were before, also from Config."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from bots._acl_entries import Entry, entry_logged, entry_recorded, is_acl
from bots._aws import Aws
from bots._bot import CannotFix, Target
from bots._trail import WINDOW, LoggedCall, logged_calls, not_logged, the_call

WRITES = ("CreateNetworkAclEntry", "ReplaceNetworkAclEntry", "DeleteNetworkAclEntry")
REMEMBERED = timedelta(days=90)
# How the hub calls the sessions in which it runs this bot.
OWN_SESSION = "hub.acl_revert_modification."
NO_RECORDS = ("ResourceNotDiscoveredException", "NoAvailableConfigurationRecorderException")

Key = tuple[bool, int]


async def the_acl(aws: Aws, target: Target) -> str:
    """Id of the ACL the finding names, or else of the one that was made at its time."""
    if is_acl(target.id):
        return target.id
    call = await the_call(aws, target, "CreateNetworkAcl", _made)
    return str(_made(call))


def _made(call: LoggedCall) -> str | None:
    made = call.response.get("networkAcl") or {}
    return made.get("networkAclId")


async def calls_on(aws: Aws, acl_id: str) -> list[LoggedCall]:
    """All calls of the last 90 days that wrote entries of the ACL, newest first."""
    found = await logged_calls(aws, "ResourceName", acl_id, since=aws.now - REMEMBERED, until=aws.now)
    return [call for call in found if call.name in WRITES and call.request.get("networkAclId") == acl_id]


def key_of(call: LoggedCall) -> Key:
    """Direction and number of the entry a call is about."""
    return bool(call.request["egress"]), int(call.request["ruleNumber"])


def place_of(call: LoggedCall) -> str:
    """The entry a call is about, in words."""
    egress, number = key_of(call)
    return f"{'outbound' if egress else 'inbound'} entry {number}"


def written_by(call: LoggedCall) -> Entry | None:
    """What a call left at its entry's place."""
    return None if call.name == "DeleteNetworkAclEntry" else entry_logged(call.request)


def by_the_hub(call: LoggedCall) -> bool:
    """Whether the hub made the call by this bot. Its reverts are reported as well and must stand."""
    return ":assumed-role/" in call.caller and call.caller.rsplit("/", 1)[-1].startswith(OWN_SESSION)


def the_change(aws: Aws, calls: Sequence[LoggedCall], at: datetime) -> LoggedCall:
    """The call the finding means: the nearest to its time, one of the hub's own only if there is no other.

    Raises:
        TryLater: CloudTrail may not have written it down yet.
        CannotFix: there is none, or two calls about different entries are as near.
    """
    near = [call for call in calls if abs(call.at - at) <= WINDOW]
    if not near:
        raise not_logged(aws, at, "Create-, Replace- or DeleteNetworkAclEntry")
    near = [call for call in near if not by_the_hub(call)] or near
    least = min(abs(call.at - at) for call in near)
    nearest = [call for call in near if abs(call.at - at) == least]
    if len({key_of(call) for call in nearest}) > 1:
        which = ", ".join(sorted({place_of(call) for call in nearest}))
        raise CannotFix(
            f"{which} were changed in the same second; the finding does not say which one it means"
        )
    return nearest[0]


def is_of_the_same_hands(calls: Sequence[LoggedCall], change: LoggedCall, live: Entry | None) -> bool:
    """Whether what is there now was written later by the very one who made the reported change."""
    last = next(call for call in calls if key_of(call) == key_of(change) and not by_the_hub(call))
    return last.caller == change.caller != "" and written_by(last) == live


async def entry_before(
    aws: Aws, acl_id: str, calls: Sequence[LoggedCall], change: LoggedCall
) -> Entry | None:
    """The entry as it was before the change, None if there was none.

    Raises:
        CannotFix: nobody has kept it.
    """
    if change.name == "CreateNetworkAclEntry":
        return None
    key = key_of(change)
    earlier = next((call for call in calls if call.at < change.at and key_of(call) == key), None)
    found = written_by(earlier) if earlier else None
    # An entry that was replaced or deleted was there. If the log says otherwise it is not complete.
    found = found or await _recorded(aws, acl_id, key, change.at)
    if found is None:
        raise CannotFix(
            f"what {place_of(change)} of {acl_id} was before {change.name} is "
            "neither in the last 90 days of CloudTrail nor in AWS Config; put it back by hand"
        )
    return found


async def _recorded(aws: Aws, acl_id: str, key: Key, at: datetime) -> Entry | None:
    """The entry in the last record AWS Config made of the ACL before that time."""
    answer = await aws.find(
        "config",
        "GetResourceConfigHistory",
        absent=NO_RECORDS,
        resourceType="AWS::EC2::NetworkAcl",
        resourceId=acl_id,
        laterTime=at,
        chronologicalOrder="Reverse",
        limit=1,
    )
    for item in (answer or {}).get("configurationItems", ()):
        return entry_recorded(json.loads(item.get("configuration") or "{}").get("entries", ()), key)
    return None
