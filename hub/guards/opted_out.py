"""Resources whose owners keep the hub off by a tag, as the finding tells it.

Spoke roles are denied writes to such resources too, where IAM can tell by tags (`spoke_role.opt_out`). Here the
finding's own copy of the tags decides, so nothing is entered or asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.entity import tags
from hub.model import Decision, Step, Verdict
from spoke_role.tags import OPT_OUT_TAG, OPT_OUT_VALUE


@dataclass(frozen=True, slots=True)
class OptedOut:
    name: str = "opted out"

    async def judge(self, step: Step) -> Verdict | None:
        for key, value in tags(step.finding.entity):
            # As IAM compares them: neither the key's case counts nor the value's.
            if key.casefold() == OPT_OUT_TAG and value.strip().casefold() == OPT_OUT_VALUE:
                return Verdict(
                    decision=Decision.REFUSE,
                    guard=self.name,
                    why=f"{step.finding.entity_id} carries the tag {key}={value}, so the hub leaves it alone; take "
                    "the tag off (or set it to false) and send the finding again to have it fixed",
                )
        return None
