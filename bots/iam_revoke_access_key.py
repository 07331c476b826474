"""Make an access key inactive: the one the finding names, or the one its CreateAccessKey call made.

After: requests signed with the key are refused.
Caution: whatever works with the key stops; its owner keeps all other keys, the password and open
sessions. Without the key's id in the finding the call is looked up in CloudTrail, which shows it up
to 20 minutes late and for 90 days.
"""

from bots._access_keys import READS, access_key, of_user, remarks, set_status
from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, TargetGone, Undo, entity_or_account, on
from bots._identities import USERS, Identity


class KeyState(Before):
    key_id: str
    user: str
    status: str


bot = Bot(
    name="iam_revoke_access_key",
    acts_on="AWS::IAM::AccessKey",
    target=entity_or_account("id"),
    params=NoParams,
    before=KeyState,
    reads=READS,
    writes=on(USERS, "iam:UpdateAccessKey"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[KeyState]:
    key = await access_key(aws, target)
    if not key.user:
        raise TargetGone(f"no user of account {aws.account_id} has the key {key.id}")
    return Check(
        compliant=key.status != "Active",
        before=KeyState(key_id=key.id, user=key.user, status=key.status),
        why=f"key {key.id} of user {key.user} is {key.status}",
        notes=remarks(key),
        target_id=key.id,
        touches=of_user(key),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: KeyState) -> None:
    await _set(aws, before, "Inactive")


@bot.undo_with
async def undo(aws: Aws, target: Target, before: KeyState) -> None:
    await _set(aws, before, before.status)


async def _set(aws: Aws, key: KeyState, status: str) -> None:
    if not await set_status(aws, Identity("User", key.user), key.key_id, status):
        raise TargetGone(f"key {key.key_id} of user {key.user} was deleted meanwhile")
