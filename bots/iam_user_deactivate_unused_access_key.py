"""Make those access keys of a user inactive that nobody has used for long.

After: no active key of the user is unused for more than the given number of whole days; a key that was
never used counts from the day it was made.
Caution: AWS shows the last use hours late, and a key for rare jobs (a yearly restore) looks unused.
Finding: iam_user_deactivate_unused_access_key 90
"""

from typing import Annotated

from pydantic import Field

from bots._access_keys import keys_of, set_status, unused
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, on
from bots._identities import NAMED, USERS, identity


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
    keys = await keys_of(aws, who)
    idle = await unused(aws, keys, params.days)
    return Check(
        compliant=not idle,
        before=Keys(status_of=tuple((key["AccessKeyId"], key["Status"]) for key in keys)),
        why="; ".join(f"key {key_id} of {who} {since}" for key_id, since in idle.items())
        or f"{who} has no active key unused for more than {params.days} days",
        target_id=who.name,
        touches=tuple(("AWS::IAM::AccessKey", key_id) for key_id in idle),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Keys) -> None:
    who = identity(aws, target, "User")
    # Looked at again: a key may have been used since.
    for key_id in await unused(aws, await keys_of(aws, who), params.days):
        await set_status(aws, who, key_id, "Inactive")


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Keys) -> None:
    who = identity(aws, target, "User")
    now = {key["AccessKeyId"]: key["Status"] for key in await keys_of(aws, who)}
    for key_id, status in before.status_of:
        if now.get(key_id, status) != status:
            await set_status(aws, who, key_id, status)
