"""Delete all inline policies of the role that an ECS service registers its load balancer targets with.

After: the role has no inline policies; its managed ones stay.
Caution: services that use the role can no longer register targets and deployments stall, unless a managed
policy allows what the deleted ones did. Whatever else uses the role loses it too. Task roles are others.
"""

from bots._all_or_none import make_in_iam, unmake_in_iam
from bots._aws import Aws
from bots._bot import Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity_or_account, on
from bots._identities import ROLES, Identity, bare_name, changeable, some
from bots._inline import Inline, denial_notes, inline_policies, removals

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
    role = _role(target)
    await changeable(aws, role)
    found = await inline_policies(aws, role)
    return Check(
        compliant=not found,
        before=Inline(policies=found),
        why=f"{role} has the inline policies {some(found)}; what is still needed belongs in managed ones"
        if found
        else f"{role} has no inline policies",
        notes=denial_notes(found),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Inline) -> None:
    await make_in_iam(aws, removals(_role(target), before.policies))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Inline) -> None:
    await unmake_in_iam(aws, removals(_role(target), before.policies))


def _role(target: Target) -> Identity:
    return Identity("Role", bare_name(target.id))
