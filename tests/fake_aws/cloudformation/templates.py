"""Templates: how they are read, what their parameters may be, which resource needs which."""

from __future__ import annotations

import copy
import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from moto.cloudformation import parsing

from tests.fake_aws.cloudformation.answers import Refused

LONGEST = 51_200  # bytes of a template in a call

Document = dict[str, Any]


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML with CloudFormation's short forms. Dates stay text, as CloudFormation keeps them."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


def _short_form(loader: Any, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        return {name: value.split(".", 1) if suffix == "GetAtt" else value}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _short_form)


@functools.lru_cache(maxsize=64)
def read(text: str) -> Document:
    """A template that nobody writes into.

    Raises:
        Refused: it is no template.
    """
    try:
        found = json.loads(text)
    except ValueError:
        try:
            found = yaml.load(text, Loader=_Loader)
        except yaml.YAMLError as error:
            raise Refused(
                f"Template format error: YAML not well-formed. ({error.__class__.__name__})"
            ) from None
    if not isinstance(found, dict):
        raise Refused("Template format error: unsupported structure.")
    if not found.get("Resources"):
        raise Refused("Template format error: At least one Resources member must be defined.")
    return found


def parsed(text: str) -> Document:
    """A template of one's own: what reads it writes into it.

    Raises:
        Refused: it is no template.
    """
    return copy.deepcopy(read(text))


# --- parameters


