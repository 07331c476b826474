"""The calls about single stacks that moto does not answer as AWS does."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from moto.cloudformation.utils import get_stack_from_s3_url
from moto.utilities.utils import get_partition

from tests.fake_aws.cloudformation import stacks, templates, updates
from tests.fake_aws.cloudformation.answers import Refused
from tests.fake_aws.wire import Call

_NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


def template_text(call: Call, previous: str | None = None) -> str:
    """The template of a call: given, to be fetched, or the previous one.

    Raises:
        Refused: none of these, or a text that is too long for a call.
    """
    params = call.params
    if body := params.get("TemplateBody"):
        if len(body.encode()) > templates.LONGEST:
            raise Refused(
                "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: "
                f"Member must have length less than or equal to {templates.LONGEST}"
            )
        return str(body)
    if url := params.get("TemplateURL"):
        text: str = get_stack_from_s3_url(
            url, account_id=call.account_id, partition=get_partition(call.region)
        )
        return text
    # UpdateStackSet keeps the template when nothing is said of it.
    if previous is not None and (
        params.get("UsePreviousTemplate") in (True, "true") or "StackSet" in call.operation
    ):
        return previous
    raise Refused("Either Template URL or Template Body must be specified.")


def tags_of(params: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in params.get("Tags") or []}


def checked_name(call: Call) -> str:
    name = str(call.params["StackName"])
    if _NAME.fullmatch(name) is None:
        raise Refused(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    return name


def the_stack(call: Call) -> Any:
    """
    Raises:
        Refused: there is none.
    """
    name = call.params["StackName"]
    found = stacks.find(call.account_id, call.region, name)
    if found is None:
        raise Refused(f"Stack with id {name} does not exist")
    return found


def checked(call: Call, text: str, previous: Mapping[str, Any]) -> dict[str, str]:
    """The parameters given with a template, once all about them is right.

    Raises:
        Refused: something is not.
    """
    template = templates.read(text)
    templates.in_order(template)
    given = templates.parameters_of(template, call.params.get("Parameters") or [], previous)
    templates.check_capabilities(template, call.params.get("Capabilities") or [])
    return given


def create_stack(call: Call) -> dict[str, Any]:
    params, name, text = call.params, checked_name(call), template_text(call)
    stack = stacks.new(
        call.account_id,
        call.region,
        name,
        text,
        checked(call, text, {}),
        notification_arns=params.get("NotificationARNs"),
        tags=tags_of(params),
        role_arn=params.get("RoleARN"),
        enable_termination_protection=params.get("EnableTerminationProtection") in (True, "true"),
        timeout_in_mins=params.get("TimeoutInMinutes"),
        stack_policy_body=params.get("StackPolicyBody"),
    )
    stack.capabilities = list(params.get("Capabilities") or [])
    stays = params.get("DisableRollback") in (True, "true")
    stacks.create(stack, on_failure="DO_NOTHING" if stays else params.get("OnFailure") or "ROLLBACK")
    return {"StackId": stack.stack_id}


def update_stack(call: Call) -> dict[str, Any]:
    params, stack = call.params, the_stack(call)
    text = template_text(call, previous=stack.template)
    updates.check_updatable(stack)
    given = checked(call, text, stack.parameters)
    tags = tags_of(params) if "Tags" in params else stack.tags
    if updates.is_same(stack, text, given, tags):
        raise Refused(updates.NO_UPDATES)
    stack.capabilities = list(params.get("Capabilities") or [])
    updates.update(stack, text, given, tags)
    return {"StackId": stack.stack_id}


def delete_stack(call: Call) -> dict[str, Any]:
    try:
        stack = the_stack(call)
    except Refused:
        return {}  # deleting what is not there is no error
    if stack.enable_termination_protection:
        raise Refused(f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled")
    if stack.status == "DELETE_COMPLETE":
        return {}
    keep: Sequence[str] = call.params.get("RetainResources") or []
    if keep and stack.status != "DELETE_FAILED":
        raise Refused(
            "Invalid operation on stack "
            f"[{stack.stack_id}]. Specify which resources to retain only when the stack is in the DELETE_FAILED state."
        )
    stacks.delete(stack, keep=keep)
    return {}


def update_termination_protection(call: Call) -> dict[str, Any]:
    stack = the_stack(call)
    stack.enable_termination_protection = call.params["EnableTerminationProtection"] in (True, "true")
    return {"StackId": stack.stack_id}


CALLS: dict[str, Callable[[Call], dict[str, Any]]] = {
    "CreateStack": create_stack,
    "DeleteStack": delete_stack,
    "UpdateStack": update_stack,
    "UpdateTerminationProtection": update_termination_protection,
}
