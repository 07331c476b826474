"""Finding formats. One file a format: ``recognises`` looks at the JSON, ``read`` makes a `Finding` of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hub.model import Finding


class Dialect(Protocol):
    @property
    def name(self) -> str:
        """For people and settings."""
        ...

    def recognises(self, document: Mapping[str, Any]) -> bool:
        """Cheap look at the top-level keys."""
        ...

    def account_in(self, document: Mapping[str, Any]) -> str:
        """The account id a finding is about, without reading the rest.

        Raises:
            FindingUnreadable: as `read`.
        """
        ...

    def read(self, document: Mapping[str, Any], *, occurrence: str) -> Finding:
        """The finding in the hub's words. Pure.

        Raises:
            FindingUnreadable: what is indispensable is missing or of the wrong type; the text says
                which field and what was expected.
        """
        ...
