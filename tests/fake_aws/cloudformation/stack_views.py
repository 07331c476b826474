"""What can be seen of stacks' resources and of templates, where moto makes it up."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tests.fake_aws.cloudformation import templates
from tests.fake_aws.cloudformation.answers import Refused, page
from tests.fake_aws.cloudformation.stack_calls import template_text, the_stack
from tests.fake_aws.wire import Call


def _resources(stack: Any) -> Iterator[dict[str, Any]]:
    """As the last event about each tells."""
    last = {each.logical_resource_id: each for each in stack.events if each.logical_resource_id != stack.name}
    for each in last.values():
        found = {
            "StackName": stack.name,
            "StackId": stack.stack_id,
            "LogicalResourceId": each.logical_resource_id,
            "PhysicalResourceId": each.physical_resource_id,
            "ResourceType": each.resource_type,
            "ResourceStatus": each.resource_status,
            "Timestamp": each.timestamp,
            "LastUpdatedTimestamp": each.timestamp,
            "DriftInformation": {"StackResourceDriftStatus": "NOT_CHECKED"},
        }
        if each.resource_status_reason:
            found["ResourceStatusReason"] = each.resource_status_reason
        # What is gone is seen only of a stack that is gone, too.
        if each.resource_status != "DELETE_COMPLETE" or stack.status == "DELETE_COMPLETE":
            yield found


def list_stack_resources(call: Call) -> dict[str, Any]:
    return page(call, "StackResourceSummaries", list(_resources(the_stack(call))))


def describe_stack_resources(call: Call) -> dict[str, Any]:
    wanted = call.params.get("LogicalResourceId")
    found = _resources(the_stack(call))
    return {"StackResources": [each for each in found if wanted in (None, each["LogicalResourceId"])]}


def describe_stack_resource(call: Call) -> dict[str, Any]:
    wanted = call.params["LogicalResourceId"]
    for each in _resources(the_stack(call)):
        if each["LogicalResourceId"] == wanted:
            return {"StackResourceDetail": each}
    raise Refused(f"Resource {wanted} does not exist for stack {call.params['StackName']}")


def _about(template: templates.Document) -> dict[str, Any]:
    try:
        templates.check_capabilities(template, [])
    except Refused as error:
        needed = error.message.split("[", 1)[-1].rstrip("]")
        of_iam = sorted(
            {each["Type"] for each in template["Resources"].values() if each["Type"].startswith("AWS::IAM::")}
        )
        reason = f"The following resource(s) require capabilities: [{', '.join(of_iam)}]"
        return {"Capabilities": [needed], "CapabilitiesReason": reason}
    return {}


def validate_template(call: Call) -> dict[str, Any]:
    template = templates.read(template_text(call))
    templates.in_order(template)
    parameters = [
        {
            "ParameterKey": name,
            "NoEcho": bool(each.get("NoEcho")),
            "Description": each.get("Description", ""),
            **({"DefaultValue": templates.as_text(each["Default"])} if "Default" in each else {}),
        }
        for name, each in (template.get("Parameters") or {}).items()
    ]
    return {
        "Description": template.get("Description", ""),
        "Parameters": parameters,
        **_about(template),
    }


def get_template_summary(call: Call) -> dict[str, Any]:
    text = the_stack(call).template if call.params.get("StackName") else template_text(call)
    template = templates.read(text)
    parameters = []
    for name, each in (template.get("Parameters") or {}).items():
        found: dict[str, Any] = {
            "ParameterKey": name,
            "ParameterType": each.get("Type", "String"),
            "NoEcho": bool(each.get("NoEcho")),
            "Description": each.get("Description", ""),
        }
        if "Default" in each:
            found["DefaultValue"] = templates.as_text(each["Default"])
        if allowed := each.get("AllowedValues"):
            values = [templates.as_text(value) for value in allowed]
            found["ParameterConstraints"] = {"AllowedValues": values}
        parameters.append(found)
    return {
        "Description": template.get("Description", ""),
        "Parameters": parameters,
        "ResourceTypes": sorted({each["Type"] for each in template["Resources"].values()}),
        "Version": str(template.get("AWSTemplateFormatVersion", "")),
        **_about(template),
    }


CALLS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "DescribeStackResource": describe_stack_resource,
    "DescribeStackResources": describe_stack_resources,
    "GetTemplateSummary": get_template_summary,
    "ListStackResources": list_stack_resources,
    "ValidateTemplate": validate_template,
}
