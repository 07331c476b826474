"""Pure reading of key policies: may an AWS service use a key?"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable

from bots._policies import Statement, listed, statements


def shut_out(document: str, services: Iterable[str], actions: Iterable[str]) -> tuple[str, ...]:
    """Those of the services that no statement of the key policy allows one of the actions, sorted.

    A statement counts that names the service, whatever its conditions: they usually say for which
    resource the service may use the key, and only AWS can tell.
    """
    allowing = [each for each in statements(document) if each.get("Effect") == "Allow"]
    return tuple(
        service
        for service in sorted(services)
        if not all(any(_lets(each, service, action) for each in allowing) for action in actions)
    )


def _lets(statement: Statement, service: str, action: str) -> bool:
    principal = statement.get("Principal")
    return (
        isinstance(principal, dict)
        and service in listed(principal.get("Service", []))
        and any(fnmatch.fnmatch(action.lower(), name.lower()) for name in listed(statement.get("Action", [])))
    )
