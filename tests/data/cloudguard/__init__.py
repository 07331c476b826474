"""Made-up CloudGuard messages in the shapes it really sends; `expected.yaml` says what they mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

_HERE = Path(__file__).parent


def text(name: str) -> str:
    """The message as it is in the file."""
    return (_HERE / name).read_text(encoding="utf-8")


def document(name: str) -> dict[str, Any]:
    """The message parsed, for changing it."""
    found: dict[str, Any] = json.loads(text(name))
    return found


def names() -> list[str]:
    """All files of messages, in order."""
    return sorted(path.name for path in _HERE.glob("*.json"))


def expected() -> dict[str, dict[str, Any]]:
    """File name -> what a hub must read out of it."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(text("expected.yaml"))
    return found