def parameters_of(
    template: Document, asked: Sequence[Mapping[str, Any]], previous: Mapping[str, Any]
) -> dict[str, str]:
    """The values given, those kept from before among them; not the defaults.

    Raises:
        Refused: values that are missing, unknown or not as the template wants them.
    """
    declared = template.get("Parameters") or {}
    if unknown := [each["ParameterKey"] for each in asked if each["ParameterKey"] not in declared]:
        raise Refused(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    found: dict[str, str] = {}
    for each in asked:
        name = each["ParameterKey"]
        if "ParameterValue" in each:
            found[name] = str(each["ParameterValue"])
        elif each.get("UsePreviousValue") in (True, "true") and name in previous:
            found[name] = str(previous[name])
    if missing := [name for name, each in declared.items() if name not in found and "Default" not in each]:
        raise Refused(f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in found.items():
        _check(name, value, declared[name])
    return found


def _check(name: str, value: str, declared: Mapping[str, Any]) -> None:
    allowed = [as_text(each) for each in declared.get("AllowedValues") or ()]
    values = value.split(",") if str(declared.get("Type")).endswith("List") else [value]
    pattern = declared.get("AllowedPattern")
    said = ""
    if allowed and any(each not in allowed for each in values):
        said = f"Member must satisfy enum value set: [{', '.join(allowed)}]"
    elif pattern is not None and any(re.fullmatch(pattern, each) is None for each in values):
        said = f"Parameter {name} must match pattern {pattern}"
    elif len(value) < int(declared.get("MinLength") or 0):
        said = f"Parameter {name} must contain at least {declared['MinLength']} characters"
    elif "MaxLength" in declared and len(value) > int(declared["MaxLength"]):
        said = f"Parameter {name} must contain at most {declared['MaxLength']} characters"
    elif declared.get("Type") == "Number":
        said = _no_number(name, value, declared)
    if said:
        if told := declared.get("ConstraintDescription"):
            said = f"Parameter {name} failed to satisfy constraint: {told}"
        raise Refused(said)


def _no_number(name: str, value: str, declared: Mapping[str, Any]) -> str:
    try:
        number = float(value)
    except ValueError:
        return f"Parameter {name} must be a number"
    if "MinValue" in declared and number < float(declared["MinValue"]):
        return f"Parameter {name} must be a number not less than {declared['MinValue']}"
    if "MaxValue" in declared and number > float(declared["MaxValue"]):
        return f"Parameter {name} must be a number not greater than {declared['MaxValue']}"
    return ""


def as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def check_capabilities(template: Document, given: Sequence[str]) -> None:
    """
    Raises:
        Refused: the template makes IAM resources and nobody acknowledged it.
    """
    kinds = [
        each for each in template["Resources"].values() if str(each.get("Type")).startswith("AWS::IAM::")
    ]
    names = {"RoleName", "ManagedPolicyName", "UserName", "GroupName", "PolicyName", "InstanceProfileName"}
    named = any(
        names & set(each.get("Properties") or {}) and each["Type"] != "AWS::IAM::Policy" for each in kinds
    )
    needed = "CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"
    if kinds and not {"CAPABILITY_NAMED_IAM", needed} & set(given):
        raise Refused(f"Requires capabilities : [{needed}]", "InsufficientCapabilitiesException")


def check_rules(template: Document, resource_map: Any) -> None:
    """Assertions about parameters.

    Raises:
        Refused: one does not hold.
    """
    for rule in (template.get("Rules") or {}).values():
        if "RuleCondition" in rule and not _holds(rule["RuleCondition"], resource_map):
            continue
        for assertion in rule["Assertions"]:
            if not _holds(assertion["Assert"], resource_map):
                raise Refused(f"Template error: {assertion.get('AssertDescription', 'an assertion failed')}")


def _holds(condition: Any, resource_map: Any) -> bool:
    match condition:
        case {"Fn::Not": [inner]}:
            return not _holds(inner, resource_map)
        case {"Fn::And": list(every)}:
            return all(_holds(each, resource_map) for each in every)
        case {"Fn::Or": list(some)}:
            return any(_holds(each, resource_map) for each in some)
        case {"Fn::Contains": [values, value]}:
            return resolved(value, resource_map) in resolved(values, resource_map)
        case {"Fn::Equals": [one, other]}:
            return as_text(resolved(one, resource_map)) == as_text(resolved(other, resource_map))
        case _:
            raise Refused(f"Template format error: unknown rule function {condition}")


# --- functions


def _clean(value: Any, resource_map: Any) -> Any:
    """moto leaves AWS::NoValue in lists, as null; CloudFormation removes it."""
    found = _clean_by_moto(value, resource_map)
    if isinstance(found, list) and any(each is None for each in found):
        return [each for each in found if each is not None]
    return found


_clean_by_moto = parsing.clean_json
parsing.clean_json = _clean


def resolved(value: Any, resource_map: Any) -> Any:
    """The value with its functions worked out; the value itself stays as it is."""
    return parsing.clean_json(value, resource_map)


# --- which resource needs which


def needs(resource: Any, names: set[str]) -> Iterator[str]:
    """The resources of the template this one mentions."""
    if isinstance(resource, list):
        for each in resource:
            yield from needs(each, names)
    if not isinstance(resource, dict):
        return
    for key, value in resource.items():
        if key == "DependsOn":
            yield from (value if isinstance(value, list) else [value])
        elif key == "Ref" and value in names:
            yield value
        elif key == "Fn::GetAtt":
            yield (value if isinstance(value, list) else value.split("."))[0]
        elif key == "Fn::Sub":
            text = value[0] if isinstance(value, list) else value
            mentioned = re.findall(r"\$\{([^!}.]+)", text)
            yield from (each for each in mentioned if each in names)
            yield from needs(value[1:] if isinstance(value, list) else [], names)
        else:
            yield from needs(value, names)


def in_order(template: Document) -> list[str]:
    """Logical ids, each after those it needs.

    Raises:
        Refused: they need each other in a circle, or something that is not there.
    """
    resources = template["Resources"]
    names, done, open_ = set(resources), list[str](), list[str]()

    def visit(name: str) -> None:
        if name in done:
            return
        if name not in names:
            raise Refused(
                f"Template format error: Unresolved resource dependencies [{name}] in the Resources block"
            )
        if name in open_:
            raise Refused(f"Circular dependency between resources: [{', '.join(open_)}]")
        open_.append(name)
        for needed in needs(resources[name], names):
            visit(needed)
        open_.pop()
        done.append(name)

    for name in resources:
        visit(name)
    return done
