"""Access keys of users: the one behind a finding, named by it or made by the CreateAccessKey call it is about;
those nobody has used for long; and whether they are active."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, Target, TargetGone, on
from bots._identities import NO_SUCH, ROOT, USERS, Identity, listing
from bots._trail import ACTION as LOOK_UP
from bots._trail import LoggedCall, the_call

READS = (LOOK_UP, *on(USERS, "iam:GetAccessKeyLastUsed", "iam:ListAccessKeys"))
_LASTING = re.compile(r"AKIA[A-Z0-9]{12,124}")
_TEMPORARY = re.compile(r"ASIA[A-Z0-9]{12,124}")
_ROOTS = (
    "the key is the root user's, and no other identity of the account can change it: "
    "sign in as root and delete it"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """``user`` and what follows are "" when nobody has the key (any more)."""

    id: str
    user: str = ""
    status: str = ""  # Active, Inactive, Expired
    created: str = ""
    last_used: str = ""  # with the service; "" for never


async def access_key(aws: Aws, target: Target) -> AccessKey:
    """The key as it is now.

    Raises:
        TryLater: CloudTrail may not have written down yet which key was made.
        CannotFix: it cannot be told, or the key is one that IAM lets nobody change.
    """
    key_id = target.id
    if _TEMPORARY.fullmatch(key_id):
        raise CannotFix(f"{key_id} is a temporary key of a session: revoke the sessions of its role instead")
    if not _LASTING.fullmatch(key_id):
        key_id = await _made(aws, target)
    found = await _last_used(aws, key_id)
    if found is None:
        return AccessKey(id=key_id)
    owner, use = found.get("UserName", ""), found["AccessKeyLastUsed"]
    if owner in ("", ROOT):
        raise CannotFix(_ROOTS)
    when = use.get("LastUsedDate")
    try:
        keys = await listing(aws, Identity("User", owner), "ListAccessKeys", items="AccessKeyMetadata")
    except TargetGone:
        keys = []
    for key in keys:
        if key["AccessKeyId"] == key_id:
            return AccessKey(
                id=key_id,
                user=owner,
                status=key["Status"],
                created=f"{key['CreateDate']:%Y-%m-%dT%H:%M:%SZ}",
                last_used=f"{when:%Y-%m-%dT%H:%M:%SZ} for {use['ServiceName']}" if when else "",
            )
    return AccessKey(id=key_id)


def of_user(key: AccessKey) -> tuple[tuple[str, str], ...]:
    """What a change of the key touches besides it."""
    return (("AWS::IAM::User", key.user),) if key.user else ()


def remarks(key: AccessKey) -> tuple[str, ...]:
    """What a person should know of a key that is about to stop working."""
    return (f"key {key.id} was last used {key.last_used or 'never'}",)


async def keys_of(aws: Aws, user: Identity) -> list[dict[str, Any]]:
    """The user's keys as ListAccessKeys tells them, in the order of their ids.

    Raises:
        TargetGone: there is no such user.
    """
    found = await listing(aws, user, "ListAccessKeys", items="AccessKeyMetadata")
    return sorted(found, key=lambda key: str(key["AccessKeyId"]))


async def unused(aws: Aws, keys: list[dict[str, Any]], days: int) -> dict[str, str]:
    """Ids of active keys unused for longer, and since when."""
    found = {}
    for key in keys:
        if key["Status"] == "Active":
            answer = await aws.call("iam", "GetAccessKeyLastUsed", AccessKeyId=key["AccessKeyId"])
            used = answer["AccessKeyLastUsed"].get("LastUsedDate")
            age = (aws.now - (used or key["CreateDate"])).days
            if age > days:
                found[key["AccessKeyId"]] = (
                    f"was {'last used' if used else 'made, but never used,'} {age} days ago"
                )
    return found


async def set_status(aws: Aws, user: Identity, key_id: str, status: str) -> bool:
    """Make a key Active or Inactive; False if it is gone."""
    # Without a user name AWS would take the caller's own keys.
    words = {"AccessKeyId": key_id, "Status": status, **user.words}
    return await aws.find("iam", "UpdateAccessKey", absent=NO_SUCH, **words) is not None


async def _made(aws: Aws, target: Target) -> str:
    """Id of the key whose making the finding is about."""
    if target.event_time is None and ROOT in (target.id, target.name):
        raise CannotFix(_ROOTS)
    made = await the_call(aws, target, "CreateAccessKey", _key_id)
    owner = made.response["accessKey"].get("userName")
    # Whoever names no user makes a key for himself.
    if not owner or (made.caller.endswith(":root") and not made.request.get("userName")):
        raise CannotFix(_ROOTS)
    return str(made.response["accessKey"]["accessKeyId"])


def _key_id(call: LoggedCall) -> str | None:
    found: str | None = call.response.get("accessKey", {}).get("accessKeyId")
    return found


async def _last_used(aws: Aws, key_id: str) -> dict[str, Any] | None:
    """Whose the key is and when it was used; None for a key that is nobody's in this account.

    AWS answers such a key with AccessDenied, which names the key and ends there. A right that is missing
    is told with a reason ("because no …", "with an explicit deny …"), and passes as the error it is.
    """
    try:
        return await aws.call("iam", "GetAccessKeyLastUsed", AccessKeyId=key_id)
    except AwsError as error:
        unknown = error.code == "AccessDenied" and re.search(
            rf"on resource: access key {key_id}\.?$", error.message.strip()
        )
        if unknown or error.code in NO_SUCH:
            return None
        raise
