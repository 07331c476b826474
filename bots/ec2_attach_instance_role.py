"""Give an instance without an instance profile the one that is asked for.

After: the instance has the profile, and what runs on it the role's rights. Another profile is never
replaced.
Caution: everybody who can reach the instance's metadata gets the role's rights. An Auto Scaling group's
next instance comes from the launch template, without the profile.
Finding: ec2_attach_instance_role role_arn=arn:$PARTITION:iam::$ACCOUNT_ID:instance-profile/SSMCore
"""

from typing import Annotated, Any

from pydantic import Field

from bots._aws import Aws
from bots._bot import (
    Before,
    Bot,
    CannotFix,
    Check,
    Params,
    Risk,
    Target,
    TargetGone,
    TryLater,
    Undo,
    entity,
    on,
)
from bots._identities import ARN_START, ROLES, own_arn
from bots._instance_profiles import (
    INSTANCES,
    PROFILES,
    TO_EC2,
    association_of,
    live_instance,
    profile_and_role,
    profiles_for,
)


class Wish(Params):
    role_arn: Annotated[
        str,
        Field(
            pattern=ARN_START + r"([0-9]{12}|\$ACCOUNT_ID):(instance-profile|role)/[!-~]{1,640}$",
            description="instance profile or a role in one; $ACCOUNT_ID and $PARTITION stand for the finding's",
        ),
    ]


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
        *on(PROFILES, "iam:GetInstanceProfile"),
        *on(ROLES, "iam:ListInstanceProfilesForRole"),
    ),
    writes=(
        "iam:PassRole",
        *on(INSTANCES, "ec2:AssociateIamInstanceProfile", "ec2:DisassociateIamInstanceProfile"),
    ),
    passes=TO_EC2,
    risk=Risk.ADDITIVE,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Profile]:
    wanted = _wanted(aws, params)
    instance = await live_instance(aws, target)
    association = await association_of(aws, target)
    if association is None:
        _refuse_state(target, instance["State"]["Name"])
        _, role = await profile_and_role(aws, wanted)
        return Check(
            compliant=False,
            before=Profile(arn=None),
            why=f"{target.id} has no instance profile",
            notes=_notes(instance),
            touches=(("AWS::IAM::Role", role),),
        )
    has = association["IamInstanceProfile"]["Arn"]
    if has != wanted and has not in await profiles_for(aws, wanted):
        raise CannotFix(f"{target.id} has the instance profile {has} already: replacing it is for a person")
    return Check(compliant=True, before=Profile(arn=has), why=f"{target.id} has the instance profile {has}")


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Profile) -> None:
    profile, _ = await profile_and_role(aws, _wanted(aws, params))
    done = await aws.find(
        "ec2",
        "AssociateIamInstanceProfile",
        absent=("InvalidParameterValue",),
        InstanceId=target.id,
        IamInstanceProfile={"Arn": profile},
    )
    if done is None:
        raise TryLater(f"EC2 does not know the instance profile {profile} yet", seconds=15)


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Profile) -> None:
    association = await association_of(aws, target)
    if association is not None:
        named = association["AssociationId"]
        await aws.call("ec2", "DisassociateIamInstanceProfile", AssociationId=named)


def _wanted(aws: Aws, params: Wish) -> str:
    wanted = own_arn(aws, params.role_arn)
    if f":iam::{aws.account_id}:" not in wanted:
        raise CannotFix(f"{wanted} belongs to another account than {aws.account_id}")
    return wanted


def _refuse_state(target: Target, state: str) -> None:
    if state in ("shutting-down", "terminated"):
        raise TargetGone(f"instance {target.id} is {state}")
    if state not in ("running", "stopped"):
        raise TryLater(f"{target.id} is {state}; a profile goes to running and stopped instances", seconds=30)


def _notes(instance: dict[str, Any]) -> tuple[str, ...]:
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
    group = tags.get("aws:autoscaling:groupName")
    if group is None:
        return ()
    return (f"the next instance of Auto Scaling group {group} comes without it: change its launch template",)
