"""Attach a managed policy to a role.

After: the role has what the policy allows, in addition to all it had.
Caution: this gives rights to whoever is the role. Policies that allow everything, or all of IAM, are
refused; what else a finding may name is for its sender to know.
Finding: iam_role_attach_policy policy_arn=arn:$PARTITION:iam::$ACCOUNT_ID:policy/base
"""

from bots._attachments import Attachment, PolicyArn, add, detach, look
from bots._aws import Aws
from bots._bot import Bot, Check, Params, Risk, Target, Undo, on
from bots._identities import NAMED, ROLES, identity
from bots._managed import POLICY_READS


class Wish(Params):
    policy_arn: PolicyArn


bot = Bot(
    name="iam_role_attach_policy",
    acts_on="AWS::IAM::Role",
    target=NAMED,
    params=Wish,
    before=Attachment,
    reads=(*POLICY_READS, *on(ROLES, "iam:GetRole", "iam:ListAttachedRolePolicies")),
    writes=on(ROLES, "iam:AttachRolePolicy", "iam:DetachRolePolicy"),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Attachment]:
    return await look(aws, target, "Role", params.policy_arn)


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Attachment) -> None:
    await add(aws, identity(aws, target, "Role"), before.policy_arn)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Attachment) -> None:
    await detach(aws, identity(aws, target, "Role"), before.policy_arn)
