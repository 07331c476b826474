"""A CloudFormation stack: what it is now, made or brought up to date at once, and taken away.

Clients are aiobotocore CloudFormation clients of the account that deploys. Every wait is bounded, and a
failure carries AWS's own reason. For a change that is looked at first see `deploy.change_set`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from deploy.calls import PATIENCE, Patience, missing, said, until
from deploy.errors import DeploymentFailed
from deploy.events import Events, Hear, causes, latest
from spoke_role.template import TEMPLATE_BYTES

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
# A stack that was never more than a plan or an attempt: it has no resource and cannot be updated.
UNBORN = ("REVIEW_IN_PROGRESS", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
WELL = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack as AWS describes it."""

    name: str
    id: str
    status: str
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        """Whether the last thing done to it went well."""
        return self.status in WELL

    @property
    def busy(self) -> bool:
        """Whether AWS is at work on it."""
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"


async def find(cloudformation: Any, name: str) -> Stack | None:
    """The stack of that name or id; None where there is none.

    Raises:
        DeploymentFailed: AWS does not tell.
    """
    try:
        found = (await cloudformation.describe_stacks(StackName=name))["Stacks"][0]
    except ClientError as error:
        if missing(error):
            return None
        raise DeploymentFailed(f"stack {name}: {said(error)}") from error
    return Stack(
        name=found.get("StackName", name),
        id=found.get("StackId", name),
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", ""),
        outputs={each["OutputKey"]: each["OutputValue"] for each in found.get("Outputs") or ()},
        parameters={each["ParameterKey"]: each["ParameterValue"] for each in found.get("Parameters") or ()},
    )


async def deploy_stack(
    cloudformation: Any,
    *,
    template: str,
    stack_name: str,
    parameters: Mapping[str, str],
    patience: Patience = PATIENCE,
) -> dict[str, str]:
    """Create the stack or bring it up to date; its outputs. Parameters that are not given get the
    template's defaults, at an update as well.

    Raises:
        DeploymentFailed: the stack could not be made or changed, or it took too long.
    """
    request = body(template, parameters) | {"StackName": stack_name}
    before = await find(cloudformation, stack_name)
    try:
        if before is None:
            await cloudformation.create_stack(**request)
        elif before.status in UNBORN:
            raise DeploymentFailed(
                f"stack {stack_name} never came into being ({before.status}): delete it, then deploy again"
            )
        else:
            await cloudformation.update_stack(**request)
    except ClientError as error:
        if not nothing_to_do(str(error)):
            raise DeploymentFailed(f"stack {stack_name}: {said(error)}") from error
    return dict((await settled(cloudformation, stack_name, patience)).outputs)


# The hub's stack is a stack like any other, as is a spoke role's where no StackSet reaches.
deploy_hub = deploy_stack


def body(template: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Template, parameters and capabilities of a call.

    Raises:
        DeploymentFailed: the template is too long to be sent as text.
    """
    size = len(template.encode())
    if size > TEMPLATE_BYTES:
        raise DeploymentFailed(f"the template has {size} bytes and CloudFormation takes {TEMPLATE_BYTES}")
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in sorted(parameters.items())]
    return {"TemplateBody": template, "Parameters": given, "Capabilities": CAPABILITIES}


def nothing_to_do(text: str) -> bool:
    """Whether AWS says in one of its ways that nothing would change."""
    return "No updates are to be performed" in text or "didn't contain changes" in text


async def settled(
    cloudformation: Any, name: str, patience: Patience, *, events: Events | None = None
) -> Stack:
    """Wait until AWS is done with the stack, and it went well.

    Args:
        name: or id.
        events: are told meanwhile, and are where the reasons are looked for.

    Raises:
        DeploymentFailed: it was rolled back or failed, the cause first.
    """

    async def look() -> Stack | None:
        stack = await find(cloudformation, name)
        if events is not None:
            await events.tell()
        if stack is None:
            raise DeploymentFailed(f"stack {name} was deleted meanwhile")
        return None if stack.busy else stack

    stack = await until(look, f"stack {name}", patience)
    if not stack.well:
        found = causes(events.heard if events else await latest(cloudformation, stack.id))
        raise DeploymentFailed(
            f"stack {stack.name} ended as {stack.status}: " + ("; ".join(found) or "AWS gives no reason")
        )
    return stack


async def delete_stack(
    cloudformation: Any, name: str, *, patience: Patience = PATIENCE, hear: Hear | None = None
) -> None:
    """Delete a stack and wait until it is gone. One that is not there is gone.

    Raises:
        DeploymentFailed: AWS refused, or could not delete one of the resources; the cause first.
    """
    before = await find(cloudformation, name)
    if before is None:
        return
    events = Events(cloudformation, before.id, hear)
    await events.begin()
    try:
        await cloudformation.delete_stack(StackName=before.id)
    except ClientError as error:
        raise DeploymentFailed(f"stack {before.name}: {said(error)}") from error

    async def look() -> str | None:
        stack = await find(cloudformation, before.id)
        await events.tell()
        if stack is None:
            return "DELETE_COMPLETE"
        return None if stack.busy else stack.status

    status = await until(look, f"deletion of stack {before.name}", patience)
    if status != "DELETE_COMPLETE":
        found = "; ".join(causes(events.heard)) or "AWS gives no reason"
        raise DeploymentFailed(f"stack {before.name} ended as {status}: {found}")
