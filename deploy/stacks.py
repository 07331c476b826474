"""Puts the templates into AWS: the hub as a stack, the spoke role as a StackSet.

Clients are aiobotocore CloudFormation clients of the account that deploys. Every wait is bounded, and a
failure carries AWS's own reason.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError

from spoke_role.template import TEMPLATE_BYTES

CAPABILITIES = ["CAPABILITY_NAMED_IAM"]
WAIT_SECONDS = 1800.0
POLL_SECONDS = 5.0

CallAs = Literal["SELF", "DELEGATED_ADMIN"]


class DeploymentFailed(Exception):
    """AWS did not do it; the text says what AWS said and, where we know, what to do."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for AWS, and how long between two looks, in seconds."""

    wait: float = WAIT_SECONDS
    poll: float = POLL_SECONDS


PATIENCE = Patience()


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """An account that did not get the spoke role, and why."""

    account_id: str
    region: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """Where the spoke role is now. ``accounts`` have it as it should be."""

    accounts: tuple[str, ...]
    missed: tuple[Missed, ...]


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
    request = _request(template, parameters) | {"StackName": stack_name}
    before = await _stack(cloudformation, stack_name)
    try:
        if before is None:
            await cloudformation.create_stack(**request)
        elif before["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "REVIEW_IN_PROGRESS"):
            raise DeploymentFailed(
                f"stack {stack_name} never came into being ({before['StackStatus']}): delete it, then deploy again"
            )
        else:
            await cloudformation.update_stack(**request)
    except ClientError as error:
        if _code(error) != "ValidationError" or "No updates are to be performed" not in str(error):
            raise DeploymentFailed(f"stack {stack_name}: {_said(error)}") from error
    return await _settled_stack(cloudformation, stack_name, patience)


def _request(template: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    size = len(template.encode())
    if size > TEMPLATE_BYTES:
        raise DeploymentFailed(f"the template has {size} bytes and CloudFormation takes {TEMPLATE_BYTES}")
    given = [{"ParameterKey": name, "ParameterValue": value} for name, value in sorted(parameters.items())]
    return {"TemplateBody": template, "Parameters": given, "Capabilities": CAPABILITIES}


# The hub's stack is a stack like any other, as is a spoke role's where no StackSet reaches.
deploy_hub = deploy_stack


async def _stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    try:
        found = await cloudformation.describe_stacks(StackName=name)
    except ClientError as error:
        # AWS has no code of its own for a stack that does not exist.
        if _code(error) == "ValidationError" and "does not exist" in str(error):
            return None
        raise DeploymentFailed(f"stack {name}: {_said(error)}") from error
    stack: dict[str, Any] = found["Stacks"][0]
    return stack


async def _settled_stack(cloudformation: Any, name: str, patience: Patience) -> dict[str, str]:
    async def look() -> dict[str, Any] | None:
        stack = await _stack(cloudformation, name)
        if stack is None:
            raise DeploymentFailed(f"stack {name} was deleted meanwhile")
        return None if stack["StackStatus"].endswith("_IN_PROGRESS") else stack

    stack = await _until(look, f"stack {name}", patience)
    if stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        reasons = "; ".join(await _reasons(cloudformation, name)) or "AWS gives no reason"
        raise DeploymentFailed(f"stack {name} ended as {stack['StackStatus']}: {reasons}")
    return {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}


async def _reasons(cloudformation: Any, name: str) -> list[str]:
    """What went wrong in the latest operation, the cause first."""
    found = []
    async for event in _items(cloudformation, "describe_stack_events", "StackEvents", StackName=name):
        status, reason = event["ResourceStatus"], event.get("ResourceStatusReason", "")
        if reason == "User Initiated":
            break  # events come newest first; here the latest operation began
        if status.endswith("_FAILED") and "cancelled" not in reason:
            found.append(f"{event['LogicalResourceId']}: {reason or status}")
    return found[::-1]


async def deploy_spokes(
    cloudformation: Any,
    *,
    template: str,
    name: str,
    parameters: Mapping[str, str],
    organizational_units: Sequence[str],
    region: str,
    call_as: CallAs = "SELF",
    patience: Patience = PATIENCE,
) -> Rollout:
    """Bring the spoke role into every account of the OUs and of the OUs below them, now and in future.

    Args:
        organizational_units: ids (``ou-...``, or the root's ``r-...``). The management account is in
            none of them for StackSets.
        region: where the stacks live. The role itself is global, so one region is enough.
        call_as: DELEGATED_ADMIN when this account administers StackSets for the management account.

    Raises:
        DeploymentFailed: AWS refused the whole operation, stopped it or took too long. Single accounts
            that failed do not raise; they are in the answer.
    """
    stack_set = {"StackSetName": name, "CallAs": call_as}
    # Every account gets its chance, also after some have failed.
    going_on = {"FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100}
    request = _request(template, parameters) | {
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
    }
    missed: dict[tuple[str, str], Missed] = {}
    try:
        if await _stack_set_exists(cloudformation, stack_set):
            updating = await cloudformation.update_stack_set(
                **stack_set, **request, OperationPreferences=going_on
            )
            missed |= await _operation(cloudformation, stack_set, updating["OperationId"], patience)
        else:
            await cloudformation.create_stack_set(**stack_set, **request)
        creating = await cloudformation.create_stack_instances(
            **stack_set,
            DeploymentTargets={"OrganizationalUnitIds": list(organizational_units)},
            Regions=[region],
            OperationPreferences=going_on,
        )
        missed |= await _operation(cloudformation, stack_set, creating["OperationId"], patience)
        return await _rollout(cloudformation, stack_set, missed)
    except ClientError as error:
        raise DeploymentFailed(f"StackSet {name}: {_said(error)}") from error


async def _stack_set_exists(cloudformation: Any, stack_set: Mapping[str, str]) -> bool:
    try:
        found = await cloudformation.describe_stack_set(**stack_set)
    except ClientError as error:
        if _code(error) == "StackSetNotFoundException":
            return False
        raise
    return bool(found["StackSet"]["Status"] == "ACTIVE")


async def _operation(
    cloudformation: Any, stack_set: Mapping[str, str], operation_id: str, patience: Patience
) -> dict[tuple[str, str], Missed]:
    """Wait for the operation; the accounts where it failed."""
    request = {**stack_set, "OperationId": operation_id}

    async def look() -> dict[str, Any] | None:
        operation: dict[str, Any] = (await cloudformation.describe_stack_set_operation(**request))[
            "StackSetOperation"
        ]
        return operation if operation["Status"] in ("SUCCEEDED", "FAILED", "STOPPED") else None

    operation = await _until(look, f"StackSet {stack_set['StackSetName']}", patience)
    missed = {}
    async for result in _items(cloudformation, "list_stack_set_operation_results", "Summaries", **request):
        if result["Status"] in ("FAILED", "CANCELLED"):
            reason = result.get("StatusReason") or result["Status"].lower()
            account, region = result.get("Account", ""), result.get("Region", "")
            missed[account, region] = Missed(account_id=account, region=region, reason=reason)
    if operation["Status"] != "SUCCEEDED" and not missed:
        reason = operation.get("StatusReason") or "AWS gives no reason"
        raise DeploymentFailed(
            f"StackSet {stack_set['StackSetName']}: {operation['Status'].lower()}: {reason}"
        )
    return missed


async def _rollout(
    cloudformation: Any, stack_set: Mapping[str, str], missed: dict[tuple[str, str], Missed]
) -> Rollout:
    """Ask for what is in place now: a later operation may have mended what an earlier one missed."""
    landed = set()
    async for instance in _items(cloudformation, "list_stack_instances", "Summaries", **stack_set):
        place = (instance["Account"], instance["Region"])
        if instance["Status"] == "CURRENT":
            landed.add(instance["Account"])
            missed.pop(place, None)
        else:
            reason = instance.get("StatusReason") or instance["Status"].lower()
            missed.setdefault(place, Missed(account_id=place[0], region=place[1], reason=reason))
    return Rollout(accounts=tuple(sorted(landed)), missed=tuple(missed[place] for place in sorted(missed)))


async def _items(
    cloudformation: Any, operation: str, items: str, **request: str
) -> AsyncIterator[dict[str, Any]]:
    async for page in cloudformation.get_paginator(operation).paginate(**request):
        for item in page[items]:
            yield item


async def _until(
    look: Callable[[], Awaitable[dict[str, Any] | None]], what: str, patience: Patience
) -> dict[str, Any]:
    try:
        async with asyncio.timeout(patience.wait):
            while (found := await look()) is None:  # noqa: ASYNC110 - AWS offers no event to wait for
                await asyncio.sleep(patience.poll)
            return found
    except TimeoutError:
        raise DeploymentFailed(
            f"{what} is not done after {patience.wait:.0f} seconds; AWS goes on with it"
        ) from None


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _said(error: ClientError) -> str:
    answer = error.response.get("Error", {})
    return f"{error.operation_name} was refused: {answer.get('Code')}: {answer.get('Message')}"
