"""Make a user change the console password at the next sign-in.

After: the present password works once more, to set another.
Caution: open sessions and access keys go on, and so does a thief who signs in first: take the password
away if it is known to be stolen. A user who may not change passwords is stuck at the sign-in.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, on
from bots._identities import NAMED, NO_SUCH, USERS, Identity, identity, live_identity
from bots._login_profiles import READS, change, login_profile


class Password(Before):
    exists: bool
    to_be_changed: bool  # at the next sign-in


bot = Bot(
    name="iam_user_force_password_change",
    acts_on="AWS::IAM::User",
    target=NAMED,
    params=NoParams,
    before=Password,
    reads=("iam:GetAccountPasswordPolicy", *on(USERS, *READS)),
    writes=on(USERS, "iam:UpdateLoginProfile"),
    risk=Risk.CONFIG_CHANGE,
    undo=Undo.exact(),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Password]:
    who, _ = await live_identity(aws, target, "User")
    profile = await login_profile(aws, who)
    if profile is None:
        return Check(
            compliant=True,
            before=Password(exists=False, to_be_changed=False),
            why=f"{who} has no console password, so there is none to change",
            target_id=who.name,
        )
    due = bool(profile["PasswordResetRequired"])
    return Check(
        compliant=due,
        before=Password(exists=True, to_be_changed=due),
        why=f"{who} {'must' if due else 'need not'} change the password at the next sign-in",
        notes=await _warnings(aws, who),
        target_id=who.name,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Password) -> None:
    # The call names no password, so the present one stays.
    await change(aws, identity(aws, target, "User"), "UpdateLoginProfile", PasswordResetRequired=True)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Password) -> None:
    required = before.to_be_changed
    await change(aws, identity(aws, target, "User"), "UpdateLoginProfile", PasswordResetRequired=required)


async def _warnings(aws: Aws, who: Identity) -> tuple[str, ...]:
    answer = await aws.find("iam", "GetAccountPasswordPolicy", absent=NO_SUCH)
    if answer is not None and answer["PasswordPolicy"].get("AllowUsersToChangePassword"):
        return ()
    return (
        f"the account's password policy does not let users change passwords: unless {who} has "
        "iam:ChangePassword of its own, the next sign-in gets stuck",
    )
