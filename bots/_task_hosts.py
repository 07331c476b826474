"""What keeps ECS tasks running: the container instances they are on and the services that run them."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import groupby
from typing import Any, Literal

from bots._aws import Aws, AwsError, together
from bots._bot import Before, CannotFix, on
from bots._tasks import Match, Task, definitions_of, in_batches, names_role, stop_notes

INSTANCES = ("arn:{partition}:ecs:*:{account}:container-instance/*",)
SERVICES = ("arn:{partition}:ecs:*:{account}:service/*",)
CLUSTERS = ("arn:{partition}:ecs:*:{account}:cluster/*",)
READS = (
    "ecs:ListServices",
    *on(CLUSTERS, "ecs:ListContainerInstances"),
    *on(INSTANCES, "ecs:DescribeContainerInstances"),
    *on(SERVICES, "ecs:DescribeServices"),
)
WRITES = (*on(INSTANCES, "ecs:UpdateContainerInstancesState"), *on(SERVICES, "ecs:UpdateService"))

_MOST_DESCRIBED = 100
_MOST_CHANGED = 10
_MOST_SERVICES = 10


class Instance(Before):
    """A container instance in its cluster."""

    cluster: str
    arn: str


class Service(Before):
    """How many tasks a service is to run."""

    cluster: str
    arn: str
    desired: int


async def draining(aws: Aws, where: Sequence[str]) -> tuple[str, ...]:
    """ARNs of all container instances of the clusters that take no new tasks."""

    async def listed(cluster: str) -> list[str]:
        found = aws.pages(
            "ecs", "ListContainerInstances", items="containerInstanceArns", cluster=cluster, status="DRAINING"
        )
        return [arn async for arn in found]

    several = await together(*(listed(cluster) for cluster in where))
    return tuple(sorted(arn for arns in several for arn in arns))


async def hosts_of(aws: Aws, tasks: Iterable[Task]) -> dict[Instance, int]:
    """Container instances the tasks run on, by ARN, and how many run there.

    Only those that take tasks: the others cannot be set to drain.
    """
    wanted = {Instance(cluster=task.cluster, arn=task.instance) for task in tasks if task.instance}
    calls = [
        (cluster, aws.call("ecs", "DescribeContainerInstances", cluster=cluster, containerInstances=batch))
        for cluster, batch in _by_cluster(wanted, _MOST_DESCRIBED)
    ]
    answers = await together(*(call for _, call in calls))
    counts = {
        Instance(cluster=cluster, arn=found["containerInstanceArn"]): found.get("runningTasksCount", 0)
        for (cluster, _), answer in zip(calls, answers, strict=True)
        for found in answer["containerInstances"]
        if found["status"] == "ACTIVE"
    }
    return {host: counts[host] for host in sorted(counts, key=lambda each: each.arn)}


async def set_state(aws: Aws, wanted: Iterable[Instance], state: Literal["ACTIVE", "DRAINING"]) -> None:
    """
    Raises:
        CannotFix: ECS refuses it for some instance. One that is gone is no trouble: nothing runs there.
    """
    refused = []
    for cluster, batch in _by_cluster(wanted, _MOST_CHANGED):
        answer = await aws.call(
            "ecs", "UpdateContainerInstancesState", cluster=cluster, containerInstances=batch, status=state
        )
        refused += [each for each in answer.get("failures", ()) if each.get("reason") != "MISSING"]
    if refused:
        why = "; ".join(f"{each.get('arn')}: {each.get('reason')}" for each in refused)
        raise CannotFix(f"ECS does not set these container instances to {state}: {why}")


def _by_cluster(wanted: Iterable[Instance], size: int) -> list[tuple[str, list[str]]]:
    ordered = sorted(wanted, key=lambda each: (each.cluster, each.arn))
    return [
        (cluster, batch)
        for cluster, several in groupby(ordered, key=lambda each: each.cluster)
        for batch in in_batches([each.arn for each in several], size)
    ]


async def services_under(
    aws: Aws, where: Sequence[str], roles: Sequence[str], match: Match
) -> tuple[Service, ...]:
    """Services of the clusters that start tasks under one of the roles. Daemons have no count to set."""
    several = await together(*(_services_in(aws, cluster) for cluster in where))
    found = [each for each in (service for many in several for service in many) if _is_counted(each)]
    definitions = await definitions_of(aws, {arn for each in found for arn in _definitions_of(each)})
    return tuple(
        Service(cluster=each["clusterArn"], arn=each["serviceArn"], desired=each["desiredCount"])
        for each in sorted(found, key=lambda each: str(each["serviceArn"]))
        if any(names_role(definitions[arn], roles, match) for arn in _definitions_of(each))
    )


async def _services_in(aws: Aws, cluster: str) -> list[dict[str, Any]]:
    arns = [arn async for arn in aws.pages("ecs", "ListServices", items="serviceArns", cluster=cluster)]
    answers = await together(
        *(
            aws.call("ecs", "DescribeServices", cluster=cluster, services=batch)
            for batch in in_batches(arns, _MOST_SERVICES)
        )
    )
    return [service for each in answers for service in each["services"]]


def _is_counted(service: dict[str, Any]) -> bool:
    return service["status"] == "ACTIVE" and service.get("schedulingStrategy") != "DAEMON"


def _definitions_of(service: dict[str, Any]) -> set[str]:
    """Of the service itself, of its deployments under way and, where somebody else deploys, of its task sets."""
    owners = [service, *service.get("deployments", ()), *service.get("taskSets", ())]
    return {str(each["taskDefinition"]) for each in owners if each.get("taskDefinition")}


async def set_counts(aws: Aws, wanted: Iterable[Service]) -> None:
    """A service that is gone needs none."""
    for service in wanted:
        await aws.find(
            "ecs",
            "UpdateService",
            absent=("ServiceNotFoundException", "ServiceNotActiveException"),
            cluster=service.cluster,
            service=service.arn,
            desiredCount=service.desired,
        )


@contextlib.asynccontextmanager
async def none_added(aws: Aws, hosts: Sequence[Instance], services: Sequence[Service]) -> AsyncIterator[None]:
    """Let the hosts take no new tasks and the services run none; all back if that or what is done inside is refused."""
    try:
        await set_state(aws, hosts, "DRAINING")
        await set_counts(aws, [each.model_copy(update={"desired": 0}) for each in services])
        yield
    except (AwsError, CannotFix):
        with contextlib.suppress(AwsError, CannotFix):
            await restore(aws, hosts, services)
        raise


async def restore(aws: Aws, hosts: Iterable[Instance], services: Iterable[Service]) -> None:
    """Let the hosts take tasks again and the services run as many as they are to."""
    try:
        await set_state(aws, hosts, "ACTIVE")
    finally:
        await set_counts(aws, services)


def notes(found: Sequence[Task], hosts: dict[Instance, int], scaled: Sequence[Service]) -> tuple[str, ...]:
    """What a person should know before the tasks are stopped, their hosts drained and the services scaled."""

    def comes_back(task: Task) -> str:
        name = task.group.partition(":")[2]
        if any(each.cluster == task.cluster and each.arn.endswith(f"/{name}") for each in scaled):
            return "is to run none"
        where = "wherever there is room" if task.instance else "on Fargate"
        return f"starts its tasks anew {where}, unless scaleServices is written behind the bot's name"

    others = {
        host.arn: running - sum(task.instance == host.arn for task in found)
        for host, running in hosts.items()
    }
    return tuple(
        f"draining {arn} moves or ends {number} other tasks"
        for arn, number in sorted(others.items())
        if number > 0
    ) + stop_notes(found, comes_back)
