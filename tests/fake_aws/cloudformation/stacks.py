"""Stacks: made and deleted, resource by resource, and rolled back when one fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.cloudformation.models import Stack, cloudformation_backends
from moto.cloudformation.parsing import OutputMap, ResourceMap
from moto.cloudformation.utils import generate_stack_id
from moto.utilities.utils import get_partition

from tests.fake_aws.cloudformation import templates
from tests.fake_aws.cloudformation.answers import Refused
from tests.fake_aws.cloudformation.events import event, last_failure, status
from tests.fake_aws.cloudformation.resources import (
    Failed,
    Made,
    make,
    remove,
    wanted,
)

_SUFFIXES = {"aws-cn": "amazonaws.com.cn"}


def _load_map(self: Any, *given: Any, **named: Any) -> None:
    """moto knows one partition only."""
    _load_map_by_moto(self, *given, **named)
    partition = get_partition(self._region_name)
    self._parsed_resources["AWS::Partition"] = partition
    self._parsed_resources["AWS::URLSuffix"] = _SUFFIXES.get(partition, "amazonaws.com")


_load_map_by_moto = ResourceMap.__init__
ResourceMap.__init__ = _load_map
Stack.parse_template = staticmethod(templates.parsed)


def in_effect(template: templates.Document, given: Mapping[str, str]) -> dict[str, str]:
    """The values given and, for all others, the defaults."""
    declared = template.get("Parameters") or {}
    defaults = {
        name: templates.as_text(each["Default"]) for name, each in declared.items() if "Default" in each
    }
    return {**defaults, **given}


def find(account_id: str, region: str, name: str) -> Any:
    """moto's stack by name or id; None if there is none, or none any more by that name."""
    backend = cloudformation_backends[account_id][region]
    live = next((each for each in backend.stacks.values() if name in (each.name, each.stack_id)), None)
    return live or backend.deleted_stacks.get(name)


def new(account_id: str, region: str, name: str, text: str, given: Mapping[str, str], **more: Any) -> Any:
    """A stack without resources yet.

    Raises:
        Refused: a name in use, a template or parameters that will not do.
    """
    if find(account_id, region, name) is not None:
        raise Refused(f"Stack [{name}] already exists", "AlreadyExistsException")
    backend = cloudformation_backends[account_id][region]
    stack = Stack(
        stack_id=generate_stack_id(name, region, account_id),
        name=name,
        template=text,
        parameters=in_effect(templates.read(text), given),
        account_id=account_id,
        region_name=region,
        cross_stack_resources=backend.exports,
        **more,
    )
    stack.made, stack.change_sets = {}, {}
    # There are outputs once it is made; looking at them before would have moto make the resources they are of.
    stack.output_map = OutputMap(stack.resource_map, {}, stack.stack_id)
    templates.check_rules(stack.template_dict, stack.resource_map)
    backend.stacks[stack.stack_id] = stack
    return stack


def create(stack: Any, *, on_failure: str = "ROLLBACK") -> str:
    """Make what the stack's template declares; why that failed, "" if it did not."""
    status(stack, "CREATE_IN_PROGRESS", "User Initiated")
    order = templates.in_order(stack.template_dict)
    try:
        for logical_id in order:
            make_one(stack, logical_id)
    except Failed:
        logical_id, said = last_failure(stack)
        if on_failure == "DO_NOTHING":
            status(stack, "CREATE_FAILED", f"The following resource(s) failed to create: [{logical_id}]. ")
            return said
        text = f"The following resource(s) failed to create: [{logical_id}]. Rollback requested by user."
        status(stack, "ROLLBACK_IN_PROGRESS", text)
        stuck = [made for made in reversed(list(stack.made.values())) if not unmake_one(stack, made)]
        status(stack, "ROLLBACK_FAILED" if stuck else "ROLLBACK_COMPLETE")
        if on_failure == "DELETE":
            delete(stack)
        return said
    export(stack)
    status(stack, "CREATE_COMPLETE")
    return ""


def export(stack: Any) -> None:
    stack.output_map = stack._create_output_map()
    backend = cloudformation_backends[stack.account_id][stack.region_name]
    for name in [name for name, each in backend.exports.items() if each.exporting_stack_id == stack.stack_id]:
        del backend.exports[name]
    for each in stack.exports:
        backend.exports[each.name] = each


def make_one(stack: Any, logical_id: str) -> None:
    declared = wanted(stack, logical_id)
    if declared is None:
        return
    kind = declared["Type"]
    event(stack, logical_id, "", kind, "CREATE_IN_PROGRESS")
    try:
        made = make(stack, logical_id, declared)
    except Failed as failed:
        event(stack, logical_id, "", kind, "CREATE_FAILED", str(failed))
        raise
    if made is not None:
        stack.made[logical_id] = made
    physical = made.physical_id if made else ""
    event(stack, logical_id, physical, kind, "CREATE_IN_PROGRESS", "Resource creation Initiated")
    event(stack, logical_id, physical, kind, "CREATE_COMPLETE")


def unmake_one(stack: Any, made: Made, *, keep: bool = False) -> bool:
    """False when the service refused."""
    physical = made.physical_id
    if keep or made.kept:
        event(stack, made.logical_id, physical, made.kind, "DELETE_SKIPPED")
    else:
        event(stack, made.logical_id, physical, made.kind, "DELETE_IN_PROGRESS")
        try:
            remove(stack, made)
        except Failed as failed:
            event(stack, made.logical_id, physical, made.kind, "DELETE_FAILED", str(failed))
            return False
        event(stack, made.logical_id, physical, made.kind, "DELETE_COMPLETE")
    if stack.made.get(made.logical_id) is made:
        del stack.made[made.logical_id]
        stack.resource_map._parsed_resources.pop(made.logical_id, None)
    return True


def delete(stack: Any, *, keep: Sequence[str] = ()) -> str:
    """Delete the stack with its resources, but those to be kept; why that failed, "" if it did not."""
    status(stack, "DELETE_IN_PROGRESS", "User Initiated")
    failed = [
        made.logical_id
        for made in reversed(list(stack.made.values()))
        if not unmake_one(stack, made, keep=made.logical_id in keep)
    ]
    if failed:
        text = f"The following resource(s) failed to delete: [{', '.join(failed)}]. "
        status(stack, "DELETE_FAILED", text)
        return text
    backend = cloudformation_backends[stack.account_id][stack.region_name]
    for name in [name for name, each in backend.exports.items() if each.exporting_stack_id == stack.stack_id]:
        del backend.exports[name]
    backend.stacks.pop(stack.stack_id, None)
    backend.deleted_stacks[stack.stack_id] = stack
    status(stack, "DELETE_COMPLETE")
    return ""
