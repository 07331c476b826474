"""Detach from a function's execution role the managed policies that allow something on every resource.

After: no attached policy has an Allow on the resource *, or on all but some (NotResource). AWS's own
AWSLambda…ExecutionRole policies stay, whose logs and network interfaces need it; so do inline policies,
which are reported.
Caution: the function loses what the policies allowed on narrower resources too, and may stop working; so
does whatever else uses the role.
"""

import re

from bots._aws import Aws, together
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TargetGone, Undo, entity, on
from bots._holders import PATHS_OF_AWS, ROLES, bare_name, some
from bots._iam_writes import all_or_none
from bots._inline import inline_documents, inline_names
from bots._managed import ANY_POLICY, attached_to_role, detachments, documents_in_force
from bots._wide import allows_every_action, is_blanket

FUNCTIONS = ("arn:{partition}:lambda:*:{account}:function:*",)
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
        *on(FUNCTIONS, "lambda:GetFunctionConfiguration"),
        *on(ROLES, "iam:ListAttachedRolePolicies", "iam:ListRolePolicies", "iam:GetRolePolicy"),
        *on(ANY_POLICY, "iam:GetPolicy", "iam:GetPolicyVersion"),
    ),
    writes=on(ROLES, "iam:DetachRolePolicy", "iam:AttachRolePolicy"),
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Blanket]:
    home, role = await _execution_role(aws, target)
    attached, inline = await together(attached_to_role(aws, role), inline_names(aws, "Role", role))
    managed = await documents_in_force(aws, attached)
    own = await inline_documents(aws, "Role", role, inline)
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
        before=Blanket(role=role, policies=blanket),
        why=f"role {role} of function {target.id} has blanket permissions from {some(blanket)}"
        if blanket
        else f"no managed policy of role {role} of function {target.id} gives blanket permissions",
        region=home.region,
        notes=tuple(notes),
        touches=(("AWS::IAM::Role", role),),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Blanket) -> None:
    await all_or_none(aws, detachments("Role", [before.role], before.policies))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Blanket) -> None:
    changes = detachments("Role", [before.role], before.policies)
    await all_or_none(aws, [each.turned() for each in changes])


async def _execution_role(aws: Aws, target: Target) -> tuple[Aws, str]:
    """The account in the function's region, and the role the function has now, whatever the finding says."""
    home = aws
    if target.id.startswith("arn:"):
        _, _, _, region, owner, _ = target.id.split(":", 5)
        if owner != aws.account_id:
            raise CannotFix(f"function {target.id} belongs to account {owner}, not to {aws.account_id}")
        home = aws.at(region)
    found = await home.find(
        "lambda", "GetFunctionConfiguration", absent=("ResourceNotFoundException",), FunctionName=target.id
    )
    if found is None:
        raise TargetGone(f"function {target.id} does not exist in {home.region}")
    if any(f":role{path}" in found["Role"] for path in PATHS_OF_AWS):
        raise CannotFix(f"role {bare_name(found['Role'])} is kept by AWS: nobody else can change it")
    return home, bare_name(found["Role"])
