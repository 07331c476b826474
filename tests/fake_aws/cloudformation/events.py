"""What a stack tells of itself: its status, and an event for everything that happens to it."""

from __future__ import annotations

from typing import Any

from moto.cloudformation.models import Event


def status(stack: Any, word: str, reason: str | None = None) -> None:
    """The stack's status from now on."""
    stack.status, stack.stack_status_reason = word, reason
    event(stack, stack.name, stack.stack_id, "AWS::CloudFormation::Stack", word, reason)


def event(
    stack: Any, logical_id: str, physical_id: str, kind: str, word: str, reason: str | None = None
) -> None:
    """moto keeps them oldest first."""
    found = Event(stack.stack_id, stack.name, logical_id, physical_id, kind, word, reason, None)
    found.sendToSns(stack.account_id, stack.region_name, stack.notification_arns)
    stack.events.append(found)


def last_failure(stack: Any) -> tuple[str, str]:
    """The logical id of the resource that failed last, and the failure as a StackSet tells it."""
    found = next(each for each in reversed(stack.events) if each.resource_status.endswith("_FAILED"))
    name, kind, reason = found.logical_resource_id, found.resource_type, found.resource_status_reason
    return name, f"ResourceLogicalId:{name}, ResourceType:{kind}, ResourceStatusReason:{reason}."
