"""Instance profiles: how a role gets to EC2 instances."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bots._all_or_none import IamChange, iam_change
from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone, on
from bots._identities import NO_SUCH, PATHS_OF_AWS, ROLES, Identity, bare_name, listing, some

PROFILES = ("arn:{partition}:iam::{account}:instance-profile/*",)
INSTANCES = ("arn:{partition}:ec2:*:{account}:instance/*",)
ROLE_OF_INSTANCE = ("ec2:DescribeInstances", *on(PROFILES, "iam:GetInstanceProfile"))
# EC2 has another name in China.
TO_EC2 = {"ec2.amazonaws.com": ROLES, "ec2.amazonaws.com.cn": ROLES}


async def profiles_of_role(aws: Aws, role: str) -> dict[str, str]:
    """ARN by name of the instance profiles that hold the role.

    Raises:
        TargetGone: there is no such role.
    """
    who = Identity("Role", role)
    found = await listing(aws, who, "ListInstanceProfilesForRole", items="InstanceProfiles")
    return {each["InstanceProfileName"]: each["Arn"] for each in found}


def removals(role: str, profiles: Iterable[str]) -> list[IamChange]:
    """Taking the role out of the profiles; turned, putting it back."""
    ways = "RemoveRoleFromInstanceProfile", "AddRoleToInstanceProfile"
    return [iam_change(*ways, InstanceProfileName=profile, RoleName=role) for profile in profiles]


async def live_instance(aws: Aws, target: Target) -> dict[str, Any]:
    """The instance as it is now, also while it is being terminated.

    Raises:
        TargetGone: there is no such instance.
    """
    answer = await aws.find(
        "ec2", "DescribeInstances", absent=("InvalidInstanceID.NotFound",), InstanceIds=[target.id]
    )
    found = [each for group in (answer or {}).get("Reservations", ()) for each in group["Instances"]]
    if not found:
        raise TargetGone(f"instance {target.id} does not exist in {aws.region}")
    instance: dict[str, Any] = found[0]
    return instance


async def association_of(aws: Aws, target: Target) -> dict[str, Any] | None:
    """The one an instance can have."""
    filters = [
        {"Name": "instance-id", "Values": [target.id]},
        {"Name": "state", "Values": ["associating", "associated"]},
    ]
    listed = aws.pages(
        "ec2",
        "DescribeIamInstanceProfileAssociations",
        items="IamInstanceProfileAssociations",
        Filters=filters,
    )
    return next(iter([association async for association in listed]), None)


async def profiles_for(aws: Aws, wanted: str) -> dict[str, str]:
    """Name by ARN of the profiles that hold the wanted role; none if a profile is wanted.

    Raises:
        CannotFix: there is no such role.
    """
    if ":role/" not in wanted:
        return {}
    try:
        found = await profiles_of_role(aws, bare_name(wanted))
    except TargetGone as gone:
        raise CannotFix(f"there is nothing to attach: {gone}") from gone
    return {arn: name for name, arn in found.items()}


async def profile_and_role(aws: Aws, wanted: str) -> tuple[str, str]:
    """ARN of the profile to associate, and the name of its role.

    Raises:
        CannotFix: there is none, or nothing says which of several.
    """
    name = bare_name(wanted)
    if ":role/" in wanted:
        found = await profiles_for(aws, wanted)
        fitting = [arn for arn, profile in found.items() if profile == name] or list(found)
        if len(fitting) != 1:
            which = f"several instance profiles ({some(found.values())})" if found else "no instance profile"
            raise CannotFix(f"role {name} is in {which}: name the profile instead")
        return fitting[0], name
    answer = await aws.find("iam", "GetInstanceProfile", absent=NO_SUCH, InstanceProfileName=name)
    if answer is None or answer["InstanceProfile"]["Arn"] != wanted:
        raise CannotFix(f"there is no instance profile {wanted}")
    roles = answer["InstanceProfile"]["Roles"]
    if not roles:
        raise CannotFix(f"instance profile {name} holds no role, so it would give the instance nothing")
    return wanted, roles[0]["RoleName"]


async def role_of_instance(aws: Aws, target: Target) -> tuple[Identity, str]:
    """The role in the profile that an instance has, and the profile's ARN.

    Raises:
        TargetGone: there is no such instance.
        CannotFix: it has no profile, or one that is empty or deleted, or whose role is AWS's own.
    """
    profile = (await live_instance(aws, target)).get("IamInstanceProfile", {}).get("Arn")
    if profile is None:
        raise CannotFix(f"{target.id} has no instance profile: give it one first (ec2_attach_instance_role)")
    name = bare_name(profile)
    answer = await aws.find("iam", "GetInstanceProfile", absent=NO_SUCH, InstanceProfileName=name)
    if answer is None:
        raise CannotFix(f"instance profile {name} was deleted while the instance has it: give it another one")
    roles = answer["InstanceProfile"]["Roles"]
    if not roles:
        raise CannotFix(f"instance profile {name} holds no role")
    if roles[0]["Path"].startswith(PATHS_OF_AWS):
        raise CannotFix(f"role {roles[0]['RoleName']} is kept by AWS: nobody else can change it")
    return Identity("Role", roles[0]["RoleName"]), profile
