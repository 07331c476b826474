"""Delete the internet gateway of a VPC, after its instances with a public address were stopped.

After: nothing in the VPC reaches the internet over IPv4 or IPv6 or is reached from there; the instances are
stopped, and their Elastic IPs belong to the account but to no instance.
Caution: instances lose memory, instance-store data and auto-assigned addresses. Routes stay and lead
nowhere. If public addresses of anything but instances are in the way, nothing is stopped. To start an
instance with volumes under a customer managed key, an undo also needs kms:CreateGrant on that key.
"""

from bots._aws import Aws, together
from bots._bot import Bot, Check, NoParams, Risk, Target, TargetGone, TryLater, Undo, entity
from bots._internet import READS, WRITES, Internet, described, look, notes_on, refuse_unclosable
from bots._internet_calls import Call, ask, closing, reopen, stop
from bots._vpcs import find_vpc

STOPPING_SECONDS = 30

bot = Bot(
    name="igw_delete",
    acts_on="AWS::EC2::VPC",
    target=entity("id"),
    params=NoParams,
    before=Internet,
    reads=READS,
    writes=WRITES,
    risk=Risk.DESTRUCTIVE,
    undo=Undo.nearest(
        "the new gateway has another id; memory, instance-store data and auto-assigned addresses are lost",
        expects=lambda was: was,
    ),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Internet]:
    vpc = await find_vpc(aws, target)
    if vpc is None:
        raise TargetGone(f"VPC {target.id} does not exist in {aws.region}")
    side = await look(aws, target.id)
    if side.gateway:
        await refuse_unclosable(aws, target.id, side)
    return Check(
        compliant=not side.gateway,
        before=side.state,
        why=f"VPC {target.id} has the internet gateway {side.gateway}; {len(side.state.running)} running instances "
        "have a public address"
        if side.gateway
        else f"VPC {target.id} has no internet gateway",
        notes=notes_on(vpc, side) if side.gateway else (),
        touches=tuple(("AWS::EC2::Instance", each) for each in side.state.running) if side.gateway else (),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Internet) -> None:
    side = await look(aws, target.id)
    running = side.in_state("running")
    first: list[Call] = [("StopInstances", {"InstanceIds": running})] if running else []
    await ask(aws, [*first, *closing(side, target.id)])
    if running:
        await stop(aws, running)
        side = await look(aws, target.id)
    if awaited := sorted(set(side.instances) - set(side.in_state("stopped"))):
        raise TryLater(f"{', '.join(awaited)} have not stopped yet", seconds=STOPPING_SECONDS)
    for operation, arguments in closing(side, target.id):
        if await aws.find("ec2", operation, absent=("DependencyViolation",), **arguments) is None:
            raise TryLater(
                f"AWS is still taking back public addresses in {target.id}", seconds=STOPPING_SECONDS
            )


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Internet) -> None:
    side, instances = await together(look(aws, target.id), described(aws, before.running))
    states = {each: found["State"]["Name"] for each, found in instances.items()}
    if stopping := sorted(each for each, state in states.items() if state == "stopping"):
        raise TryLater(f"{', '.join(stopping)} have not stopped yet", seconds=STOPPING_SECONDS)
    stopped = sorted(each for each, state in states.items() if state == "stopped")
    await reopen(aws, target.id, side, before, stopped)
