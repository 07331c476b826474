"""Attach a managed policy to the role of an instance.

After: the role in the instance's profile has the policy; all else it has stays.
Caution: whatever else uses the role gets the policy too. Policies that make an administrator are refused:
a finding must not be able to hand out everything.
Finding: ec2_update_instance_role policy_arn=arn:$PARTITION:iam::$ACCOUNT_ID:policy/Logging
Finding: ec2_update_instance_role policy_arn=arn:$PARTITION:iam::aws:policy/AmazonSSMManagedInstanceCore
"""

from typing import Annotated

from pydantic import Field

from bots._attachments import FULL, detach, unfit
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._identities import ARN_START, ROLES, Identity, own_arn
from bots._instance_profiles import ROLE_OF_INSTANCE, role_of_instance
from bots._managed import POLICY_READS, attached, owner_of

UNFIT = {
    "missing": "there is no policy {}",
    "retired": "AWS lets nobody attach {}",
    "administrator": "{} makes an administrator of the instance: attach it by hand if that is meant",
}


class Wish(Params):
    policy_arn: Annotated[
        str,
        Field(
            pattern=ARN_START + r"(aws|[0-9]{12}|\$ACCOUNT_ID):policy/[!-~]{1,640}$",
            description="managed policy; $ACCOUNT_ID and $PARTITION stand for the finding's",
        ),
    ]


class Granted(Before):
    role: str
    policy_arn: str
    attached: bool


bot = Bot(
    name="ec2_update_instance_role",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=Wish,
    before=Granted,
    reads=(
        *ROLE_OF_INSTANCE,
        *on(ROLES, "iam:ListAttachedRolePolicies"),
        *POLICY_READS,
    ),
    writes=on(ROLES, "iam:AttachRolePolicy", "iam:DetachRolePolicy"),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Granted]:
    policy = own_arn(aws, params.policy_arn)
    owner_of(aws, policy)
    role, profile = await role_of_instance(aws, target)
    has = policy in await attached(aws, role)
    if not has and (why := await unfit(aws, policy)):
        raise CannotFix(UNFIT[why].format(policy))
    return Check(
        compliant=has,
        before=Granted(role=role.name, policy_arn=policy, attached=has),
        why=f"{role} of {target.id} {'has' if has else 'does not have'} the policy {policy}",
        notes=() if has else (f"every instance with the profile {profile} gets the policy too",),
        touches=(role.touched,),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Granted) -> None:
    policy = {"RoleName": before.role, "PolicyArn": before.policy_arn}
    if await aws.find("iam", "AttachRolePolicy", absent=(FULL,), **policy) is None:
        raise CannotFix(
            f"role {before.role} has as many managed policies as the account allows (10, unless the quota was "
            "raised): detach one or merge some"
        )


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Granted) -> None:
    await detach(aws, Identity("Role", before.role), before.policy_arn)
