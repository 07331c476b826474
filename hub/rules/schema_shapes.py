"""Pieces of JSON Schema (draft 2020-12) that rules and guards have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}


def one_or_more(item: Schema) -> Schema:
    """One, or a list of some."""
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


PATTERNS = one_or_more(TEXT)
TAGS: Schema = {"type": "object", "minProperties": 1, "additionalProperties": PATTERNS}
ACCOUNTS = one_or_more({"type": "string", "pattern": "^[0-9]{12}$"})


def mapping(about: Mapping[str, str], properties: Mapping[str, Schema], *required: str) -> Schema:
    """An object with these keys and no other.

    Args:
        about: what editors show of a key.
    """
    told = {
        key: {"description": about[key], **value} if key in about else value
        for key, value in properties.items()
    }
    made: Schema = {"type": "object", "properties": told, "additionalProperties": False}
    return {**made, "required": list(required)} if required else made


ENTITY_ABOUT = {
    "id": "The resource's id, as the finding has it.",
    "name": "The resource's name, as the finding has it.",
    "type": "The resource's type, as the finding has it.",
    "tags": "Tags of the resource, as the finding has them.",
}
ENTITY: Schema = {
    **mapping(ENTITY_ABOUT, {"id": PATTERNS, "name": PATTERNS, "type": PATTERNS, "tags": TAGS}),
    "minProperties": 1,
}
