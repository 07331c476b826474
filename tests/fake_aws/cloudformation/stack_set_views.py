"""What can be seen of StackSets: the sets, their instances, their operations. Looking lets time pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.fake_aws.cloudformation.answers import Refused, page
from tests.fake_aws.cloudformation.operations import Operation, running, step
from tests.fake_aws.cloudformation.stack_sets import Instance, StackSet, home, named, sets_of
from tests.fake_aws.wire import Call


def _parameters(values: dict[str, str]) -> list[dict[str, str]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


def _time_passes(call: Call, stack_set: StackSet) -> None:
    """One step for each look, not for each page of it."""
    if not call.params.get("NextToken") and (operation := running(stack_set)) is not None:
        step(stack_set, operation)


def describe_stack_set(call: Call) -> dict[str, Any]:
    stack_set = named(call)
    found = {
        **_summary(stack_set),
        "TemplateBody": stack_set.template,
        "Parameters": _parameters(stack_set.parameters),
        "Capabilities": stack_set.capabilities,
        "Tags": [{"Key": name, "Value": value} for name, value in stack_set.tags.items()],
        "StackSetARN": stack_set.arn,
        "OrganizationalUnitIds": sorted(
            {*stack_set.units, *(each.unit for each in stack_set.instances.values() if each.unit)}
        ),
        "Regions": sorted({region for _, region in stack_set.instances}),
    }
    if not stack_set.service_managed:
        found["AdministrationRoleARN"] = stack_set.administration_role_arn
        found["ExecutionRoleName"] = stack_set.execution_role_name
    return {"StackSet": found}


def _summary(stack_set: StackSet) -> dict[str, Any]:
    found: dict[str, Any] = {
        "StackSetName": stack_set.name,
        "StackSetId": stack_set.id,
        "Description": stack_set.description,
        "Status": stack_set.status,
        "PermissionModel": stack_set.permission_model,
        "ManagedExecution": {"Active": False},
    }
    if stack_set.service_managed:
        automatic = stack_set.auto_deployment
        found["AutoDeployment"] = automatic if automatic["Enabled"] else {"Enabled": False}
    return found


def list_stack_sets(call: Call) -> dict[str, Any]:
    account, wanted = home(call), call.params.get("Status")
    found = [
        _summary(each)
        for each in sets_of(account, call.region).values()
        if wanted in (None, each.status) and (each.service_managed or account == call.account_id)
    ]
    return page(call, "Summaries", found)


# --- instances


def list_stack_instances(call: Call) -> dict[str, Any]:
    stack_set, params = named(call), call.params
    _time_passes(call, stack_set)
    found = [
        _instance(stack_set, each)
        for (account, region), each in sorted(stack_set.instances.items())
        if params.get("StackInstanceAccount") in (None, account)
        and params.get("StackInstanceRegion") in (None, region)
        and all(_passes(each, filter_) for filter_ in params.get("Filters") or [])
    ]
    return page(call, "Summaries", found)


def _passes(instance: Instance, wanted: dict[str, str]) -> bool:
    values = wanted["Values"].split(",")
    match wanted["Name"]:
        case "DETAILED_STATUS":
            return instance.detail in values
        case "LAST_OPERATION_ID":
            return instance.operation_id in values
        case _:
            return True


def _instance(stack_set: StackSet, instance: Instance) -> dict[str, Any]:
    found = {
        "StackSetId": stack_set.id,
        "Account": instance.account_id,
        "Region": instance.region,
        "StackId": instance.stack_id,
        "Status": instance.status,
        "StatusReason": instance.reason,
        "StackInstanceStatus": {"DetailedStatus": instance.detail},
        "OrganizationalUnitId": instance.unit,
        "DriftStatus": "NOT_CHECKED",
        "LastOperationId": instance.operation_id,
    }
    return {key: value for key, value in found.items() if value}


def describe_stack_instance(call: Call) -> dict[str, Any]:
    stack_set, params = named(call), call.params
    instance = stack_set.instances.get((params["StackInstanceAccount"], params["StackInstanceRegion"]))
    if instance is None:
        text = f"Stack instance not found for account {params['StackInstanceAccount']}"
        raise Refused(text, "StackInstanceNotFoundException", 404)
    return {
        "StackInstance": {
            **_instance(stack_set, instance),
            "ParameterOverrides": _parameters(instance.overrides),
        }
    }


# --- operations


def _named_operation(call: Call, stack_set: StackSet) -> Operation:
    wanted = call.params["OperationId"]
    for each in stack_set.operations:
        if each.id == wanted:
            return each
    raise Refused(f"Operation {wanted} not found", "OperationNotFoundException", 404)


def _operation(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        "OperationId": operation.id,
        "Action": operation.action,
        "Status": operation.status,
        "CreationTimestamp": operation.created_at,
        "OperationPreferences": dict(operation.preferences),
        "StatusDetails": {"FailedStackInstancesCount": len(operation.of("FAILED"))},
    }
    if operation.ended_at:
        found["EndTimestamp"] = operation.ended_at
    if operation.reason:
        found["StatusReason"] = operation.reason
    return found


def describe_stack_set_operation(call: Call) -> dict[str, Any]:
    stack_set = named(call)
    operation = _named_operation(call, stack_set)
    if operation.going_on:
        step(stack_set, operation)
    found = {**_operation(operation), "StackSetId": stack_set.id}
    if operation.retain is not None:
        found["RetainStacks"] = operation.retain
    if targets := operation.request.get("DeploymentTargets"):
        found["DeploymentTargets"] = targets
    if not stack_set.service_managed:
        found["AdministrationRoleARN"] = stack_set.administration_role_arn
        found["ExecutionRoleName"] = stack_set.execution_role_name
    return {"StackSetOperation": found}


def list_stack_set_operations(call: Call) -> dict[str, Any]:
    stack_set = named(call)
    _time_passes(call, stack_set)
    return page(call, "Summaries", [_operation(each) for each in reversed(stack_set.operations)])


def list_stack_set_operation_results(call: Call) -> dict[str, Any]:
    results = _named_operation(call, named(call)).results
    found = []
    for each in results:
        item: dict[str, Any] = {"Account": each.account_id, "Region": each.region, "Status": each.status}
        if each.reason:
            item["StatusReason"] = each.reason
        if each.unit:
            item["OrganizationalUnitId"] = each.unit
        if each.status in ("SUCCEEDED", "FAILED"):
            item["AccountGateResult"] = {"Status": "SKIPPED"}
        if all(each.status in f["Values"] for f in call.params.get("Filters") or []):
            found.append(item)
    return page(call, "Summaries", found)


def list_stack_set_auto_deployment_targets(call: Call) -> dict[str, Any]:
    found = [
        {"OrganizationalUnitId": unit, "Regions": sorted(regions)}
        for unit, regions in sorted(named(call).units.items())
    ]
    return page(call, "Summaries", found)


CALLS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "DescribeStackInstance": describe_stack_instance,
    "DescribeStackSet": describe_stack_set,
    "DescribeStackSetOperation": describe_stack_set_operation,
    "ListStackInstances": list_stack_instances,
    "ListStackSetAutoDeploymentTargets": list_stack_set_auto_deployment_targets,
    "ListStackSetOperationResults": list_stack_set_operation_results,
    "ListStackSetOperations": list_stack_set_operations,
    "ListStackSets": list_stack_sets,
}
