"""Stop every ECS task that runs under the IAM role of a finding, and drain the instances they run on.

After: such tasks of the region are stopping or stopped: ECS is told to and finishes by itself. Their
container instances take no new tasks (unless drain=false). With scaleServices, services that start such
tasks are to run none.
Caution: draining moves all other services' tasks off the instances as well. Without scaleServices a service
starts its tasks anew on Fargate and wherever else there is room. Tasks no service runs do not come back.
Finding: ecs_stop
Finding: ecs_stop scaleServices
"""

import contextlib
from typing import Annotated

from pydantic import Field

from bots._aws import Aws, AwsError
from bots._bot import Before, Bot, CannotFix, Check, Params, Risk, Target, Undo, entity, on
from bots._task_hosts import (
    CLUSTERS,
    INSTANCES,
    SERVICES,
    Instance,
    Service,
    active,
    draining,
    notes,
    services_under,
    set_counts,
    set_state,
)
from bots._tasks import READS, TASKS, Match, Task, as_touched, clusters, kept, role_names, running, stop
from bots._words import Word


class Wish(Params):
    scale_services: Annotated[
        bool, Field(description="let services that start such tasks run none"), Word(flag="scaleServices")
    ] = False
    drain: Annotated[
        bool, Field(description="let the container instances take no new tasks"), Word(positional=False)
    ] = True
    match: Annotated[Match, Field(description="which role of a task is meant"), Word(positional=False)] = (
        "any"
    )


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
    reads=(
        *READS,
        "ecs:ListServices",
        *on(CLUSTERS, "ecs:ListContainerInstances"),
        *on(INSTANCES, "ecs:DescribeContainerInstances"),
        *on(SERVICES, "ecs:DescribeServices"),
    ),
    writes=(
        *on(INSTANCES, "ecs:UpdateContainerInstancesState"),
        *on(SERVICES, "ecs:UpdateService"),
        *on(TASKS, "ecs:StopTask"),
    ),
    risk=Risk.DISRUPTIVE,
    undo=Undo.nearest(
        "container instances take tasks again and services run as many as before, but stopped tasks do not start "
        "again",
        expects=lambda was: was.model_copy(update={"tasks": (), "to_drain": ()}),
    ),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Stopped]:
    roles = role_names(target)
    where = await clusters(aws)
    found = kept(await running(aws, where, roles, params.match))
    drained = await draining(aws, where) if params.drain else ()
    services = await services_under(aws, where, roles, params.match) if params.scale_services else ()
    hosts = {Instance(cluster=task.cluster, arn=task.instance) for task in found if task.instance}
    counts = await active(aws, hosts) if params.drain else {}
    before = Stopped(
        tasks=found,
        to_drain=tuple(sorted(counts, key=lambda each: each.arn)),
        draining=drained,
        services=services,
    )
    on = sum(service.desired for service in services)
    return Check(
        compliant=not found and not on,
        before=before,
        why=f"{len(found)} running tasks are under {', '.join(roles)} in {aws.region}"
        + (f", and services are to run {on}" if services else ""),
        notes=notes(found, counts, services),
        touches=as_touched(roles),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Stopped) -> None:
    wrong: list[AwsError] = []
    try:
        # First whatever would start tasks anew.
        await set_state(aws, before.to_drain, "DRAINING")
        await set_counts(aws, [each.model_copy(update={"desired": 0}) for each in before.services])
        wrong = await stop(aws, before.tasks, f"stopped because of the rule {target.rule}"[:255])
        if wrong and len(wrong) == len(before.tasks):
            raise wrong[0]
    except (AwsError, CannotFix):
        with contextlib.suppress(AwsError, CannotFix):
            await _restore(aws, before)
        raise
    for each in wrong:
        raise each


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Stopped) -> None:
    await _restore(aws, before)


async def _restore(aws: Aws, before: Stopped) -> None:
    try:
        await set_state(aws, before.to_drain, "ACTIVE")
    finally:
        await set_counts(aws, before.services)
