"""An instance as EC2 describes it, and what reacts when it stops or goes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone

INSTANCE = ("arn:{partition}:ec2:*:{account}:instance/*",)
NO_INSTANCE = "InvalidInstanceID.NotFound"
READS = ("ec2:DescribeInstances", "ec2:DescribeInstanceAttribute")
# These move by themselves.
_MOVING = ("State", "StateReason", "StateTransitionReason")

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


async def is_protected(aws: Aws, instance_id: str, attribute: str) -> bool:
    """Whether ``disableApiStop`` or ``disableApiTermination`` is on."""
    answer = await aws.call("ec2", "DescribeInstanceAttribute", InstanceId=instance_id, Attribute=attribute)
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


def described(found: Found) -> dict[str, Any]:
    """How the instance is described, in JSON, without what moves by itself."""
    return {key: _plain(value) for key, value in found.items() if key not in _MOVING}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def termination_notes(aws: Aws, found: Found) -> tuple[str, ...]:
    """What comes after a termination, and what stays and costs."""
    notes = owner_notes(found, then="start another instance in its place")
    if found.get("InstanceLifecycle") == "spot":
        notes.append("a Spot instance: a persistent request starts another")
    for volume, goes in volumes_of(found).items():
        notes.append(f"volume {volume} {'is deleted with it' if goes else 'stays and costs as before'}")
    for interface in found.get("NetworkInterfaces", ()):
        association = interface.get("Association") or {}
        # Addresses that AWS assigned by itself are its own, and go.
        if association.get("IpOwnerId") == aws.account_id:
            notes.append(f"Elastic IP {association['PublicIp']} stays and costs as before")
    return tuple(notes)


async def refuse_unstoppable(aws: Aws, target: Target, found: Found) -> None:
    """
    Raises:
        CannotFix: AWS cannot stop the instance, or somebody has forbidden it.
    """
    if found["RootDeviceType"] == "instance-store":
        raise CannotFix(f"{target.id} boots from instance store: AWS cannot stop it, only terminate it")
    if await is_protected(aws, target.id, "disableApiStop"):
        raise CannotFix(f"stop protection of {target.id} is on: somebody must switch it off first")


def stop_notes(found: Found) -> tuple[str, ...]:
    """What comes after a stop, and what is lost."""
    notes = owner_notes(found, then="terminate the stopped instance and start another")
    if found.get("InstanceLifecycle") == "spot":
        notes.append("a Spot instance: AWS can stop only those of a persistent request")
    if address := found.get("PublicIpAddress"):
        notes.append(f"its public IP is {address}; unless an Elastic IP, it is lost")
    return tuple(notes)
