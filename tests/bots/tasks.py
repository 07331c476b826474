"""ECS tasks for the tests of the bots that stop them."""

from __future__ import annotations

from typing import Any

from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin

ROLE = "admin,of+all"  # commas are legal in names of roles


def role(admin: Admin, name: str = ROLE) -> str:
    return f"arn:aws:iam::{admin.account_id}:role/apps/{name}"


def finding(admin: Admin, *words: str, **notes: Any) -> Planted:
    return Planted(entity={"id": role(admin), "name": ROLE, "type": "Role"}, words=words, notes=notes)


def nobody(admin: Admin) -> Planted:
    """A finding about a role under which nothing runs."""
    return Planted(entity={"id": role(admin, "unused"), "name": "unused"})


def define(admin: Admin, family: str, *, task: str = "", execution: str = "") -> str:
    """A task definition with roles by their ARNs."""
    roles = {"taskRoleArn": task, "executionRoleArn": execution}
    made = admin.client("ecs").register_task_definition(
        family=family,
        containerDefinitions=[{"name": "app", "image": "app", "memory": 16}],
        **{key: value for key, value in roles.items() if value},
    )
    return str(made["taskDefinition"]["taskDefinitionArn"])


def cluster(admin: Admin, name: str = "web") -> str:
    return str(admin.client("ecs").create_cluster(clusterName=name)["cluster"]["clusterArn"])


def run(admin: Admin, definition: str, *, where: str = "web", kind: str = "FARGATE", **more: Any) -> str:
    """One running task by its ARN."""
    made = admin.client("ecs").run_task(cluster=where, taskDefinition=definition, launchType=kind, **more)
    return str(made["tasks"][0]["taskArn"])


def running(admin: Admin, where: str = "web") -> list[str]:
    return sorted(admin.client("ecs").list_tasks(cluster=where, desiredStatus="RUNNING")["taskArns"])


def service(admin: Admin, name: str, definition: str, *, desired: int = 1, **more: Any) -> str:
    made = admin.client("ecs").create_service(
        cluster="web", serviceName=name, taskDefinition=definition, desiredCount=desired, **more
    )
    return str(made["service"]["serviceArn"])


def observe(admin: Admin, planted: Planted) -> Any:
    """Every task, service and container instance of every cluster."""
    ecs, found = admin.client("ecs"), {}
    for where in sorted(ecs.list_clusters()["clusterArns"]):
        tasks = ecs.list_tasks(cluster=where, desiredStatus="RUNNING")["taskArns"]
        services = ecs.list_services(cluster=where)["serviceArns"]
        hosts = ecs.list_container_instances(cluster=where)["containerInstanceArns"]
        found[where] = {
            "tasks": sorted(tasks),
            "services": [
                [each["serviceArn"], each["desiredCount"], each["taskDefinition"]]
                for each in (
                    ecs.describe_services(cluster=where, services=services)["services"] if services else ()
                )
            ],
            "hosts": [
                [each["containerInstanceArn"], each["status"]]
                for each in (
                    ecs.describe_container_instances(cluster=where, containerInstances=hosts)[
                        "containerInstances"
                    ]
                    if hosts
                    else ()
                )
            ],
        }
    return found
