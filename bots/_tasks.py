"""ECS tasks that run under the IAM roles of a finding: find them, tell of them, stop them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from bots._aws import Aws, AwsError, together
from bots._bot import Before, CannotFix, Target, on
from bots._words import Word

TASKS = ("arn:{partition}:ecs:*:{account}:task/*",)
READS = ("ecs:ListClusters", "ecs:ListTasks", *on(TASKS, "ecs:DescribeTasks"), "ecs:DescribeTaskDefinition")
SERVICE = "service:"  # how the group of a task begins that a service runs
Match = Literal["execution", "task", "any"]
MatchWord = Annotated[Match, Field(description="which role of a task is meant"), Word(positional=False)]
"""A parameter of bots that look for tasks by their role."""

_KEYS = {"execution": ("executionRoleArn",), "task": ("taskRoleArn",)}
_MOST_TASKS = 100  # in one DescribeTasks
_MOST_NOTES = 10
_ROLE = re.compile(r"arn:[a-z-]+:iam::(?P<account>[0-9]{12}):role/([\w+=,.@/-]*/)?(?P<name>[\w+=,.@-]+)")


class Task(Before):
    """A running task, with what it takes to run it anew. ``instance``, the container instance, is "" on Fargate."""

    arn: str
    cluster: str
    definition: str
    group: str
    started_by: str
    launch_type: str
    capacity_provider: str
    instance: str
    subnets: tuple[str, ...]
    overrides: dict[str, Any]


def role_names(target: Target) -> tuple[str, ...]:
    """Names of the roles a finding names by their ARNs, one or several with commas between.

    Raises:
        CannotFix: it names none, or one of another account.
    """
    # Names of roles may hold commas, so only one before an ARN parts two of them.
    found = [_ROLE.fullmatch(part.strip()) for part in re.split(r",(?=\s*arn:)", target.id)]
    roles = [match for match in found if match]
    if not roles:
        raise CannotFix(f"{target.id[:80]!r} is not the ARN of an IAM role")
    for role in roles:
        if role["account"] != target.account_id:
            raise CannotFix(
                f"role {role[0]} belongs to account {role['account']}, not to {target.account_id}"
            )
    return tuple(dict.fromkeys(role["name"] for role in roles))


def as_touched(roles: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """For `Check.touches`: who runs under the hub's own role must not be stopped."""
    return tuple(("AWS::IAM::Role", role) for role in roles)


async def clusters(aws: Aws) -> list[str]:
    """ARNs of all clusters of the region."""
    return [arn async for arn in aws.pages("ecs", "ListClusters", items="clusterArns")]


async def running(aws: Aws, where: Sequence[str], roles: Sequence[str], match: Match) -> list[dict[str, Any]]:
    """Tasks of the clusters that shall be running and do so under one of the roles.

    A task has the roles of its definition, unless it was started with others.
    """
    found = await _tasks(aws, where, "RUNNING")
    definitions = await definitions_of(aws, {task["taskDefinitionArn"] for task in found})
    return [
        task
        for task in found
        if names_role(definitions[task["taskDefinitionArn"]] | (task.get("overrides") or {}), roles, match)
    ]


async def stopped(aws: Aws, where: Sequence[str]) -> list[dict[str, Any]]:
    """Tasks of the clusters that shall not be running any more. ECS forgets them about an hour later."""
    return await _tasks(aws, where, "STOPPED")


async def _tasks(aws: Aws, where: Sequence[str], desired: str) -> list[dict[str, Any]]:
    found = await together(*(_tasks_in(aws, cluster, desired) for cluster in where))
    return [task for several in found for task in several]


async def _tasks_in(aws: Aws, cluster: str, desired: str) -> list[dict[str, Any]]:
    listed = aws.pages("ecs", "ListTasks", items="taskArns", cluster=cluster, desiredStatus=desired)
    arns = [arn async for arn in listed]
    answers = await together(
        *(
            aws.call("ecs", "DescribeTasks", cluster=cluster, tasks=batch)
            for batch in in_batches(arns, _MOST_TASKS)
        )
    )
    # A task can have been stopped between the two calls.
    return [task for each in answers for task in each["tasks"] if task["desiredStatus"] == desired]


async def definitions_of(aws: Aws, arns: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Task definitions by their ARNs, each read once, deregistered ones too."""
    wanted = sorted(arns)
    answers = await together(
        *(aws.call("ecs", "DescribeTaskDefinition", taskDefinition=arn) for arn in wanted)
    )
    return {arn: each["taskDefinition"] for arn, each in zip(wanted, answers, strict=True)}


def names_role(found: dict[str, Any], roles: Sequence[str], match: Match) -> bool:
    """Whether a definition has one of the roles, by ARN or by name. A name is unique in an account."""
    keys = _KEYS.get(match) or (*_KEYS["execution"], *_KEYS["task"])
    return any(str(found.get(key, "")).rsplit("/", 1)[-1] in roles for key in keys)


def kept(found: Iterable[dict[str, Any]]) -> tuple[Task, ...]:
    """The tasks as a snapshot keeps them."""
    return tuple(sorted((_kept(task) for task in found), key=lambda task: task.arn))


def _kept(task: dict[str, Any]) -> Task:
    details = [each for attached in task.get("attachments", ()) for each in attached.get("details", ())]
    return Task(
        arn=task["taskArn"],
        cluster=task["clusterArn"],
        definition=task["taskDefinitionArn"],
        group=task.get("group", ""),
        started_by=task.get("startedBy", ""),
        launch_type=task.get("launchType", ""),
        capacity_provider=task.get("capacityProviderName", ""),
        instance=task.get("containerInstanceArn", ""),
        subnets=tuple(sorted(each["value"] for each in details if each.get("name") == "subnetId")),
        overrides=task.get("overrides") or {},
    )


async def stop(aws: Aws, wanted: Sequence[Task], reason: str) -> list[AwsError]:
    """Stop them all, whatever becomes of one; the errors. One that has ended by itself is none."""
    ended = await asyncio.gather(
        *(
            aws.find(
                "ecs",
                "StopTask",
                absent=("InvalidParameterException",),
                cluster=task.cluster,
                task=task.arn,
                reason=reason,
            )
            for task in wanted
        ),
        return_exceptions=True,
    )
    wrong = [each for each in ended if isinstance(each, BaseException)]
    for each in wrong:
        if not isinstance(each, AwsError):
            raise each
    return [each for each in wrong if isinstance(each, AwsError)]


def first_stop(found: Iterable[dict[str, Any]], mark: str) -> datetime | None:
    """When the first of the tasks was stopped whose reason holds the mark."""
    times = [
        task["stoppingAt"]
        for task in found
        if mark in task.get("stoppedReason", "") and task.get("stoppingAt")
    ]
    return min(times, default=None)


def stop_notes(found: Iterable[Task], comes_back: Callable[[Task], str]) -> tuple[str, ...]:
    """What becomes of the tasks once they are stopped, said once for each service and not too often."""
    said = dict.fromkeys(
        f"{task.group.replace(':', ' ')} of {task.cluster} {comes_back(task)}"
        if task.group.startswith(SERVICE)
        else f"task {task.arn} belongs to no service and does not come back"
        for task in found
    )
    notes = tuple(said)
    more = len(notes) - _MOST_NOTES
    return (*notes[:_MOST_NOTES], f"and {more} more such notes") if more > 0 else notes


def in_batches(found: Sequence[str], size: int) -> Iterator[list[str]]:
    for start in range(0, len(found), size):
        yield list(found[start : start + size])
