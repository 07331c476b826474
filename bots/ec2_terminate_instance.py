"""Terminate an instance.

After: the instance is shutting down or terminated; how it was described stays in the journal.
Caution: nothing brings it back. Its memory, instance store and the volumes that go with it are lost; other
volumes and Elastic IPs stay and cost as before. Its user data, which may hold secrets, is not kept. An Auto
Scaling group replaces a member at once, and a persistent Spot request starts another instance.
"""

from datetime import datetime
from typing import Any

from bots._aws import Aws, AwsError
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TargetGone, Undo, entity, on
from bots._instances import INSTANCE, NO_INSTANCE, find_instance, is_protected, owner_notes, volumes_of

_OVER = ("shutting-down", "terminated")
# These move by themselves.
_MOVING = ("State", "StateReason", "StateTransitionReason")


class Description(Before):
    record: dict[str, Any] | None  # None: there is no such instance, or it is going


bot = Bot(
    name="ec2_terminate_instance",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=NoParams,
    before=Description,
    reads=("ec2:DescribeInstances", "ec2:DescribeInstanceAttribute"),
    writes=on(INSTANCE, "ec2:TerminateInstances"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none("an instance is terminated for good; the journal holds how it was described"),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Description]:
    try:
        found = await find_instance(aws, target)
    except TargetGone as gone:
        return Check(compliant=True, before=Description(record=None), why=str(gone))
    state = found["State"]["Name"]
    why = f"instance {target.id} is {state}"
    if state in _OVER:
        return Check(compliant=True, before=Description(record=None), why=why)
    if await is_protected(aws, target, "disableApiTermination"):
        raise CannotFix(f"termination protection of {target.id} is on: somebody must switch it off first")
    record = {key: _plain(value) for key, value in found.items() if key not in _MOVING}
    return Check(
        compliant=False,
        before=Description(record=record),
        why=why,
        notes=_notes(aws, found),
        touches=tuple(("AWS::EC2::Volume", each) for each, goes in volumes_of(found).items() if goes),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Description) -> None:
    try:
        await aws.call("ec2", "TerminateInstances", InstanceIds=[target.id])
    except AwsError as error:
        if error.code == "OperationNotPermitted":
            raise CannotFix(f"AWS does not let {target.id} be terminated: {error.message}") from error
        if error.code != NO_INSTANCE:
            raise


def _plain(value: Any) -> Any:
    """The same in JSON."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value.isoformat() if isinstance(value, datetime) else value


def _notes(aws: Aws, found: dict[str, Any]) -> tuple[str, ...]:
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
