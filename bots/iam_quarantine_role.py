"""Deny a role everything.

After: the policy quarantine_deny_all_policy, which denies all actions on all resources, is attached to the
role; made first if the account has none. Where it was tampered with, or the role has no room, the role gets
an inline policy of that name.
Caution: whatever works as the role fails at once, running sessions too; only AWS's services acting by roles of
their own go on. The account's administrators can lift it. The policy stays in the account after an undo.
"""

from typing import Any

from bots._aws import Aws
from bots._bot import Bot, CannotFix, Check, NoParams, Risk, Target, Undo, on
from bots._deny_all import NAME, POLICY, POLICY_READS, Barred, bar, look, unbar
from bots._identities import NAMED, ROLES, identity, live_identity

# By these the organization's management account enters; without them nobody there could lift anything.
_LIFELINES = {"organizationaccountaccessrole", "awscontroltowerexecution"}

bot = Bot(
    name="iam_quarantine_role",
    acts_on="AWS::IAM::Role",
    target=NAMED,
    params=NoParams,
    before=Barred,
    reads=(*POLICY_READS, *on(ROLES, "iam:GetRole", "iam:ListAttachedRolePolicies", "iam:GetRolePolicy")),
    writes=(
        *on(POLICY, "iam:CreatePolicy"),
        *on(
            ROLES, "iam:AttachRolePolicy", "iam:PutRolePolicy", "iam:DetachRolePolicy", "iam:DeleteRolePolicy"
        ),
    ),
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
    creates=(f"customer managed policy {NAME}, one for the account",),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Barred]:
    who, found = await live_identity(aws, target, "Role")
    if who.name.lower() in _LIFELINES:
        raise CannotFix(
            f"{who} is how the organization's management account enters this account: "
            "put the roles and users that misuse it in quarantine, or bar it by hand"
        )
    return await look(aws, who, notes=_last_use(found))


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Barred) -> None:
    await bar(aws, identity(aws, target, "Role"))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Barred) -> None:
    await unbar(aws, identity(aws, target, "Role"), before)


def _last_use(found: dict[str, Any]) -> tuple[str, ...]:
    last = found.get("RoleLastUsed", {})
    when = last.get("LastUsedDate")
    return (f"the role was last used {when:%Y-%m-%d} in {last.get('Region')}",) if when else ()
