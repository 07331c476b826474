"""Stop an instance.

After: the instance is stopping or stopped; its EBS volumes, private addresses and Elastic IPs stay.
Caution: memory, instance-store data and an auto-assigned public IP are lost. An Auto Scaling group
terminates and replaces a stopped member. To start an instance with volumes under a customer managed
key, an undo also needs kms:CreateGrant on that key.
"""

from typing import Literal

from bots import _instances
from bots._aws import Aws
from bots._bot import Before, Bot, CannotFix, Check, NoParams, Risk, Target, Undo, entity, on
from bots._instances import INSTANCE

# Pending and running are one to an undo, stopping and stopped one to a fix.
_SETTLED: dict[str, Literal["running", "stopped", "terminated"]] = {
    "pending": "running",
    "running": "running",
    "stopping": "stopped",
    "stopped": "stopped",
    "shutting-down": "terminated",
    "terminated": "terminated",
}


class Power(Before):
    state: Literal["running", "stopped", "terminated"]


bot = Bot(
    name="ec2_stop_instance",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=NoParams,
    before=Power,
    reads=_instances.READS,
    writes=on(INSTANCE, "ec2:StopInstances", "ec2:StartInstances"),
    risk=Risk.DISRUPTIVE,
    undo=Undo.nearest(
        "the instance runs again, but memory, instance-store data and an auto-assigned public IP are lost",
        expects=lambda was: was,
    ),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Power]:
    found = await _instances.find_instance(aws, target)
    state = _SETTLED[found["State"]["Name"]]
    if state == "running":
        await _instances.refuse_unstoppable(aws, target, found)
    return Check(
        compliant=state != "running",
        before=Power(state=state),
        why=f"instance {target.id} is {found['State']['Name']}"
        + (", so there is nothing to stop" if state == "terminated" else ""),
        notes=_instances.stop_notes(found) if state == "running" else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Power) -> None:
    stopped = await aws.find(
        "ec2", "StopInstances", absent=("UnsupportedOperation",), InstanceIds=[target.id]
    )
    if stopped is None:
        raise CannotFix(
            f"AWS cannot stop {target.id}, as a Spot instance of a one-time request: it can only be terminated"
        )


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Power) -> None:
    if await _instances.is_protected(aws, target.id, "disableApiStop"):
        raise CannotFix(
            f"stop protection of {target.id} was switched on after the stop, so somebody has taken charge of it: "
            "start it by hand"
        )
    await aws.call("ec2", "StartInstances", InstanceIds=[target.id])
