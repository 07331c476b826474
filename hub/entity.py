"""What a finding's copy of a resource says of it, whichever way the scanner writes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def tags(entity: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys and values of its tags: scanners write them as a list of pairs or as an object."""
    for name, found in entity.items():
        if name.casefold() != "tags":
            continue
        if isinstance(found, Mapping):
            yield from ((str(key), str(value)) for key, value in found.items())
        elif isinstance(found, list):
            for tag in found:
                if isinstance(tag, Mapping):
                    pair = {str(key).casefold(): str(value) for key, value in tag.items()}
                    yield pair.get("key", ""), pair.get("value", "")
