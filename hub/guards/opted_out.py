"""Resources whose owners keep the hub off by a tag, as the finding tells it.

Spoke roles are denied writes to such resources too, where IAM can tell by tags (`spoke_role.opt_out`). Here the
finding's own copy of the tags decides first, so nothing is entered or asked for it; and before a change the tags
as they are now, where they can be known.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hub.entity import tags
from hub.guards import CountsNothing, Proposal
from hub.guards.tags_now import TagsNow
from hub.model import Decision, Step, Verdict
from spoke_role.tags import OPT_OUT_TAG, OPT_OUT_VALUE


@dataclass(frozen=True, slots=True)
class OptedOut:
    name: str = "opted out"

    async def judge(self, step: Step) -> Verdict | None:
        return _by_tag(self.name, step.finding.entity_id, tags(step.finding.entity))


@dataclass(frozen=True, slots=True)
class OptedOutNow(CountsNothing):
    """Where the tags cannot be known nothing is said: the finding's copy was asked before, and IAM will be."""

    tags_now: TagsNow
    name: str = "opted out now"

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        """
        Raises:
            AwsError: AWS throttled or did not answer; then nothing may be changed.
        """
        assert proposal.step.target is not None
        found = await self.tags_now.of(proposal) or {}
        return _by_tag(self.name, proposal.run.target_id or proposal.step.target.id, found.items())


def _by_tag(guard: str, what: str | None, found: Iterable[tuple[str, str]]) -> Verdict | None:
    for key, value in found:
        # As IAM compares them: neither the key's case counts nor the value's.
        if key.casefold() == OPT_OUT_TAG and value.strip().casefold() == OPT_OUT_VALUE:
            return Verdict(
                decision=Decision.REFUSE,
                guard=guard,
                why=f"{what} carries the tag {key}={value}, so the hub leaves it alone; take the tag off (or set it "
                "to false) and send the finding again to have it fixed",
            )
    return None
