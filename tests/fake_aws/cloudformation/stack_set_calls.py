"""The calls about StackSets."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from moto.utilities.utils import get_partition

from tests.fake_aws.cloudformation import organization, templates
from tests.fake_aws.cloudformation.answers import Refused
from tests.fake_aws.cloudformation.operations import Operation, running, start, step
from tests.fake_aws.cloudformation.stack_calls import template_text
from tests.fake_aws.cloudformation.stack_instances import check_administration_role
from tests.fake_aws.cloudformation.stack_sets import (
    ADMINISTRATION,
    EXECUTION,
    StackSet,
    Targets,
    home,
    named,
    new_id,
    sets_of,
    targets_of,
)
from tests.fake_aws.wire import Call

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


def create_stack_set(call: Call) -> dict[str, Any]:
    params, name = call.params, call.params["StackSetName"]
    model = params.get("PermissionModel") or "SELF_MANAGED"
    if _NAME.fullmatch(name) is None:
        raise Refused(
            f"1 validation error detected: Value '{name}' at 'stackSetName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    account = organization.acting_for(call).management if model == "SERVICE_MANAGED" else home(call)
    if any(each.name == name and each.status == "ACTIVE" for each in sets_of(account, call.region).values()):
        raise Refused(f"The StackSet {name} already exists", "NameAlreadyExistsException", 409)
    if params.get("AutoDeployment") and model != "SERVICE_MANAGED":
        raise Refused("AutoDeployment is for StackSets with SERVICE_MANAGED permission model only")
    text = template_text(call)
    template = templates.read(text)
    templates.in_order(template)
    templates.check_capabilities(template, params.get("Capabilities") or [])
    made = StackSet(
        name=name,
        id=new_id(name),
        account_id=account,
        region=call.region,
        template=text,
        parameters=templates.parameters_of(template, params.get("Parameters") or [], {}),
        tags={tag["Key"]: tag["Value"] for tag in params.get("Tags") or []},
        capabilities=list(params.get("Capabilities") or []),
        description=params.get("Description") or template.get("Description") or "",
        permission_model=model,
        auto_deployment=_automatic(params.get("AutoDeployment") or {}),
        administration_role_arn=params.get("AdministrationRoleARN")
        or f"arn:{get_partition(call.region)}:iam::{account}:role/{ADMINISTRATION}",
        execution_role_name=params.get("ExecutionRoleName") or EXECUTION,
    )
    sets_of(account, call.region)[made.id] = made
    return {"StackSetId": made.id}


def _automatic(asked: Mapping[str, Any]) -> dict[str, bool]:
    return {
        "Enabled": asked.get("Enabled") in (True, "true"),
        "RetainStacksOnAccountRemoval": asked.get("RetainStacksOnAccountRemoval") in (True, "true"),
    }


def update_stack_set(call: Call) -> dict[str, Any]:
    params, stack_set = call.params, named(call)
    if found := _repeated(call, stack_set):
        return found
    _nothing_else(stack_set)
    text = template_text(call, previous=stack_set.template)
    template = templates.read(text)
    templates.in_order(template)
    templates.check_capabilities(template, params.get("Capabilities") or [])
    given = templates.parameters_of(template, params.get("Parameters") or [], stack_set.parameters)
    targets = _targets_of_update(stack_set, params)
    stack_set.template, stack_set.parameters = text, given
    stack_set.capabilities = list(params.get("Capabilities") or [])
    if "Description" in params:
        stack_set.description = params["Description"]
    if "Tags" in params:
        stack_set.tags = {tag["Key"]: tag["Value"] for tag in params["Tags"]}
    if "AutoDeployment" in params:
        stack_set.auto_deployment = _automatic(params["AutoDeployment"])
    stack_set.administration_role_arn = (
        params.get("AdministrationRoleARN") or stack_set.administration_role_arn
    )
    stack_set.execution_role_name = params.get("ExecutionRoleName") or stack_set.execution_role_name
    for instance in stack_set.instances.values():
        instance.status = "INOPERABLE" if instance.status == "INOPERABLE" else "OUTDATED"
    return _begin(call, stack_set, "UPDATE", targets)


def _targets_of_update(stack_set: StackSet, params: Mapping[str, Any]) -> Targets:
    if params.get("DeploymentTargets") or params.get("Accounts"):
        return targets_of(stack_set, params, "UPDATE")
    return Targets({each.account_id: each.unit for each in stack_set.instances.values()})


def create_stack_instances(call: Call) -> dict[str, Any]:
    params, stack_set = call.params, named(call)
    if found := _repeated(call, stack_set):
        return found
    _nothing_else(stack_set)
    targets = targets_of(stack_set, params, "CREATE")
    if not stack_set.service_managed:
        check_administration_role(stack_set)
    if not targets.only_some:
        for unit in targets.units:
            stack_set.units.setdefault(unit, set()).update(params["Regions"])
    return _begin(call, stack_set, "CREATE", targets)


def update_stack_instances(call: Call) -> dict[str, Any]:
    stack_set = named(call)
    if found := _repeated(call, stack_set):
        return found
    _nothing_else(stack_set)
    return _begin(call, stack_set, "UPDATE", targets_of(stack_set, call.params, "UPDATE"))


def delete_stack_instances(call: Call) -> dict[str, Any]:
    params, stack_set = call.params, named(call)
    if found := _repeated(call, stack_set):
        return found
    _nothing_else(stack_set)
    targets = targets_of(stack_set, params, "DELETE")
    if not targets.only_some:
        for unit in targets.units:
            left = stack_set.units.get(unit, set()) - set(params["Regions"])
            stack_set.units.pop(unit, None)
            if left:
                stack_set.units[unit] = left
    return _begin(call, stack_set, "DELETE", targets)


def _repeated(call: Call, stack_set: StackSet) -> dict[str, Any] | None:
    """The operation this very call has begun before."""
    wanted = call.params.get("OperationId")
    for each in stack_set.operations:
        if wanted and each.id == wanted:
            if each.request == dict(call.params):
                return {"OperationId": each.id}
            text = f"Operation with id {wanted} already exists"
            raise Refused(text, "OperationIdAlreadyExistsException", 409)
    return None


def _nothing_else(stack_set: StackSet) -> None:
    if (operation := running(stack_set)) is not None:
        step(stack_set, operation)
        text = f"Another Operation on StackSet {stack_set.arn} is in progress: {operation.id}"
        raise Refused(text, "OperationInProgressException", 409)


def _begin(call: Call, stack_set: StackSet, action: str, targets: Targets) -> dict[str, Any]:
    params = call.params
    regions = params.get("Regions") or sorted({region for _, region in stack_set.instances})
    preferences = params.get("OperationPreferences") or {}
    order = [*(preferences.get("RegionOrder") or []), *regions]
    places = list(targets.places(list(dict.fromkeys(each for each in order if each in regions))))
    if action != "CREATE":
        missing = [each for each in places if each not in stack_set.instances]
        if missing and not stack_set.service_managed and call.operation == "UpdateStackInstances":
            text = f"Stack instance not found for account {missing[0][0]} and region {missing[0][1]}"
            raise Refused(text, "StackInstanceNotFoundException", 404)
        places = [each for each in places if each in stack_set.instances]
    if action == "UPDATE":
        places = [each for each in places if stack_set.instances[each].status != "INOPERABLE"]
    operation = Operation(
        id=params.get("OperationId") or str(uuid.uuid4()),
        action=action,
        preferences=preferences,
        results=[],
        request=dict(params),
        retain=params.get("RetainStacks") in (True, "true") if action == "DELETE" else None,
    )
    start(stack_set, operation, targets, places)
    if params.get("ParameterOverrides") is not None:
        for place in places:
            instance = stack_set.instances[place]
            instance.overrides = {
                each["ParameterKey"]: each["ParameterValue"]
                if "ParameterValue" in each
                else instance.overrides[each["ParameterKey"]]
                for each in params["ParameterOverrides"]
            }
    return {"OperationId": operation.id}


def stop(call: Call) -> dict[str, Any]:
    stack_set = named(call)
    found = next((each for each in stack_set.operations if each.id == call.params["OperationId"]), None)
    if found is None:
        raise Refused(f"Operation {call.params['OperationId']} not found", "OperationNotFoundException", 404)
    if not found.going_on:
        text = f"Operation {found.id} cannot be stopped because it is {found.status}"
        raise Refused(text, "InvalidOperationException")
    found.status = "STOPPING"
    return {}


def delete_stack_set(call: Call) -> dict[str, Any]:
    try:
        stack_set = named(call)
    except Refused as error:
        if error.code == "StackSetNotFoundException":
            return {}  # deleting what is not there is no error
        raise
    if stack_set.instances:
        raise Refused("StackSet is not empty", "StackSetNotEmptyException", 409)
    _nothing_else(stack_set)
    stack_set.status = "DELETED"
    return {}


CALLS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "ActivateOrganizationsAccess": organization.change_access,
    "CreateStackInstances": create_stack_instances,
    "CreateStackSet": create_stack_set,
    "DeactivateOrganizationsAccess": organization.change_access,
    "DeleteStackInstances": delete_stack_instances,
    "DeleteStackSet": delete_stack_set,
    "DescribeOrganizationsAccess": organization.describe_access,
    "StopStackSetOperation": stop,
    "UpdateStackInstances": update_stack_instances,
    "UpdateStackSet": update_stack_set,
}
