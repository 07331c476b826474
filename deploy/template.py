"""CloudFormation templates as data: the parameters they take, the rules they have, what differs between two."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # ten times faster, where PyYAML was built with it
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]

Template = Mapping[str, Any]


class _Loader(SafeLoader):
    """YAML with CloudFormation's short forms, ``!Ref x`` for ``{Ref: x}``."""


def _short_form(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.MappingNode):
        value = loader.construct_mapping(node, deep=True)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.ScalarNode)
        value = loader.construct_scalar(node)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _short_form)


def hub_template() -> str:
    """The text of ``deploy/hub.yaml``."""
    return resources.files("deploy").joinpath("hub.yaml").read_text(encoding="utf-8")


def archive_template() -> str:
    """The text of ``deploy/archive.yaml``."""
    return resources.files("deploy").joinpath("archive.yaml").read_text(encoding="utf-8")


def role_template() -> str:
    """The text of ``spoke_role/role.yaml``, the role for all bots."""
    return resources.files("spoke_role").joinpath("role.yaml").read_text(encoding="utf-8")


def parse(template: str | Template) -> Template:
    """A template as data, whether YAML, JSON or, as botocore hands JSON templates out, parsed already."""
    return _parsed(template) if isinstance(template, str) else template


@lru_cache(maxsize=16)
def _parsed(text: str) -> Template:
    found = yaml.load(text, Loader=_Loader)  # noqa: S506 - a SafeLoader that knows more tags
    return found if isinstance(found, dict) else {}


def differences(one: str | Template, other: str | Template) -> tuple[str, ...]:
    """What is not the same in two templates, as ``Resources.Queue``; how they are written does not count."""
    left, right = parse(one), parse(other)
    found = []
    for section in sorted({*left, *right}):
        a, b = left.get(section), right.get(section)
        if a == b:
            continue
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found += [f"{section}.{name}" for name in sorted({*a, *b}) if a.get(name) != b.get(name)]
        else:
            found.append(section)
    return tuple(found)
