"""What happens to a stack, event by event, and which of the failures was the first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from deploy.calls import items, missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to a resource of a stack, or to the stack itself."""

    id: str
    resource: str
    type: str
    status: str
    reason: str

    @property
    def failed(self) -> bool:
        """Whether this went wrong by itself and was not only called off because something else did."""
        return self.status.endswith("_FAILED") and "cancelled" not in self.reason


Hear = Callable[[Event], None]


class Events:
    """The events of a stack from `begin` on, each told once.

    Attributes:
        heard: all that were told, oldest first.
    """

    def __init__(self, cloudformation: Any, stack_id: str, hear: Hear | None = None) -> None:
        self.heard: list[Event] = []
        self._cloudformation = cloudformation
        self._stack_id = stack_id
        self._hear = hear
        self._told: set[str] = set()

    async def begin(self) -> None:
        """What has happened so far is of no interest."""
        await self._new()

    async def tell(self) -> None:
        """Tell what happened since the last time."""
        for event in await self._new():
            self.heard.append(event)
            if self._hear is not None:
                self._hear(event)

    async def _new(self) -> list[Event]:
        """Oldest first."""
        found: list[Event] = []
        try:
            async for raw in items(
                self._cloudformation, "describe_stack_events", "StackEvents", StackName=self._stack_id
            ):
                if raw["EventId"] in self._told:
                    break  # newest come first; from here on all is known
                found.append(_event(raw))
        except ClientError as error:
            if not missing(error):
                raise
        self._told |= {event.id for event in found}
        return found[::-1]


async def latest(cloudformation: Any, stack_id: str) -> list[Event]:
    """The events of the latest operation, oldest first."""
    found: list[Event] = []
    async for raw in items(cloudformation, "describe_stack_events", "StackEvents", StackName=stack_id):
        event = _event(raw)
        if event.reason == "User Initiated":
            break
        found.append(event)
    return found[::-1]


def causes(events: Iterable[Event]) -> list[str]:
    """What went wrong, the cause first; one line for each."""
    return [f"{event.resource}: {event.reason or event.status}" for event in events if event.failed]


def _event(raw: dict[str, Any]) -> Event:
    return Event(
        id=raw["EventId"],
        resource=raw["LogicalResourceId"],
        type=raw.get("ResourceType", ""),
        status=raw["ResourceStatus"],
        reason=raw.get("ResourceStatusReason", ""),
    )
