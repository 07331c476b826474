"""Take a role out of every instance profile, so that no instance gets its credentials.

After: the role is in no instance profile. The profiles stay, empty, and with the instances.
Caution: instances that live on the role fail when their credentials run out; those they already hold
stay valid for up to six hours. Undo needs the profiles to be still empty.
"""

from bots._all_or_none import make_in_iam, unmake_in_iam
from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity, on
from bots._identities import ROLES, bare_name, some
from bots._instance_profiles import PROFILES, TO_EC2, profiles_of_role, removals


class InProfiles(Before):
    profiles: tuple[str, ...]  # names


bot = Bot(
    name="ec2_detach_instance_role",
    acts_on="AWS::IAM::Role",
    target=entity("name", "id"),
    params=NoParams,
    before=InProfiles,
    reads=on(ROLES, "iam:ListInstanceProfilesForRole"),
    writes=(
        "iam:PassRole",
        *on(PROFILES, "iam:RemoveRoleFromInstanceProfile", "iam:AddRoleToInstanceProfile"),
    ),
    passes=TO_EC2,
    risk=Risk.DISRUPTIVE,
    undo=Undo.exact(),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[InProfiles]:
    role = bare_name(target.id)
    profiles = tuple(sorted(await profiles_of_role(aws, role)))
    return Check(
        compliant=not profiles,
        before=InProfiles(profiles=profiles),
        why=f"role {role} is in the instance profiles {some(profiles)}"
        if profiles
        else f"role {role} is in no instance profile",
        notes=("credentials that instances already hold stay valid for up to six hours",) if profiles else (),
        touches=tuple(("AWS::IAM::InstanceProfile", profile) for profile in profiles),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: InProfiles) -> None:
    await make_in_iam(aws, removals(bare_name(target.id), before.profiles))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: InProfiles) -> None:
    # An undo can find some of the profiles still, or again, with the role; AWS then calls them full.
    role = bare_name(target.id)
    there = await profiles_of_role(aws, role)
    await unmake_in_iam(aws, removals(role, [name for name in before.profiles if name not in there]))
