"""Terminate an instance.

After: the instance is shutting down or terminated; how it was described stays in the journal.
Caution: nothing brings it back. Its memory, instance store and the volumes that go with it are lost; other
volumes and Elastic IPs stay and cost as before. Its user data, which may hold secrets, is not kept. An Auto
Scaling group replaces a member at once, and a persistent Spot request starts another instance.
"""

from typing import Any

from bots import _instances
from bots._aws import Aws, AwsError
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, TargetGone, Undo, entity, on
from bots._instances import INSTANCE, NO_INSTANCE

_OVER = ("shutting-down", "terminated")


class Description(Before):
    record: dict[str, Any] | None  # None: there is no such instance, or it is going


bot = Bot(
    name="ec2_terminate_instance",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=NoParams,
    before=Description,
    reads=_instances.READS,
    writes=on(INSTANCE, "ec2:TerminateInstances"),
    risk=Risk.DESTRUCTIVE,
    undo=Undo.none("an instance is terminated for good; the journal holds how it was described"),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Description]:
    try:
        found = await _instances.find_instance(aws, target)
    except TargetGone as gone:
        return Check(compliant=True, before=Description(record=None), why=str(gone))
    state = found["State"]["Name"]
    why = f"instance {target.id} is {state}"
    if state in _OVER:
        return Check(compliant=True, before=Description(record=None), why=why)
    if await _instances.is_protected(aws, target.id, "disableApiTermination"):
        raise CannotFix(f"termination protection of {target.id} is on: somebody must switch it off first")
    volumes = _instances.volumes_of(found)
    return Check(
        compliant=False,
        before=Description(record=_instances.described(found)),
        why=why,
        notes=_instances.termination_notes(aws, found),
        touches=tuple(("AWS::EC2::Volume", each) for each, goes in volumes.items() if goes),
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
