"""A change of a stack that is looked at before it is made.

Diff and reasons are AWS's own: a change set knows which resource will be replaced, which no comparison of
two templates does. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from botocore.exceptions import ClientError

from deploy.calls import PATIENCE, Patience, code, said, until
from deploy.errors import DeploymentFailed
from deploy.events import Events, Hear
from deploy.stack import CAPABILITIES, Stack, delete_stack, find, nothing_to_do, settled

Kind = Literal["CREATE", "UPDATE", "IMPORT"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One thing about a resource that changes.

    Attributes:
        what: a property's name, or the attribute (``Tags``, ``Metadata``).
        because: the parameter or resource it follows from; "" when the template itself differs.
        before, after: the values where AWS tells them.
        replaces: whether this one forces a new resource: Never, Conditionally, Always.
    """

    what: str
    because: str = ""
    before: str = ""
    after: str = ""
    replaces: str = "Never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What will happen to one resource.

    Attributes:
        action: Add, Modify, Remove, Import or Dynamic.
        replacement: True, False or Conditional, for Modify; "" for the others.
        policy: what becomes of the old one where the template says: Retain, Delete, Snapshot, ...
    """

    action: str
    resource: str
    type: str
    replacement: str = ""
    policy: str = ""
    details: tuple[Detail, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSet:
    """A change AWS has worked out and not made."""

    arn: str
    name: str
    stack_id: str
    stack_name: str
    kind: Kind
    changes: tuple[Change, ...]


async def propose(
    cloudformation: Any,
    *,
    stack_name: str,
    template: Mapping[str, str],
    parameters: Sequence[Mapping[str, Any]],
    kind: Kind,
    imported: Sequence[Mapping[str, Any]] = (),
    patience: Patience = PATIENCE,
) -> ChangeSet | None:
    """Have AWS work out what would change; None when nothing would.

    Args:
        template: ``{"TemplateBody": text}`` or ``{"TemplateURL": url}``.
        imported: for IMPORT: resources there are, as ``ResourcesToImport``.

    Raises:
        DeploymentFailed: AWS cannot or will not; nothing is left behind.
    """
    name = f"hub-deploy-{secrets.token_hex(4)}"
    request: dict[str, Any] = {**template, "Parameters": list(parameters), "Capabilities": CAPABILITIES}
    if imported:
        request["ResourcesToImport"] = list(imported)
    try:
        made = await cloudformation.create_change_set(
            StackName=stack_name, ChangeSetName=name, ChangeSetType=kind, **request
        )
    except ClientError as error:
        if nothing_to_do(str(error)):
            return None
        raise DeploymentFailed(f"stack {stack_name}: {said(error)}") from error
    asked = ChangeSet(
        arn=made["Id"], name=name, stack_id=made["StackId"], stack_name=stack_name, kind=kind, changes=()
    )
    found = None
    try:
        found = await _worked_out(cloudformation, asked, patience)
    finally:
        # Whether nothing would change or nobody could tell: it must not be left for somebody to execute.
        if found is None:
            await discard(cloudformation, asked, patience=patience)
    return None if found is None else replace(asked, changes=found)


async def _worked_out(
    cloudformation: Any, change_set: ChangeSet, patience: Patience
) -> tuple[Change, ...] | None:
    request = {
        "ChangeSetName": change_set.arn,
        "StackName": change_set.stack_id,
        "IncludePropertyValues": True,
    }

    async def look() -> dict[str, Any] | None:
        told: dict[str, Any] = await cloudformation.describe_change_set(**request)
        return told if told["Status"] in ("CREATE_COMPLETE", "FAILED") else None

    told = await until(look, f"the change set of stack {change_set.stack_name}", patience)
    if told["Status"] == "FAILED":
        reason = told.get("StatusReason") or "AWS gives no reason"
        if nothing_to_do(reason):
            return None
        raise DeploymentFailed(f"stack {change_set.stack_name}: AWS could not work out the change: {reason}")
    changes = [*told.get("Changes", ())]
    while told.get("NextToken"):
        told = await cloudformation.describe_change_set(**request, NextToken=told["NextToken"])
        changes += told.get("Changes", ())
    return tuple(_change(each["ResourceChange"]) for each in changes if "ResourceChange" in each)


def _change(raw: Mapping[str, Any]) -> Change:
    return Change(
        action=raw["Action"],
        resource=raw["LogicalResourceId"],
        type=raw["ResourceType"],
        replacement=raw.get("Replacement") or "",
        policy=raw.get("PolicyAction") or "",
        details=_merged([_detail(each) for each in raw.get("Details") or ()]),
    )


def _detail(raw: Mapping[str, Any]) -> Detail:
    target = raw.get("Target", {})
    return Detail(
        what=target.get("Name") or target.get("Attribute", "?"),
        because=raw.get("CausingEntity") or "",
        before=target.get("BeforeValue") or "",
        after=target.get("AfterValue") or "",
        replaces=target.get("RequiresRecreation") or "Never",
    )


def _merged(details: Sequence[Detail]) -> tuple[Detail, ...]:
    """AWS tells a property twice, as seen in the template and as worked out: what is known of it, once."""
    found: dict[str, Detail] = {}
    for detail in details:
        known = found.get(detail.what)
        found[detail.what] = (
            detail
            if known is None
            else Detail(
                what=detail.what,
                because=known.because or detail.because,
                before=known.before or detail.before,
                after=known.after or detail.after,
                replaces=max(known.replaces, detail.replaces, key=_SEVERITY.index),
            )
        )
    return tuple(found.values())


_SEVERITY = ("Never", "Conditionally", "Always")


async def carry_out(
    cloudformation: Any, change_set: ChangeSet, *, patience: Patience = PATIENCE, hear: Hear | None = None
) -> Stack:
    """Make the change and wait for it.

    Raises:
        DeploymentFailed: AWS took it back; the cause first.
    """
    events = Events(cloudformation, change_set.stack_id, hear)
    await events.begin()
    try:
        await cloudformation.execute_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack_id)
    except ClientError as error:
        raise DeploymentFailed(f"stack {change_set.stack_name}: {said(error)}") from error
    return await settled(cloudformation, change_set.stack_id, patience, events=events)


async def discard(cloudformation: Any, change_set: ChangeSet, *, patience: Patience = PATIENCE) -> None:
    """Delete the change set, and the empty stack AWS made to hang it on."""
    try:
        await cloudformation.delete_change_set(ChangeSetName=change_set.arn, StackName=change_set.stack_id)
    except ClientError as error:
        if code(error) != "ChangeSetNotFound":
            raise DeploymentFailed(f"stack {change_set.stack_name}: {said(error)}") from error
    if change_set.kind != "UPDATE":
        left = await find(cloudformation, change_set.stack_id)
        if left is not None and left.status == "REVIEW_IN_PROGRESS":
            await delete_stack(cloudformation, left.id, patience=patience)
