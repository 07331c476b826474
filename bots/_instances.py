"""An instance as EC2 describes it, and what reacts when it stops or goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bots._aws import Aws
from bots._bot import Target, TargetGone

INSTANCE = ("arn:{partition}:ec2:*:{account}:instance/*",)
NO_INSTANCE = "InvalidInstanceID.NotFound"

Found = Mapping[str, Any]


async def find_instance(aws: Aws, target: Target) -> dict[str, Any]:
    """
    Raises:
        TargetGone: there is no such instance.
    """
    answer = await aws.find("ec2", "DescribeInstances", absent=(NO_INSTANCE,), InstanceIds=[target.id])
    # AWS forgets a terminated instance after an hour or so.
    found = [each for group in (answer or {}).get("Reservations", ()) for each in group["Instances"]]
    if not found:
        raise TargetGone(f"instance {target.id} does not exist in {aws.region}")
    instance: dict[str, Any] = found[0]
    return instance


async def is_protected(aws: Aws, target: Target, attribute: str) -> bool:
    """Whether ``disableApiStop`` or ``disableApiTermination`` is on."""
    answer = await aws.call("ec2", "DescribeInstanceAttribute", InstanceId=target.id, Attribute=attribute)
    return bool(answer[attribute[:1].upper() + attribute[1:]]["Value"])


def tags_of(found: Found) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in found.get("Tags", ())}


def volumes_of(found: Found) -> dict[str, bool]:
    """Ids of the attached EBS volumes, and whether they go with the instance."""
    mapped = [each["Ebs"] for each in found.get("BlockDeviceMappings", ()) if "Ebs" in each]
    return {ebs["VolumeId"]: bool(ebs.get("DeleteOnTermination")) for ebs in mapped}


def owner_notes(found: Found, *, then: str) -> list[str]:
    """Who will notice that the instance is no longer there.

    Args:
        then: what an Auto Scaling group will do.
    """
    tags = tags_of(found)
    notes = []
    if group := tags.get("aws:autoscaling:groupName"):
        notes.append(f"Auto Scaling group {group} will {then}")
    if any(key.startswith(("eks:", "kubernetes.io/cluster/")) for key in tags):
        notes.append("the instance is a Kubernetes node: its pods are evicted without a drain")
    return notes
