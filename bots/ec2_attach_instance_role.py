"""Give an instance without an instance profile the one that is asked for.

After: the instance has the profile, and what runs on it the role's rights. Another profile is never
replaced.
Caution: everybody who can reach the instance's metadata gets the role's rights. An Auto Scaling group's
next instance comes from the launch template, without the profile.
Finding: ec2_attach_instance_role role_arn=arn:$PARTITION:iam::$ACCOUNT_ID:instance-profile/SSMCore
"""

from bots import _instance_profiles
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._identities import ROLES


class Wish(Params):
    role_arn: _instance_profiles.ProfileArn


class Profile(Before):
    arn: str | None  # of the profile the instance has


bot = Bot(
    name="ec2_attach_instance_role",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=Wish,
    before=Profile,
    reads=(
        "ec2:DescribeInstances",
        "ec2:DescribeIamInstanceProfileAssociations",
        *on(_instance_profiles.PROFILES, "iam:GetInstanceProfile"),
        *on(ROLES, "iam:ListInstanceProfilesForRole"),
    ),
    writes=(
        "iam:PassRole",
        *on(
            _instance_profiles.INSTANCES,
            "ec2:AssociateIamInstanceProfile",
            "ec2:DisassociateIamInstanceProfile",
        ),
    ),
    passes=_instance_profiles.TO_EC2,
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Profile]:
    wanted = _instance_profiles.own_wish(aws, params.role_arn)
    instance = await _instance_profiles.live_instance(aws, target)
    association = await _instance_profiles.association_of(aws, target)
    if association is None:
        _instance_profiles.refuse_state(target, instance["State"]["Name"])
        _, role = await _instance_profiles.profile_and_role(aws, wanted)
        return Check(
            compliant=False,
            before=Profile(arn=None),
            why=f"{target.id} has no instance profile",
            notes=_instance_profiles.template_notes(instance),
            touches=(("AWS::IAM::Role", role),),
        )
    has = association["IamInstanceProfile"]["Arn"]
    if has != wanted and has not in await _instance_profiles.profiles_for(aws, wanted):
        raise CannotFix(f"{target.id} has the instance profile {has} already: replacing it is for a person")
    return Check(compliant=True, before=Profile(arn=has), why=f"{target.id} has the instance profile {has}")


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Profile) -> None:
    profile, _ = await _instance_profiles.profile_and_role(
        aws, _instance_profiles.own_wish(aws, params.role_arn)
    )
    await _instance_profiles.associate(aws, target, profile)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Profile) -> None:
    association = await _instance_profiles.association_of(aws, target)
    if association is not None:
        named = association["AssociationId"]
        await aws.call("ec2", "DisassociateIamInstanceProfile", AssociationId=named)
