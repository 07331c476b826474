"""Where reports go. One small class a place."""

from __future__ import annotations

from typing import Protocol

from hub.model import Report


class Sink(Protocol):
    @property
    def name(self) -> str:
        """For people and settings."""
        ...

    async def publish(self, report: Report) -> None:
        """Send the report.

        Raises:
            SpokeError or HubError: it could not be delivered; the message is then not acknowledged.
        """
        ...
