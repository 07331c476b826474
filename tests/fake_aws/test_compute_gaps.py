"""Lambda, SQS and ECS of the fake AWS refuse what AWS refuses and moto alone would take."""

from __future__ import annotations

import json

import pytest

from tests.bots.functions import NAME, moto_function, plant
from tests.bots.queues import arn, url
from tests.bots.queues import plant as queue
from tests.fake_aws.admin import Admin, code


def test_a_function_takes_one_update_at_a_time_and_only_of_the_revision_it_is_meant_for(admin: Admin) -> None:
    planted, client = plant(admin), admin.client("lambda")
    update, function = client.update_function_configuration, moto_function(admin, planted)
    first = client.get_function_configuration(FunctionName=NAME)["RevisionId"]
    assert code(update, FunctionName=NAME, MemorySize=256, RevisionId=first) is None
    assert code(update, FunctionName=NAME, MemorySize=512, RevisionId=first) == "PreconditionFailedException"
    function.update_status = "InProgress"
    assert code(update, FunctionName=NAME, MemorySize=512) == "ResourceConflictException"
    assert function.memory_size == 256


def test_no_concurrency_is_reserved_below_what_is_provisioned_and_tags_are_counted(admin: Admin) -> None:
    planted, client = plant(admin), admin.client("lambda")
    moto_function(admin, planted).provisioned = ("live",)
    reserve = {"FunctionName": NAME, "ReservedConcurrentExecutions": 0}
    assert code(client.put_function_concurrency, **reserve) == "InvalidParameterValueException"
    tags = {f"key-{number}": "" for number in range(51)}
    refused = code(client.tag_resource, Resource=planted.entity["id"], Tags=tags)
    assert refused == "InvalidParameterValueException"


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("never-made", None),
        ("dead.fifo", {"FifoQueue": "true"}),
        ("dead", {"RedriveAllowPolicy": '{"redrivePermission": "denyAll"}'}),
    ],
    ids=["missing", "another kind", "closed"],
)
def test_dead_letters_go_only_where_aws_would_let_them(
    admin: Admin, name: str, made: dict[str, str] | None
) -> None:
    queue(admin)
    if made is not None:
        queue(admin, name=name, **made)
    policy = json.dumps({"deadLetterTargetArn": arn(admin, name), "maxReceiveCount": 3})
    change = {"QueueUrl": url(admin), "Attributes": {"RedrivePolicy": policy}}
    assert code(admin.client("sqs").set_queue_attributes, **change) == "InvalidParameterValue"


def test_lists_longer_than_ecs_takes_are_refused(admin: Admin) -> None:
    named = {"cluster": "web", "services": [f"service-{number}" for number in range(11)]}
    assert code(admin.client("ecs").describe_services, **named) == "InvalidParameterException"
