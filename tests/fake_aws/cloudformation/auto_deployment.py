"""Accounts that come into a targeted unit get the stack, those that leave it lose it.

AWS does that within minutes, here it is done when the call that moves the account returns. An account
filter of CreateStackInstances is not remembered: DIFFERENCE spares the accounts that are there already, and
a unit named with INTERSECTION is not targeted.
"""

from __future__ import annotations

import uuid

from moto.cloudformation.models import cloudformation_backends

from tests.fake_aws.cloudformation.operations import Operation, finish, running, start
from tests.fake_aws.cloudformation.stack_sets import Place, StackSet, Targets

_ALL_AT_ONCE = {"FailureTolerancePercentage": 100, "MaxConcurrentPercentage": 100}


def account_moved(management: str, account_id: str) -> None:
    """An account has come into the organization, left it, or is now in another unit of it."""
    regions = cloudformation_backends.get(management, {})
    for backend in list(regions.values()):
        for stack_set in list(backend.stacksets.values()):
            if (
                stack_set.service_managed
                and stack_set.status == "ACTIVE"
                and stack_set.auto_deployment["Enabled"]
            ):
                _follow(stack_set, account_id)


def _follow(stack_set: StackSet, account_id: str) -> None:
    # Operations wait for each other; this one waits for the one that is going on.
    if (operation := running(stack_set)) is not None:
        finish(stack_set, operation)
    above = stack_set.organization.units_above(account_id)
    now = next((unit for unit in above if unit in stack_set.units), None)
    gone: list[Place] = []
    for place, instance in stack_set.instances.items():
        if place[0] == account_id and instance.unit not in above:
            if now is None:
                gone.append(place)
            else:
                instance.unit = now
    retain = stack_set.auto_deployment["RetainStacksOnAccountRemoval"]
    _carry_out(stack_set, "DELETE", Targets({account_id: None}), gone, retain=retain)
    regions = sorted({region for unit in above for region in stack_set.units.get(unit, ())})
    new = [(account_id, each) for each in regions if (account_id, each) not in stack_set.instances]
    _carry_out(stack_set, "CREATE", Targets({account_id: now}), new)


def _carry_out(
    stack_set: StackSet, action: str, targets: Targets, places: list[Place], *, retain: bool | None = None
) -> None:
    if places:
        operation = Operation(
            id=str(uuid.uuid4()), action=action, preferences=_ALL_AT_ONCE, results=[], retain=retain
        )
        start(stack_set, operation, targets, places)
        finish(stack_set, operation)
