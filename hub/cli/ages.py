"""Ages and lengths of time as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LENGTH = re.compile(r"(\d{1,6})([mhdw])")


def moment(text: str, *, now: datetime) -> datetime:
    """``2h``, ``7d`` ago, or an ISO date or time (UTC unless it says otherwise).

    Raises:
        typer.BadParameter: neither.
    """
    try:
        if (ago := _length(text)) is not None:
            return now - ago
        when = datetime.fromisoformat(text.strip())
        return when.astimezone(UTC) if when.tzinfo else when.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is neither an age like 2h or 7d nor a date like 2026-11-24"
        ) from None


def length(text: str) -> timedelta:
    """``30m``, ``12h``, ``7d``, ``2w``, or ``0`` for none; at most ten years.

    Raises:
        typer.BadParameter: none of these.
    """
    found = timedelta() if text.strip() == "0" else _length(text)
    if found is None or found > timedelta(days=3650):
        raise typer.BadParameter(f"{text!r} is no length of time like 30m, 12h, 7d or 2w, or 0 for none")
    return found


def _length(text: str) -> timedelta | None:
    found = _LENGTH.fullmatch(text.strip())
    return timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None
