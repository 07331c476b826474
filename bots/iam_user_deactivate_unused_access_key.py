"""Make those access keys of a user inactive that nobody has used for long.

After: no active key of the user is unused for more than the given number of whole days; a key that was
never used counts from the day it was made.
Caution: AWS shows the last use hours late, and a key for rare jobs (a yearly restore) looks unused.
Finding: iam_user_deactivate_unused_access_key 90
"""

from typing import Annotated, Any

from pydantic import Field

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, on
from bots._identities import NAMED, NO_SUCH, USERS, Identity, identity, listing


class Wish(Params):
    days: Annotated[int, Field(ge=1, le=36500, description="longest time a key may be unused")] = 90


class Keys(Before):
    status_of: tuple[tuple[str, str], ...]  # every key of the user, by its id


bot = Bot(
    name="iam_user_deactivate_unused_access_key",
    acts_on="AWS::IAM::User",
    target=NAMED,
    params=Wish,
    before=Keys,
    reads=on(USERS, "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed"),
    writes=on(USERS, "iam:UpdateAccessKey"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    aliases=("iam_user_inactivate_unused_access_key",),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Keys]:
    who = identity(aws, target, "User")
    keys = await _keys(aws, who)
    unused = await _unused(aws, keys, params.days)
    return Check(
        compliant=not unused,
        before=Keys(status_of=tuple((key["AccessKeyId"], key["Status"]) for key in keys)),
        why="; ".join(f"key {key_id} of {who} {since}" for key_id, since in unused.items())
        or f"{who} has no active key unused for more than {params.days} days",
        target_id=who.name,
        touches=tuple(("AWS::IAM::AccessKey", key_id) for key_id in unused),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Keys) -> None:
    who = identity(aws, target, "User")
    # Looked at again: a key may have been used since.
    for key_id in await _unused(aws, await _keys(aws, who), params.days):
        await _set(aws, who, key_id, "Inactive")


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Keys) -> None:
    who = identity(aws, target, "User")
    now = {key["AccessKeyId"]: key["Status"] for key in await _keys(aws, who)}
    for key_id, status in before.status_of:
        if now.get(key_id, status) != status:
            await _set(aws, who, key_id, status)


async def _keys(aws: Aws, who: Identity) -> list[dict[str, Any]]:
    found = await listing(aws, who, "ListAccessKeys", items="AccessKeyMetadata")
    return sorted(found, key=lambda key: str(key["AccessKeyId"]))


async def _unused(aws: Aws, keys: list[dict[str, Any]], days: int) -> dict[str, str]:
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


async def _set(aws: Aws, who: Identity, key_id: str, status: str) -> None:
    # Without a user name AWS would take the caller's own keys.
    await aws.find("iam", "UpdateAccessKey", absent=NO_SUCH, AccessKeyId=key_id, Status=status, **who.words)
