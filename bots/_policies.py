"""Pure readings of policy documents."""

from __future__ import annotations

import json
from typing import Any


def _listed(value: Any) -> list[Any]:
    """IAM lets a lone element stand without its list."""
    return value if isinstance(value, list) else [value]


def services_let_in(document: str | None) -> frozenset[str]:
    """Service principals that some Allow statement of a resource policy names, conditions or not."""
    if not document:
        return frozenset()
    found: set[str] = set()
    for statement in _listed(json.loads(document).get("Statement", [])):
        principal = statement.get("Principal")
        if statement.get("Effect") == "Allow" and isinstance(principal, dict):
            found.update(str(service) for service in _listed(principal.get("Service", [])))
    return frozenset(found)
