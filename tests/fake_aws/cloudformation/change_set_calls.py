"""The calls about change sets."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.cloudformation.models import cloudformation_backends
from moto.core.utils import utcnow
from moto.utilities.utils import get_partition

from tests.fake_aws.cloudformation import imports, stacks, templates, updates
from tests.fake_aws.cloudformation.answers import Refused, page
from tests.fake_aws.cloudformation.changes import changes
from tests.fake_aws.cloudformation.events import status
from tests.fake_aws.cloudformation.stack_calls import checked, checked_name, tags_of, template_text
from tests.fake_aws.wire import Call

NO_CHANGES = (
    "The submitted information didn't contain changes. Submit different information to create a change set."
)
_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


@dataclass(slots=True, kw_only=True)
class ChangeSet:
    name: str
    id: str
    kind: str
    text: str
    given: dict[str, str]
    tags: dict[str, str]
    capabilities: list[str]
    on_failure: str
    description: str
    changes: list[dict[str, Any]]
    changes_with_values: list[dict[str, Any]]
    imported: list[dict[str, Any]] = field(default_factory=list)
    status: str = "CREATE_COMPLETE"
    execution_status: str = "AVAILABLE"
    reason: str = ""
    created_at: datetime = field(default_factory=utcnow)


def create_change_set(call: Call) -> dict[str, Any]:
    params, name = call.params, call.params["ChangeSetName"]
    if _NAME.fullmatch(name) is None:
        raise Refused(
            f"1 validation error detected: Value '{name}' at 'changeSetName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    kind = params.get("ChangeSetType") or "UPDATE"
    stack = stacks.find(call.account_id, call.region, params["StackName"])
    new = stack is None or stack.status == "REVIEW_IN_PROGRESS"
    if kind == "CREATE" and not new:
        text = f"Stack [{stack.name}] already exists and cannot be created again with the changeSet [{name}]."
        raise Refused(text)
    if kind == "UPDATE":
        if stack is None:
            raise Refused(f"Stack [{params['StackName']}] does not exist")
        if new:
            raise Refused(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")
        updates.check_updatable(stack)
    text = template_text(call, previous=None if stack is None or new else stack.template)
    given = checked(call, text, {} if stack is None or new else stack.parameters)
    imported = params.get("ResourcesToImport") or []
    if kind == "IMPORT":
        imports.check(templates.parsed(text), imported)
    tags = tags_of(params) if "Tags" in params or new else stack.tags
    if stack is None:
        stack = stacks.new(call.account_id, call.region, checked_name(call), text, given, tags=tags)
        status(stack, "REVIEW_IN_PROGRESS", "User Initiated")
    if name in stack.change_sets:
        raise Refused(f"ChangeSet {name} already exists", "AlreadyExistsException")
    start = f"arn:{get_partition(call.region)}:cloudformation:{call.region}:{call.account_id}"
    made = ChangeSet(
        name=name,
        id=f"{start}:changeSet/{name}/{uuid.uuid4()}",
        kind=kind,
        text=text,
        given=given,
        tags=tags,
        capabilities=list(params.get("Capabilities") or []),
        on_failure=params.get("OnStackFailure") or "ROLLBACK",
        description=params.get("Description") or "",
        changes=imports.changes(imported) if imported else changes(stack, text, given, values=False),
        changes_with_values=imports.changes(imported)
        if imported
        else changes(stack, text, given, values=True),
        imported=imported,
    )
    if kind == "UPDATE" and updates.is_same(stack, text, given, tags):
        made.status, made.execution_status, made.reason = "FAILED", "UNAVAILABLE", NO_CHANGES
    stack.change_sets[name] = made
    return {"Id": made.id, "StackId": stack.stack_id}


def _named(call: Call) -> tuple[Any, ChangeSet]:
    """
    Raises:
        Refused: there is no such stack or change set.
    """
    wanted, of_stack = call.params["ChangeSetName"], call.params.get("StackName")
    if of_stack:
        stack = stacks.find(call.account_id, call.region, of_stack)
        if stack is None:
            raise Refused(f"Stack [{of_stack}] does not exist")
        every = [stack]
    else:
        every = list(cloudformation_backends[call.account_id][call.region].stacks.values())
    for stack in every:
        for each in stack.change_sets.values():
            if each.id == wanted or (of_stack and each.name == wanted):
                return stack, each
    raise Refused(f"ChangeSet [{wanted}] does not exist", "ChangeSetNotFound", 404)


def describe_change_set(call: Call) -> dict[str, Any]:
    stack, found = _named(call)
    with_values = call.params.get("IncludePropertyValues") in (True, "true")
    parameters = stacks.in_effect(templates.read(found.text), found.given)
    return {
        **_summary(stack, found),
        "Parameters": [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        "Capabilities": found.capabilities,
        "Tags": [{"Key": name, "Value": value} for name, value in found.tags.items()],
        "NotificationARNs": stack.notification_arns,
        **page(call, "Changes", found.changes_with_values if with_values else found.changes),
    }


def _summary(stack: Any, found: ChangeSet) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "ChangeSetName": found.name,
        "ChangeSetId": found.id,
        "StackId": stack.stack_id,
        "StackName": stack.name,
        "CreationTime": found.created_at,
        "Status": found.status,
        "ExecutionStatus": found.execution_status,
    }
    if found.description:
        answer["Description"] = found.description
    if found.reason:
        answer["StatusReason"] = found.reason
    return answer


def list_change_sets(call: Call) -> dict[str, Any]:
    stack = stacks.find(call.account_id, call.region, call.params["StackName"])
    if stack is None:
        raise Refused(f"Stack [{call.params['StackName']}] does not exist")
    return page(call, "Summaries", [_summary(stack, each) for each in stack.change_sets.values()])


def execute_change_set(call: Call) -> dict[str, Any]:
    stack, found = _named(call)
    if found.execution_status != "AVAILABLE":
        text = f"ChangeSet [{found.id}] cannot be executed in its current status of [{found.status}]"
        raise Refused(text, "InvalidChangeSetStatus")
    stack.capabilities = found.capabilities
    stays = call.params.get("DisableRollback") in (True, "true")
    if found.kind == "IMPORT":
        updates.aim(stack, found.text, stacks.in_effect(templates.read(found.text), found.given), found.tags)
        imports.take_in(stack, found.imported)
    elif found.kind == "CREATE":
        updates.aim(stack, found.text, stacks.in_effect(templates.read(found.text), found.given), found.tags)
        stack.last_updated_time = None
        stacks.create(stack, on_failure="DO_NOTHING" if stays else found.on_failure)
    else:
        updates.update(stack, found.text, found.given, found.tags)
    found.execution_status = "EXECUTE_COMPLETE"
    # The others were about a stack that is no longer so.
    stack.change_sets = {found.name: found}
    return {}


def delete_change_set(call: Call) -> dict[str, Any]:
    try:
        stack, found = _named(call)
    except Refused as error:
        if error.code == "ChangeSetNotFound":
            return {}
        raise
    del stack.change_sets[found.name]
    return {}


CALLS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "CreateChangeSet": create_change_set,
    "DeleteChangeSet": delete_change_set,
    "DescribeChangeSet": describe_change_set,
    "ExecuteChangeSet": execute_change_set,
    "ListChangeSets": list_change_sets,
}
