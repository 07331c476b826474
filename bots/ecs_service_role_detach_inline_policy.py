"""Delete all inline policies of the role that an ECS service registers its load balancer targets with.

After: the role has no inline policies; its managed ones stay.
Caution: services that use the role can no longer register targets and deployments stall, unless a managed
policy allows what the deleted ones did. Whatever else uses the role loses it too. Task roles are others.
"""

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity_or_account, on
from bots._holders import ROLES, bare_name, live_identity, some
from bots._iam_writes import all_or_none
from bots._inline import denial_notes, inline_documents, inline_names, removals


class Inline(Before):
    policies: dict[str, str]  # name -> document


bot = Bot(
    name="ecs_service_role_detach_inline_policy",
    acts_on="AWS::IAM::Role",
    target=entity_or_account("role.name"),
    params=NoParams,
    before=Inline,
    reads=on(ROLES, "iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy"),
    writes=on(ROLES, "iam:DeleteRolePolicy", "iam:PutRolePolicy"),
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Inline]:
    if target.id == aws.account_id:
        raise CannotFix(
            "the finding names no role: a service without a load balancer has none of its own, and others use "
            "the service-linked role of ECS"
        )
    role = bare_name(target.id)
    await live_identity(aws, "Role", role)
    found = await inline_documents(aws, "Role", role, await inline_names(aws, "Role", role))
    return Check(
        compliant=not found,
        before=Inline(policies=found),
        why=f"role {role} has the inline policies {some(found)}; what is still needed belongs in managed ones"
        if found
        else f"role {role} has no inline policies",
        notes=denial_notes(found),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Inline) -> None:
    await all_or_none(aws, removals("Role", bare_name(target.id), before.policies))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Inline) -> None:
    changes = removals("Role", bare_name(target.id), before.policies)
    await all_or_none(aws, [each.turned() for each in changes])
