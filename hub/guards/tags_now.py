"""The tags of the resource that a change is about, as they are now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from bots._aws import Aws
from bots._bot import Target
from hub.guards import CurrentRules, Proposal
from hub.guards.where import as_seen

LiveTags = Callable[[Aws, Target], Awaitable[Mapping[str, str] | None]]
"""Reads the tags of a resource; None where they cannot be known: of such a type, or without the right to."""
REMEMBERED = 200


class TagsNow:
    """Asks once for all guards that want to know.

    It costs a call for every change, so it is asked only where the rules in force say something about exemptions or
    managed resources; else what the finding tells of tags has to do.
    """

    def __init__(self, rules: CurrentRules, live_tags: LiveTags) -> None:
        self._rules = rules
        self._live_tags = live_tags
        # The proposals are kept too: as long as they are, no other object has their number.
        self._known: dict[int, tuple[Proposal, Mapping[str, str] | None]] = {}

    async def of(self, proposal: Proposal, *, always: bool = False) -> Mapping[str, str] | None:
        """The tags; None where they cannot be known or nobody wants them looked up.

        Args:
            always: whatever the rules say.

        Raises:
            AwsError: AWS throttled or did not answer; then nothing may be changed.
        """
        rules = self._rules()
        if not (always or rules.exemptions or rules.managed):
            return None
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
