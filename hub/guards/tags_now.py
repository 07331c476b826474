"""The tags of the resource that a change is about, as they are now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bots._aws import Aws
from bots._bot import Target
from hub.guards import Proposal
from hub.guards.where import as_seen

LiveTags = Callable[[Aws, Target], Awaitable[Mapping[str, str] | None]]
"""Reads the tags of a resource; None where they cannot be known: of such a type, or without the right to."""
REMEMBERED = 200


class TagsNow:
    """Asks once for all guards that want to know."""

    def __init__(self, live_tags: LiveTags) -> None:
        self._live_tags = live_tags
        # The proposals are kept too: as long as they are, no other object has their number.
        self._known: dict[int, tuple[Proposal, Mapping[str, str] | None]] = {}

    async def of(self, proposal: Proposal) -> Mapping[str, str] | None:
        """The tags; None where they cannot be known.

        Raises:
            AwsError: AWS throttled or did not answer; then nothing may be changed.
        """
        known = self._known.get(id(proposal))
        if known is not None:
            return known[1]
        target = as_seen(proposal).target
        assert target is not None
        found = await self._live_tags(proposal.account, target)
        if len(self._known) >= REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[id(proposal)] = (proposal, found)
        return found
