"""Take away a user's console password.

After: the user cannot sign in to the console with a password.
Caution: the password is lost for good. A console session that is open lives on for up to 12 hours, and
access keys, SSH keys and MFA devices stay: see the bots for keys and for quarantine.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, on
from bots._identities import NAMED, USERS, identity, live_identity
from bots._login_profiles import READS, change, login_profile


class Password(Before):
    exists: bool
    to_be_changed: bool  # at the next sign-in


bot = Bot(
    name="iam_user_disable_console_password",
    acts_on="AWS::IAM::User",
    target=NAMED,
    params=NoParams,
    before=Password,
    reads=on(USERS, *READS),
    writes=on(USERS, "iam:DeleteLoginProfile"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.none(
        "AWS keeps no copy of a password: give the user a new one, to be changed at the first sign-in"
    ),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Password]:
    who, _ = await live_identity(aws, target, "User")
    profile = await login_profile(aws, who)
    return Check(
        compliant=profile is None,
        before=Password(
            exists=profile is not None, to_be_changed=bool(profile and profile["PasswordResetRequired"])
        ),
        why=f"{who} has {'no' if profile is None else 'a'} console password",
        target_id=who.name,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Password) -> None:
    await change(aws, identity(aws, target, "User"), "DeleteLoginProfile")
