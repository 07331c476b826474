"""Where a finding names the resource a bot is about."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Locate = Callable[[Mapping[str, Any], str], str]


def entity(*keys: str) -> Locate:
    """Locate a target by the first of ``keys`` that the finding's entity fills.

    A dot leads inwards: ``role.name`` is the ``name`` in the entity's ``role``.
    """

    def locate(found: Mapping[str, Any], _account_id: str) -> str:
        for key in keys:
            value: Any = found
            for part in key.split("."):
                value = value.get(part) if isinstance(value, Mapping) else None
            if isinstance(value, str) and value.strip():
                return value.strip()
        raise LookupError(f"the finding's entity has no {' or '.join(keys)}")

    return locate


def account() -> Locate:
    """The account itself is the target."""
    return lambda _entity, account_id: account_id


def entity_or_account(*keys: str) -> Locate:
    """As `entity`, but the account where the entity fills none: check finds the resource by itself."""
    named = entity(*keys)

    def locate(found: Mapping[str, Any], account_id: str) -> str:
        try:
            return named(found, account_id)
        except LookupError:
            return account_id

    return locate
