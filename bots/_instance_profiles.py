"""Instance profiles: how a role gets to EC2 instances."""

from __future__ import annotations

from typing import Any

from bots._all_or_none import NO_SUCH
from bots._bot import Aws, AwsError, Target, TargetGone
from bots._identities import ROLES, no_such

PROFILES = ("arn:{partition}:iam::{account}:instance-profile/*",)
INSTANCES = ("arn:{partition}:ec2:*:{account}:instance/*",)
# EC2 has another name in China.
TO_EC2 = {"ec2.amazonaws.com": ROLES, "ec2.amazonaws.com.cn": ROLES}


async def profiles_of_role(aws: Aws, role: str) -> dict[str, str]:
    """ARN by name of the instance profiles that hold the role.

    Raises:
        TargetGone: there is no such role.
    """
    listed = aws.pages("iam", "ListInstanceProfilesForRole", items="InstanceProfiles", RoleName=role)
    try:
        return {each["InstanceProfileName"]: each["Arn"] async for each in listed}
    except AwsError as error:
        if error.code not in NO_SUCH:
            raise
        raise no_such(aws, "Role", role) from None


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
