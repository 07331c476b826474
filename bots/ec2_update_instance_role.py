"""Attach a managed policy to the role of an instance.

After: the role in the instance's profile has the policy; all else it has stays.
Caution: whatever else uses the role gets the policy too. Policies that make an administrator are refused:
a finding must not be able to hand out everything.
Finding: ec2_update_instance_role policy_arn=arn:$PARTITION:iam::$ACCOUNT_ID:policy/Logging
Finding: ec2_update_instance_role policy_arn=arn:$PARTITION:iam::aws:policy/AmazonSSMManagedInstanceCore
"""

from typing import Annotated

from pydantic import Field

from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._holders import ARN_START, PATHS_OF_AWS, ROLES, bare_name, own_arn
from bots._iam_writes import NO_SUCH
from bots._instance_profiles import PROFILES, live_instance
from bots._managed import ANY_POLICY, attached_to_role, owner_of, policy_facts, version_document
from bots._wide import makes_an_administrator


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
        "ec2:DescribeInstances",
        *on(PROFILES, "iam:GetInstanceProfile"),
        *on(ROLES, "iam:ListAttachedRolePolicies"),
        *on(ANY_POLICY, "iam:GetPolicy", "iam:GetPolicyVersion"),
    ),
    writes=on(ROLES, "iam:AttachRolePolicy", "iam:DetachRolePolicy"),
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Granted]:
    policy = own_arn(aws, params.policy_arn)
    owner_of(aws, policy)
    profile = (await live_instance(aws, target)).get("IamInstanceProfile", {}).get("Arn")
    if profile is None:
        raise CannotFix(f"{target.id} has no instance profile: give it one first (ec2_attach_instance_role)")
    role = await _role_in(aws, profile)
    attached = policy in await attached_to_role(aws, role)
    if not attached:
        await _refuse_ungrantable(aws, policy)
    return Check(
        compliant=attached,
        before=Granted(role=role, policy_arn=policy, attached=attached),
        why=f"role {role} of {target.id} {'has' if attached else 'does not have'} the policy {policy}",
        notes=() if attached else (f"every instance with the profile {profile} gets the policy too",),
        touches=(("AWS::IAM::Role", role),),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Granted) -> None:
    policy = {"RoleName": before.role, "PolicyArn": before.policy_arn}
    if await aws.find("iam", "AttachRolePolicy", absent=("LimitExceeded",), **policy) is None:
        raise CannotFix(
            f"role {before.role} has as many managed policies as the account allows (10, unless the quota was "
            "raised): detach one or merge some"
        )


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Granted) -> None:
    policy = {"RoleName": before.role, "PolicyArn": before.policy_arn}
    await aws.find("iam", "DetachRolePolicy", absent=NO_SUCH, **policy)


async def _role_in(aws: Aws, profile: str) -> str:
    """
    Raises:
        CannotFix: the profile is empty or deleted, or its role is AWS's own.
    """
    name = bare_name(profile)
    answer = await aws.find("iam", "GetInstanceProfile", absent=NO_SUCH, InstanceProfileName=name)
    if answer is None:
        raise CannotFix(f"instance profile {name} was deleted while the instance has it: give it another one")
    roles = answer["InstanceProfile"]["Roles"]
    if not roles:
        raise CannotFix(f"instance profile {name} holds no role")
    if roles[0]["Path"].startswith(PATHS_OF_AWS):
        raise CannotFix(f"role {roles[0]['RoleName']} is kept by AWS: nobody else can change it")
    return str(roles[0]["RoleName"])


async def _refuse_ungrantable(aws: Aws, policy: str) -> None:
    facts = await policy_facts(aws, policy)
    if facts is None:
        raise CannotFix(f"there is no policy {policy}")
    if not facts["IsAttachable"]:
        raise CannotFix(f"AWS lets nobody attach {policy}")
    if makes_an_administrator(await version_document(aws, policy, facts["DefaultVersionId"])):
        raise CannotFix(
            f"{policy} makes an administrator of the instance: attach it by hand if that is meant"
        )
