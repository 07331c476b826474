"""Resources there are, taken into a new stack as they are."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from moto.dynamodb.models import dynamodb_backends
from moto.sqs.models import sqs_backends

from tests.fake_aws.cloudformation import templates
from tests.fake_aws.cloudformation.answers import Refused
from tests.fake_aws.cloudformation.events import event, status
from tests.fake_aws.cloudformation.resources import Made, properties_of

Imported = Sequence[Mapping[str, Any]]


def check(template: templates.Document, imported: Imported) -> None:
    """
    Raises:
        Refused: the template says more than what is imported, or would not keep it.
    """
    names = {each["LogicalResourceId"] for each in imported}
    if template.get("Outputs"):
        raise Refused("As part of the import operation, you cannot modify or add [Outputs]")
    if others := sorted(set(template["Resources"]) - names):
        raise Refused(
            f"You have modified resources {others} in your template that are not being imported. "
            "Update, create or delete operations cannot be executed during import operations."
        )
    for name in sorted(names):
        if "DeletionPolicy" not in template["Resources"][name]:
            raise Refused(f"Resources [{name}] is missing DeletionPolicy attribute in template")


def changes(imported: Imported) -> list[dict[str, Any]]:
    """As DescribeChangeSet tells them."""
    return [
        {
            "Type": "Resource",
            "ResourceChange": {
                "Action": "Import",
                "LogicalResourceId": each["LogicalResourceId"],
                "ResourceType": each["ResourceType"],
                "Scope": [],
                "Details": [],
            },
        }
        for each in imported
    ]


def take_in(stack: Any, imported: Imported) -> None:
    """Let the stack, which has its template already, have them."""
    status(stack, "IMPORT_IN_PROGRESS", "User Initiated")
    for each in imported:
        name, kind = each["LogicalResourceId"], each["ResourceType"]
        declared = stack.template_dict["Resources"][name]
        resource = _found(stack, kind, each["ResourceIdentifier"])
        resource.cf_resource_type, resource.logical_resource_id = kind, name
        stack.resource_map._parsed_resources[name] = resource
        stack.made[name] = Made(name, kind, copy.deepcopy(declared), properties_of(stack, declared), resource)
        event(stack, name, stack.made[name].physical_id, kind, "IMPORT_COMPLETE")
    status(stack, "IMPORT_COMPLETE")


def _found(stack: Any, kind: str, identifier: Mapping[str, str]) -> Any:
    if kind == "AWS::DynamoDB::Table":
        tables = dynamodb_backends[stack.account_id][stack.region_name].tables
        return tables[identifier["TableName"]]
    assert kind == "AWS::SQS::Queue", f"{kind} cannot be imported here yet"
    queues = sqs_backends[stack.account_id][stack.region_name].queues
    return queues[identifier["QueueUrl"].rsplit("/", 1)[-1]]
