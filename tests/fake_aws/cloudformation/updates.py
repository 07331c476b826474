"""Stacks brought up to date: what changed is changed, and changed back when something fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.cloudformation.parsing import ResourceMap
from moto.core.utils import utcnow

from tests.fake_aws.cloudformation import templates
from tests.fake_aws.cloudformation.answers import Refused
from tests.fake_aws.cloudformation.events import event, last_failure, status
from tests.fake_aws.cloudformation.resources import (
    Failed,
    Made,
    change,
    properties_of,
    wanted,
)
from tests.fake_aws.cloudformation.stacks import export, in_effect, make_one, unmake_one

NO_UPDATES = "No updates are to be performed."
_UNFIT = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


def is_same(stack: Any, text: str, given: Mapping[str, str], tags: Mapping[str, str]) -> bool:
    """Whether an update with this would change nothing."""
    template = templates.read(text)
    return bool(
        _what_counts(stack.template_dict) == _what_counts(template)
        and stack.parameters == in_effect(template, given)
        and stack.tags == dict(tags)
    )


def _what_counts(template: templates.Document) -> templates.Document:
    """A description alone cannot be updated."""
    return {name: part for name, part in template.items() if name not in ("Description", "Metadata")}


def check_updatable(stack: Any) -> None:
    """
    Raises:
        Refused: the stack is in no state to be updated.
    """
    if stack.status in _UNFIT:
        raise Refused(f"Stack:{stack.stack_id} is in {stack.status} state and can not be updated.")


def update(stack: Any, text: str, given: Mapping[str, str], tags: Mapping[str, str]) -> str:
    """Bring the stack up to date; why that failed, "" if it did not. A failed one is as it was before.

    Raises:
        Refused: a rule of the template about its parameters does not hold. Nothing has changed.
    """
    before = (stack.template, stack.parameters, stack.tags)
    template = templates.parsed(text)
    templates.check_rules(template, resource_map_for(stack, template, in_effect(template, given)))
    status(stack, "UPDATE_IN_PROGRESS", "User Initiated")
    replaced: list[Made] = []
    try:
        aim(stack, text, in_effect(template, given), tags)
        for logical_id in templates.in_order(stack.template_dict):
            _bring_up_to_date(stack, logical_id, replaced)
    except Failed:
        logical_id, said = last_failure(stack)
        text = f"The following resource(s) failed to update: [{logical_id}]. "
        status(stack, "UPDATE_ROLLBACK_IN_PROGRESS", text)
        status(stack, _rolled_back(stack, before, replaced, logical_id))
        return said
    status(stack, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
    for made in [*replaced, *_no_longer_wanted(stack)]:
        # What cannot be removed stays behind, and the update is complete all the same.
        unmake_one(stack, made)
        stack.made = {name: each for name, each in stack.made.items() if each is not made}
    export(stack)
    status(stack, "UPDATE_COMPLETE")
    return ""


def aim(stack: Any, text: str, parameters: Mapping[str, str], tags: Mapping[str, str]) -> None:
    """What the stack is to become. Resources are as they were."""
    stack.template, stack.tags, stack.parameters = text, dict(tags), dict(parameters)
    stack._parse_template()
    stack.resource_map = resource_map_for(stack, stack.template_dict, stack.parameters)
    stack.description = stack.template_dict.get("Description")
    for made in stack.made.values():
        stack.resource_map._parsed_resources[made.logical_id] = made.resource
    stack.last_updated_time = utcnow()


def resource_map_for(stack: Any, template: templates.Document, parameters: Mapping[str, str]) -> Any:
    found = ResourceMap(
        stack.stack_id,
        stack.name,
        parameters,
        stack.tags,
        account_id=stack.account_id,
        region_name=stack.region_name,
        template=template,
        cross_stack_resources=stack.cross_stack_resources,
    )
    found.load()
    return found


def _bring_up_to_date(stack: Any, logical_id: str, replaced: list[Made], *, half_done: bool = False) -> None:
    declared, made = wanted(stack, logical_id), stack.made.get(logical_id)
    if declared is None:
        return
    if made is None:
        make_one(stack, logical_id)
        return
    same = declared["Type"] == made.kind and made.properties == properties_of(stack, declared)
    if same and not half_done:
        made.declared = declared
        return
    event(stack, logical_id, made.physical_id, made.kind, "UPDATE_IN_PROGRESS")
    try:
        now, old = change(stack, made, declared)
    except Failed as failed:
        event(stack, logical_id, made.physical_id, made.kind, "UPDATE_FAILED", str(failed))
        raise
    stack.made[logical_id] = now
    if old is not None:
        replaced.append(old)
    event(stack, logical_id, now.physical_id, now.kind, "UPDATE_COMPLETE")


def _no_longer_wanted(stack: Any) -> list[Made]:
    names = stack.template_dict["Resources"]
    return [
        made
        for made in reversed(list(stack.made.values()))
        if made.logical_id not in names or wanted(stack, made.logical_id) is None
    ]


def _rolled_back(stack: Any, before: tuple[Any, Any, Any], replaced: Sequence[Made], failed: str) -> str:
    new = {made.logical_id: made for made in stack.made.values()}
    aim(stack, *before)
    for old in replaced:
        unmake_one(stack, new[old.logical_id])
        stack.made[old.logical_id] = old
        stack.resource_map._parsed_resources[old.logical_id] = old.resource
    try:
        for logical_id in templates.in_order(stack.template_dict):
            _bring_up_to_date(stack, logical_id, [], half_done=logical_id == failed)
    except Failed:
        return "UPDATE_ROLLBACK_FAILED"
    status(stack, "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS")
    for made in _no_longer_wanted(stack):
        unmake_one(stack, made)
    return "UPDATE_ROLLBACK_COMPLETE"
