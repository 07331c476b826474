"""What a resource type of a template is here: a few calls of its service."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

from tests.fake_aws.cloudformation.services import service

Properties = dict[str, Any]


class Kind(CloudFormationModel):  # type: ignore[misc]
    """One resource. Subclasses say how it is made, changed and removed.

    Attributes:
        TYPE: CloudFormation's name of the type.
        NAMED_BY: the property that is the resource's name, "" if it has none.
        ATTRIBUTES: what Fn::GetAtt can ask for; found in ``attributes``.
    """

    TYPE: ClassVar[str] = ""
    NAMED_BY: ClassVar[str] = ""
    ATTRIBUTES: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, name: str, account_id: str, region: str) -> None:
        self.name, self.account_id, self.region = name, account_id, region
        self.physical_resource_id = name
        self.attributes: dict[str, str] = {}

    def make(self, properties: Properties) -> None:
        """Make it, and set what identifies it."""
        raise NotImplementedError

    def change(self, before: Properties, after: Properties) -> None:
        """Bring it from one set of properties to another. What changes is nothing that takes a new resource."""
        raise NotImplementedError(f"{self.TYPE} cannot be changed here yet")

    def remove(self, properties: Properties) -> None:
        raise NotImplementedError

    def api(self, name: str) -> Any:
        return service(name, self.account_id, self.region)

    # --- what moto wants of a model

    @classmethod
    def cloudformation_type(cls) -> str:
        return cls.TYPE

    @classmethod
    def cloudformation_name_type(cls) -> str:
        return cls.NAMED_BY

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in cls.ATTRIBUTES

    def get_cfn_attribute(self, name: str) -> str:
        return self.attributes[name]

    def is_created(self) -> bool:
        return True

    @classmethod
    def create_from_cloudformation_json(
        cls, name: str, declared: Any, account_id: str, region: str, **_: Any
    ) -> Kind:
        made = cls(name, account_id, region)
        made.make(declared["Properties"])
        made.properties = declared["Properties"]
        return made

    @classmethod
    def update_from_cloudformation_json(
        cls, *, original_resource: Any, cloudformation_json: Any, **_: Any
    ) -> Any:
        before, after = original_resource.properties, cloudformation_json["Properties"]
        # Even if that fails half-way: then all of it has to be changed back.
        original_resource.properties = after
        original_resource.change(before, after)
        return original_resource


def _models() -> list[type[CloudFormationModel]]:
    """moto's, and these, which win."""
    return [*CloudFormationModel.__subclasses__(), *Kind.__subclasses__()]


def _named_by(kind: str) -> str | None:
    """The property that is the name. moto asks its own models first."""
    model = parsing.get_model_map().get(kind)
    return str(model.cloudformation_name_type()) if model else None


parsing.get_model_list = _models
parsing.resource_name_property_from_type = _named_by
parsing.get_model_map.cache_clear()
parsing.get_name_type_map.cache_clear()


# --- properties as calls want them


def as_call(client: Any, operation: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Properties are called as the call's parameters are, but numbers may be text and text may be numbers."""
    shape = client.meta.service_model.operation_model(operation).input_shape
    found: dict[str, Any] = _as(shape, properties)
    return found


def _as(shape: Any, value: Any) -> Any:
    match shape.type_name:
        case "structure" if isinstance(value, Mapping):
            return {key: _as(shape.members[key], each) if key in shape.members else each
                    for key, each in value.items()}  # fmt: skip
        case "list" if isinstance(value, list):
            return [_as(shape.member, each) for each in value]
        case "map" if isinstance(value, Mapping):
            return {key: _as(shape.value, each) for key, each in value.items()}
        case "integer" | "long":
            return int(value)
        case "double" | "float":
            return float(value)
        case "boolean":
            return value in (True, "true", "True")
        case "string":
            return text(value)
        case _:
            return value


def text(value: Any) -> str:
    """As an attribute of a topic or queue: documents as JSON, truth as in JSON."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def others_must_stay(before: Properties, after: Properties, changeable: Iterable[str]) -> None:
    """
    Raises:
        NotImplementedError: a property changes that the type does not change here; better than to look done.
    """
    names = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    if wrong := sorted(names - set(changeable)):
        raise NotImplementedError(f"{', '.join(wrong)} cannot be changed here yet")


def only(properties: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: properties[name] for name in names if name in properties}


def without(properties: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in names}


def tags(properties: Mapping[str, Any]) -> dict[str, str]:
    return {tag["Key"]: str(tag["Value"]) for tag in properties.get("Tags") or []}
