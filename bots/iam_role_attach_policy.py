"""Attach a managed policy to a role.

After: the role has what the policy allows, in addition to all it had.
Caution: this gives rights to whoever is the role. Policies that allow everything, or all of IAM, are
refused; what else a finding may name is for its sender to know.
Finding: iam_role_attach_policy policy_arn=arn:aws:iam::$ACCOUNT_ID:policy/base
"""

from __future__ import annotations

from bots._attachments import POLICY, POLICY_READS, Attachment, PolicyArn, add, detach, look
from bots._bot import Aws, Bot, Check, Params, Risk, Target, Undo
from bots._identities import NAMED, ROLE, identity


class Wish(Params):
    policy_arn: PolicyArn


bot = Bot(
    name="iam_role_attach_policy",
    acts_on="AWS::IAM::Role",
    target=NAMED,
    params=Wish,
    before=Attachment,
    reads=("iam:GetRole", "iam:ListAttachedRolePolicies", *POLICY_READS),
    writes=("iam:AttachRolePolicy", "iam:DetachRolePolicy"),
    resources={
        "iam:GetRole": ROLE,
        "iam:ListAttachedRolePolicies": ROLE,
        "iam:GetPolicy": POLICY,
        "iam:GetPolicyVersion": POLICY,
        "iam:AttachRolePolicy": ROLE,
        "iam:DetachRolePolicy": ROLE,
    },
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
    example="iam_role_attach_policy policy_arn=arn:$PARTITION:iam::$ACCOUNT_ID:policy/base",
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
