"""How guards put times and strangers' words into their sentences."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from hub.guards.where import Fit
from hub.model import Decision, Verdict

LONGEST_WORDS = 200  # characters of what somebody else wrote


def moment(at: datetime) -> str:
    """A time to the minute: ``2026-11-29 14:05 UTC``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def clipped(text: str) -> str:
    """Somebody else's words in one line, not too long."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST_WORDS else f"{line[: LONGEST_WORDS - 1]}…"


def cannot_tell(guard: str, fit: Fit[Any]) -> Verdict:
    """About an entry of which nobody knows whether it is about the step: nothing is changed."""
    return Verdict(
        decision=Decision.UNREACHABLE,
        guard=guard,
        why=f"{fit.unknown}, so nobody can tell whether {fit.place} is about it, and nothing was changed; "
        "send the finding again when they can be",
    )
