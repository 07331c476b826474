"""Deny a user everything.

After: the policy quarantine_deny_all_policy, which denies all actions on all resources, is attached to the
user; made first if the account has none. Where it was tampered with, or the user has no room, the user gets
an inline policy of that name.
Caution: its keys, its console sessions and all else it signed in with are denied at once, but not roles it has
already assumed. The account's administrators can lift it. The policy stays in the account after an undo.
"""

from bots._aws import Aws
from bots._bot import Bot, Check, NoParams, Risk, Target, Undo, on
from bots._deny_all import NAME, POLICY, POLICY_READS, Barred, bar, look, unbar
from bots._identities import NAMED, USERS, identity, live_identity

bot = Bot(
    name="iam_quarantine_user",
    acts_on="AWS::IAM::User",
    target=NAMED,
    params=NoParams,
    before=Barred,
    reads=(*POLICY_READS, *on(USERS, "iam:GetUser", "iam:ListAttachedUserPolicies", "iam:GetUserPolicy")),
    writes=(
        *on(POLICY, "iam:CreatePolicy"),
        *on(
            USERS, "iam:AttachUserPolicy", "iam:PutUserPolicy", "iam:DetachUserPolicy", "iam:DeleteUserPolicy"
        ),
    ),
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
    creates=(f"customer managed policy {NAME}, one for the account",),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Barred]:
    who, _ = await live_identity(aws, target, "User")
    return await look(aws, who)


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Barred) -> None:
    await bar(aws, identity(aws, target, "User"))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Barred) -> None:
    await unbar(aws, identity(aws, target, "User"), before)
