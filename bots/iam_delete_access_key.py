"""Delete an access key: the one the finding names, or the one its CreateAccessKey call made.

After: the key is gone; its owner keeps all other keys, the password and open sessions.
Caution: nobody can read or restore the secret. iam_revoke_access_key makes the key inactive instead,
which can be undone. Without the key's id in the finding the call is looked up in CloudTrail, which
shows it up to 20 minutes late and for 90 days.
"""

from bots._access_keys import READS, access_key, of_user, remarks
from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity_or_account, on
from bots._identities import NO_SUCH, USERS


class Key(Before):
    key_id: str
    user: str  # "" once it is gone, and so is the rest
    status: str
    created: str


bot = Bot(
    name="iam_delete_access_key",
    acts_on="AWS::IAM::AccessKey",
    target=entity_or_account("id"),
    params=NoParams,
    before=Key,
    reads=READS,
    writes=on(USERS, "iam:DeleteAccessKey"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none("AWS keeps no secret of a deleted key: give its owner a new one"),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Key]:
    key = await access_key(aws, target)
    return Check(
        compliant=not key.user,
        before=Key(key_id=key.id, user=key.user, status=key.status, created=key.created),
        why=f"user {key.user} has the key {key.id}, made {key.created}, {key.status}"
        if key.user
        else f"no user of account {aws.account_id} has the key {key.id}",
        notes=remarks(key) if key.user else (),
        target_id=key.id,
        touches=of_user(key),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Key) -> None:
    # Without a user name AWS would take the caller's own keys.
    await aws.find("iam", "DeleteAccessKey", absent=NO_SUCH, UserName=before.user, AccessKeyId=before.key_id)
