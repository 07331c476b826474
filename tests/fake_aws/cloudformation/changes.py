"""What an update would do to a stack, told before it is done."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.fake_aws.cloudformation import templates
from tests.fake_aws.cloudformation.resources import Made, changed_properties, properties_of, replaced_for
from tests.fake_aws.cloudformation.stacks import in_effect
from tests.fake_aws.cloudformation.updates import resource_map_for

UNKNOWN = "{{changeSet:KNOWN_AFTER_APPLY}}"


class _ToBe:
    """A resource that is not there yet, or will be another one."""

    physical_resource_id = UNKNOWN

    def get_cfn_attribute(self, _name: str) -> str:
        return UNKNOWN


@dataclass(slots=True)
class _Aim:
    """A stack as it is to be, as far as resources are read from it."""

    template_dict: templates.Document
    resource_map: Any


def changes(stack: Any, text: str, given: Mapping[str, str], *, values: bool) -> list[dict[str, Any]]:
    """As DescribeChangeSet tells them. ``values``: with the values of properties before and after."""
    template = templates.parsed(text)
    parameters = in_effect(template, given)
    aim = _Aim(template, resource_map_for(stack, template, parameters))
    known = aim.resource_map._parsed_resources
    for name in template["Resources"]:
        known[name] = stack.made[name].resource if name in stack.made else _ToBe()
    changed_parameters = {
        name for name, value in parameters.items() if stack.made and stack.parameters.get(name) != value
    }
    found: list[dict[str, Any]] = []
    for name in templates.in_order(template):
        declared, made = template["Resources"][name], stack.made.get(name)
        condition = declared.get("Condition")
        if condition and not aim.resource_map.lazy_condition_map[condition]:
            continue
        if made is None:
            found.append(_change("Add", name, declared["Type"]))
        elif change := _modification(aim, made, declared, changed_parameters, values=values):
            found.append(change)
            if change["Replacement"] == "True":
                known[name] = _ToBe()
    found += _removals(stack, aim)
    return [{"Type": "Resource", "ResourceChange": change} for change in found]


def _change(action: str, name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "Action": action,
        "LogicalResourceId": name,
        "ResourceType": kind,
        "Scope": [],
        "Details": [],
    } | more


def _removals(stack: Any, aim: _Aim) -> Iterator[dict[str, Any]]:
    for made in stack.made.values():
        declared = aim.template_dict["Resources"].get(made.logical_id)
        condition = declared.get("Condition") if declared else None
        if declared is None or (condition and not aim.resource_map.lazy_condition_map[condition]):
            policy = "Retain" if made.kept else "Delete"
            yield _change(
                "Remove", made.logical_id, made.kind, PhysicalResourceId=made.physical_id, PolicyAction=policy
            )


def _modification(
    aim: _Aim, made: Made, declared: dict[str, Any], parameters: set[str], *, values: bool
) -> dict[str, Any] | None:
    properties = properties_of(aim, declared)
    names = changed_properties(made.properties, properties)
    details = [
        detail
        for name in names
        for detail in _details(made, declared, name, properties, parameters, values=values)
    ]
    for attribute in ("DeletionPolicy", "UpdateReplacePolicy", "Metadata"):
        if made.declared.get(attribute) != declared.get(attribute):
            target = {"Attribute": attribute, "RequiresRecreation": "Never"}
            details.append({"Target": target, "Evaluation": "Static", "ChangeSource": "DirectModification"})
    if not details:
        return None
    recreation = {each["Target"]["RequiresRecreation"] for each in details}
    replacement = (
        "True" if "Always" in recreation else "Conditional" if "Conditionally" in recreation else "False"
    )
    return _change(
        "Modify",
        made.logical_id,
        made.kind,
        PhysicalResourceId=made.physical_id,
        Replacement=replacement,
        Scope=sorted({each["Target"]["Attribute"] for each in details}),
        Details=details,
    )


def _details(
    made: Made,
    declared: dict[str, Any],
    name: str,
    properties: dict[str, Any],
    parameters: set[str],
    *,
    values: bool,
) -> Iterator[dict[str, Any]]:
    before, after = made.properties.get(name), properties.get(name)
    # Of a value that only the update will tell, nobody can say whether it will be another one.
    dynamic = UNKNOWN in json.dumps(after, default=str)
    fixed = replaced_for(made.kind, {name: before}, {name: after})
    recreation = ("Conditionally" if dynamic else "Always") if fixed else "Never"
    target: dict[str, Any] = (
        {"Attribute": "Tags"} if name == "Tags" else {"Attribute": "Properties", "Name": name}
    )
    target["RequiresRecreation"] = recreation
    if values:
        target |= {"Path": f"/Properties/{name}", "AttributeChangeType": _kind_of_change(before, after)}
        target |= {"BeforeValue": _shown(before)} if before is not None else {}
        target |= {"AfterValue": _shown(after)} if after is not None else {}
    raw = (declared.get("Properties") or {}).get(name)
    causes = [
        parameter for parameter in sorted(parameters) if parameter in set(templates.needs(raw, parameters))
    ]
    common = {"Target": target, "Evaluation": "Dynamic" if dynamic else "Static"}
    for parameter in causes:
        yield {**copy.deepcopy(common), "ChangeSource": "ParameterReference", "CausingEntity": parameter}
    if not causes or raw != (made.declared.get("Properties") or {}).get(name):
        yield {
            **copy.deepcopy(common),
            "ChangeSource": "ResourceReference" if dynamic else "DirectModification",
        }


def _kind_of_change(before: Any, after: Any) -> str:
    return "Add" if before is None else "Remove" if after is None else "Modify"


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)
