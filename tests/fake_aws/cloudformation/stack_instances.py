"""The stack of a StackSet in one account: deployed, taken away, and who may do that."""

from __future__ import annotations

import uuid
from typing import Any

from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from tests.fake_aws.authorizer import Denied, authorise
from tests.fake_aws.cloudformation import stacks, updates
from tests.fake_aws.cloudformation.answers import Refused
from tests.fake_aws.cloudformation.stack_sets import Instance, StackSet
from tests.fake_aws.principals import Principal
from tests.fake_aws.wire import Call


def deploy(stack_set: StackSet, instance: Instance) -> str:
    """Bring the instance's stack up to date; why that failed, "" if it did not."""
    instance.status, instance.detail = "OUTDATED", "FAILED"
    try:
        instance.reason = _no_way_in(stack_set, instance) or _deployed(stack_set, instance)
    except Refused as error:
        instance.reason = error.message
    if not instance.reason:
        instance.status, instance.detail = "CURRENT", "SUCCEEDED"
    return instance.reason


def _deployed(stack_set: StackSet, instance: Instance) -> str:
    given = {**stack_set.parameters, **instance.overrides}
    place = (instance.account_id, instance.region)
    stack = stacks.find(*place, instance.stack_id) if instance.stack_id else None
    if stack is None or stack.status == "DELETE_COMPLETE":
        name = f"StackSet-{stack_set.name}-{uuid.uuid4()}"
        stack = stacks.new(*place, name, stack_set.template, given, tags=dict(stack_set.tags))
        instance.stack_id = stack.stack_id
        # A stack that never came into being is not left behind.
        return stacks.create(stack, on_failure="DELETE")
    if stack.status == "UPDATE_ROLLBACK_FAILED":
        return f"Stack {stack.stack_id} is in {stack.status} state and can not be updated."
    if updates.is_same(stack, stack_set.template, given, stack_set.tags):
        return ""
    return updates.update(stack, stack_set.template, given, stack_set.tags)


def take_away(stack_set: StackSet, instance: Instance, *, retain: bool) -> str:
    """Delete the instance's stack, unless it is to stay; why that failed, "" if it did not."""
    stack = stacks.find(instance.account_id, instance.region, instance.stack_id)
    if retain or stack is None or stack.status == "DELETE_COMPLETE":
        return ""
    instance.reason = _no_way_in(stack_set, instance) or stacks.delete(stack)
    if instance.reason:
        instance.status, instance.detail = "INOPERABLE", "INOPERABLE"
    return instance.reason


# --- permissions: of the service, or of two roles of the customer's


def _no_way_in(stack_set: StackSet, instance: Instance) -> str:
    """Why a StackSet of the customer's own permissions does not get into the account."""
    if stack_set.service_managed:
        return ""
    partition = get_partition(stack_set.region)
    administration = stack_set.administration_role_arn
    arn = f"arn:{partition}:iam::{instance.account_id}:role/{stack_set.execution_role_name}"
    who = Principal(
        account_id=stack_set.account_id,
        partition=partition,
        arn=administration.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/stack-set",
        entity_arn=administration,
        is_session=True,
    )
    call = Call(
        access_key="",
        region=stack_set.region,
        service="sts",
        operation="AssumeRole",
        params={"RoleArn": arn, "RoleSessionName": "stack-set"},
        protocol="query",
    )
    try:
        authorise(call, who)
    except Denied:
        name = administration.split(":role/", 1)[-1]
        return (
            f"Account {instance.account_id} should have '{stack_set.execution_role_name}' role "
            f"with trust relationship to Role '{name}'."
        )
    return ""


def check_administration_role(stack_set: StackSet) -> None:
    """
    Raises:
        Refused: there is no such role, or CloudFormation may not enter it.
    """
    arn = stack_set.administration_role_arn
    roles = iam_backends[stack_set.account_id][get_partition(stack_set.region)].roles.values()
    role: Any = next((each for each in roles if each.arn == arn), None)
    if role is None or "cloudformation.amazonaws.com" not in str(role.assume_role_policy_document):
        raise Refused(f"Role {arn} is invalid or cannot be assumed")
