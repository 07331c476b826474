"""ECS."""

from __future__ import annotations

import json
import time
from typing import Any

from moto.ecs.models import ecs_backends

from tests.fake_aws.wire import Answer, Call, refusal, with_body

# The most one call takes, per operation and parameter.
_LIMITS = {
    "DescribeTasks": ("tasks", 100),
    "DescribeContainerInstances": ("containerInstances", 100),
    "UpdateContainerInstancesState": ("containerInstances", 10),
    "DescribeServices": ("services", 10),
}
_PAGES = {"ListClusters": "clusterArns", "ListTasks": "taskArns", "ListServices": "serviceArns"}
PAGE = 100
_SERVICE_PAGE = 10


def inside(account_id: str, region: str = "us-east-1") -> Any:
    """moto's own ECS. A test names container instances in ``undrainable`` that AWS would not set to drain."""
    return ecs_backends[account_id][region]


def before(call: Call) -> Answer | None:
    """moto takes lists of any length."""
    parameter, most = _LIMITS.get(call.operation, ("", 0))
    if len(call.params.get(parameter, ())) > most:
        text = f"{parameter} can have at most {most} items."
        return refusal(call, "InvalidParameterException", text, status=400)
    return None


def after(call: Call, answer: Answer) -> Answer:
    backend, found = inside(call.account_id, call.region), json.loads(answer.body)
    match call.operation:
        case "RunTask":
            _note(backend, found["tasks"], "created_at")
        case "StopTask":
            _note(backend, [found["task"]], "stopping_at")
            _replace(call, backend, found["task"])
        case "DescribeTasks":
            for task in found["tasks"]:
                _tell_times(backend, task)
        case "UpdateContainerInstancesState":
            _refuse_some(backend, call, found)
        case "ListClusters" | "ListTasks" | "ListServices":
            _page(call, found)
        case _:
            return answer
    return with_body(answer, found)


def _task(backend: Any, arn: str) -> Any:
    return next(task for many in backend.tasks.values() for task in many.values() if task.task_arn == arn)


def _note(backend: Any, found: list[dict[str, Any]], what: str) -> None:
    for task in found:
        setattr(_task(backend, task["taskArn"]), what, time.time())


def _tell_times(backend: Any, task: dict[str, Any]) -> None:
    """moto does not say when a task was made and when it was told to stop."""
    known = _task(backend, task["taskArn"])
    for key, attribute in (("createdAt", "created_at"), ("stoppingAt", "stopping_at")):
        if hasattr(known, attribute):
            task[key] = getattr(known, attribute)


def _replace(call: Call, backend: Any, task: dict[str, Any]) -> None:
    """A service starts a task for one that was stopped, if it is to run any and there is room. moto's do not."""
    group, cluster = task.get("group", ""), task["clusterArn"].rsplit("/", 1)[-1]
    service = backend.services.get(f"{cluster}:{group.partition(':')[2]}")
    if not group.startswith("service:") or service is None or not service.desired_count:
        return
    made = backend.run_task(
        cluster_str=cluster,
        task_definition_str=task["taskDefinitionArn"],
        count=1,
        overrides=None,
        started_by="",
        tags=None,
        launch_type=task.get("launchType") or None,
        group=group,
    )
    for each in made:
        each.created_at = time.time()


def _refuse_some(backend: Any, call: Call, found: dict[str, Any]) -> None:
    """AWS names what it refuses among the failures of a success."""
    refused = set(getattr(backend, "undrainable", ())) & set(call.params["containerInstances"])
    for arn in refused:
        found["failures"].append({"arn": arn, "reason": "INACTIVE"})


def _page(call: Call, found: dict[str, Any]) -> None:
    """moto answers with everything at once, and with tasks of clusters whose name only begins like the asked one."""
    items = _PAGES[call.operation]
    if call.operation == "ListTasks":
        cluster = str(call.params.get("cluster", "default")).rsplit("/", 1)[-1]
        found[items] = [arn for arn in found[items] if f"/{cluster}/" in arn]
    page = _SERVICE_PAGE if call.operation == "ListServices" else PAGE
    everything, start = found[items], int(call.params.get("nextToken") or 0)
    found[items] = everything[start : start + page]
    found.pop("nextToken", None)
    if start + page < len(everything):
        found["nextToken"] = str(start + page)
