"""An operation of a StackSet: one account after the other, as the preferences say, a step at every look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow

from tests.fake_aws.cloudformation import stack_instances
from tests.fake_aws.cloudformation.stack_sets import Instance, Place, StackSet, Targets

OVER = ("SUCCEEDED", "FAILED", "STOPPED")


@dataclass(slots=True, kw_only=True)
class Result:
    """How an operation went in one account and region."""

    account_id: str
    region: str
    unit: str | None
    status: str = "PENDING"
    reason: str = ""


@dataclass(slots=True, kw_only=True)
class Operation:
    """``request`` is what was asked for, by which a repeated call is known."""

    id: str
    action: str
    preferences: Mapping[str, Any]
    results: list[Result]
    request: Mapping[str, Any] = field(default_factory=dict)
    retain: bool | None = None
    status: str = "RUNNING"
    reason: str = ""
    created_at: datetime = field(default_factory=utcnow)
    ended_at: datetime | None = None

    def of(self, *statuses: str) -> list[Result]:
        return [each for each in self.results if each.status in statuses]

    @property
    def going_on(self) -> bool:
        return self.status not in OVER


def running(stack_set: StackSet) -> Operation | None:
    return next((each for each in stack_set.operations if each.going_on), None)


def start(stack_set: StackSet, operation: Operation, targets: Targets, places: Iterable[Place]) -> None:
    """Take down what is to be done. Nothing happens yet in any account."""
    for account, region in places:
        instance = stack_set.instances.get((account, region))
        if instance is None:
            instance = Instance(account_id=account, region=region, unit=targets.accounts.get(account))
            stack_set.instances[account, region] = instance
        instance.operation_id, instance.detail = operation.id, "PENDING"
        operation.results.append(Result(account_id=account, region=region, unit=instance.unit))
    stack_set.operations.append(operation)


def step(stack_set: StackSet, operation: Operation) -> None:
    """Time passes: who is at work is done, the next ones begin, or the operation ends."""
    for result in operation.of("RUNNING"):
        _carry_out(stack_set, operation, result)
    if operation.status == "STOPPING":
        _give_up(stack_set, operation, operation.of("PENDING"), "STOPPED")
        return
    waiting = operation.of("PENDING")
    if _too_many_failed(operation):
        _give_up(stack_set, operation, waiting, "FAILED")
        return
    if not waiting:
        _end(operation, "SUCCEEDED")
        return
    region = waiting[0].region
    here = [each for each in waiting if each.region == region]
    for result in here[: _at_once(operation, region)]:
        result.status = "RUNNING"
        stack_set.instances[result.account_id, region].detail = "RUNNING"


def finish(stack_set: StackSet, operation: Operation) -> None:
    """Let all the time pass that it takes."""
    while operation.going_on:
        step(stack_set, operation)


def _carry_out(stack_set: StackSet, operation: Operation, result: Result) -> None:
    place = (result.account_id, result.region)
    instance = stack_set.instances[place]
    if operation.action == "DELETE":
        reason = stack_instances.take_away(stack_set, instance, retain=bool(operation.retain))
        if not reason:
            del stack_set.instances[place]
    elif stack_set.service_managed and stack_set.organization.is_suspended(instance.account_id):
        reason = ""
        instance.status, instance.detail = "OUTDATED", "SKIPPED_SUSPENDED_ACCOUNT"
        instance.reason = result.reason = "The account is suspended"
    else:
        reason = stack_instances.deploy(stack_set, instance)
    result.status = "FAILED" if reason else "SUCCEEDED"
    result.reason = reason or result.reason


def _give_up(stack_set: StackSet, operation: Operation, rest: list[Result], word: str) -> None:
    reason = "Cancelled since failure tolerance has exceeded" if word == "FAILED" else "Cancelled by user"
    for result in rest:
        result.status, result.reason = "CANCELLED", reason
        instance = stack_set.instances[result.account_id, result.region]
        instance.status, instance.detail, instance.reason = "OUTDATED", "CANCELLED", reason
    _end(operation, word)


def _end(operation: Operation, word: str) -> None:
    operation.status, operation.ended_at = word, utcnow()


# --- preferences: for each region by itself


def _tolerance(operation: Operation, region: str) -> int:
    every = sum(each.region == region for each in operation.results)
    if (percent := operation.preferences.get("FailureTolerancePercentage")) is not None:
        return every * int(percent) // 100
    return int(operation.preferences.get("FailureToleranceCount") or 0)


def _at_once(operation: Operation, region: str) -> int:
    every = sum(each.region == region for each in operation.results)
    preferences = operation.preferences
    if (percent := preferences.get("MaxConcurrentPercentage")) is not None:
        wanted = max(1, every * int(percent) // 100)
    else:
        wanted = int(preferences.get("MaxConcurrentCount") or 1)
    if preferences.get("ConcurrencyMode") == "SOFT_FAILURE_TOLERANCE":
        return wanted
    # Strictly, no more may be at work than could fail without too many having failed.
    failed = sum(each.region == region for each in operation.of("FAILED"))
    return min(wanted, _tolerance(operation, region) - failed + 1)


def _too_many_failed(operation: Operation) -> bool:
    regions = {each.region for each in operation.of("FAILED")}
    return any(
        sum(each.region == region for each in operation.of("FAILED")) > _tolerance(operation, region)
        for region in regions
    )
