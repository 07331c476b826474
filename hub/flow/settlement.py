"""What became of a message."""

from __future__ import annotations

from dataclasses import dataclass

from hub.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of a message.

    ``acknowledge`` is False for what must end in the dead-letter queue. ``report`` is None when
    nothing was due or the report went out before; ``why`` says which.
    """

    acknowledge: bool = True
    report: Report | None = None
    why: str = ""
