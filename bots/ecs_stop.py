"""Stop every ECS task that runs under the IAM role of a finding, and drain the instances they run on.

After: such tasks of the region are stopping or stopped: ECS is told to and finishes by itself. Their
container instances take no new tasks (unless drain=false). With scaleServices, services that start such
tasks are to run none.
Caution: draining moves all other services' tasks off the instances as well. Without scaleServices a service
starts its tasks anew on Fargate and wherever else there is room. Tasks no service runs do not come back.
Finding: ecs_stop
Finding: ecs_stop scaleServices
"""

from typing import Annotated

from pydantic import Field

from bots import _task_hosts, _tasks
from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._task_hosts import Instance, Service
from bots._tasks import MatchWord, Task
from bots._words import Word


class Wish(Params):
    scale_services: Annotated[
        bool, Field(description="let services that start such tasks run none"), Word(flag="scaleServices")
    ] = False
    drain: Annotated[
        bool, Field(description="let the container instances take no new tasks"), Word(positional=False)
    ] = True
    match: MatchWord = "any"


class Stopped(Before):
    tasks: tuple[Task, ...]
    to_drain: tuple[Instance, ...]
    draining: tuple[str, ...]  # all of the region, so that what an undo turns back is seen
    services: tuple[Service, ...]


bot = Bot(
    name="ecs_stop",
    acts_on="AWS::ECS::Cluster",
    target=entity("id"),
    params=Wish,
    before=Stopped,
    reads=(*_tasks.READS, *_task_hosts.READS),
    writes=(*_task_hosts.WRITES, *on(_tasks.TASKS, "ecs:StopTask")),
    risk=Risk.DISRUPTIVE,
    undo=Undo.nearest(
        "container instances take tasks again and services run as many as before, but stopped tasks do not start "
        "again",
        expects=lambda was: was.model_copy(update={"tasks": (), "to_drain": ()}),
    ),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Stopped]:
    roles = _tasks.role_names(target)
    where = await _tasks.clusters(aws)
    found = _tasks.kept(await _tasks.running(aws, where, roles, params.match))
    drained = await _task_hosts.draining(aws, where if params.drain else ())
    hosts = await _task_hosts.hosts_of(aws, found if params.drain else ())
    scaled = where if params.scale_services else ()
    services = await _task_hosts.services_under(aws, scaled, roles, params.match)
    starting = sum(service.desired for service in services)
    return Check(
        compliant=not found and not starting,
        before=Stopped(tasks=found, to_drain=tuple(hosts), draining=drained, services=services),
        why=f"{len(found)} running tasks are under {', '.join(roles)} in {aws.region}"
        + (f", and services are to run {starting}" if services else ""),
        notes=_task_hosts.notes(found, hosts, services),
        touches=_tasks.as_touched(roles),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Stopped) -> None:
    async with _task_hosts.none_added(aws, before.to_drain, before.services):
        wrong = await _tasks.stop(aws, before.tasks, f"stopped because of the rule {target.rule}"[:255])
        if wrong and len(wrong) == len(before.tasks):
            raise wrong[0]
    if wrong:
        raise wrong[0]


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Stopped) -> None:
    await _task_hosts.restore(aws, before.to_drain, before.services)
