"""Detach from a function's execution role the managed policies that allow something on every resource.

After: no attached policy has an Allow on the resource *, or on all but some (NotResource). AWS's own
AWSLambda…ExecutionRole policies stay, whose logs and network interfaces need it; so do inline policies,
which are reported.
Caution: the function loses what the policies allowed on narrower resources too, and may stop working; so
does whatever else uses the role.
"""

import re

from bots._all_or_none import make_in_iam, unmake_in_iam
from bots._aws import Aws, together
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._execution_roles import execution_role
from bots._functions import FUNCTION
from bots._identities import ROLES, Identity, some
from bots._inline import inline_policies
from bots._managed import POLICY_READS, attached, detachments, documents_in_force
from bots._wide import allows_every_action, is_blanket

_NEEDED = re.compile(r"arn:[a-z-]+:iam::aws:policy/service-role/AWSLambda\w*ExecutionRole")


class Blanket(Before):
    role: str
    policies: tuple[str, ...]  # ARNs


bot = Bot(
    name="lambda_detach_blanket_permissions",
    acts_on="AWS::Lambda::Function",
    target=entity("arn", "id", "name"),
    params=NoParams,
    before=Blanket,
    reads=(
        *on(FUNCTION, "lambda:GetFunctionConfiguration"),
        *on(ROLES, "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:GetRolePolicy"),
        *POLICY_READS,
    ),
    writes=on(ROLES, "iam:DetachRolePolicy", "iam:AttachRolePolicy"),
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Blanket]:
    home, role = await execution_role(aws, target)
    arns, own = await together(attached(aws, role), inline_policies(aws, role))
    managed = await documents_in_force(aws, arns)
    blanket = tuple(arn for arn, text in managed.items() if is_blanket(text) and not _NEEDED.fullmatch(arn))
    notes = []
    if left := [name for name, text in own.items() if is_blanket(text)]:
        notes.append(f"inline policies that allow something on every resource stay: {some(left)}")
    every_action = [
        arn for arn, text in (managed | own).items() if arn not in blanket and allows_every_action(text)
    ]
    if every_action:
        notes.append(f"every action, if not on every resource, is allowed by {some(every_action)}")
    return Check(
        compliant=not blanket,
        before=Blanket(role=role.name, policies=blanket),
        why=f"{role} of function {target.id} has blanket permissions from {some(blanket)}"
        if blanket
        else f"no managed policy of {role} of function {target.id} gives blanket permissions",
        region=home.region,
        notes=tuple(notes),
        touches=(role.touched,),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Blanket) -> None:
    await make_in_iam(aws, detachments([Identity("Role", before.role)], before.policies))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Blanket) -> None:
    await unmake_in_iam(aws, detachments([Identity("Role", before.role)], before.policies))
