"""What remediation rules do not let run; the plan stage has asked them."""

from __future__ import annotations

from dataclasses import dataclass

from hub.model import Decision, Step, Verdict


@dataclass(frozen=True, slots=True)
class RuledOut:
    name: str = "rules"

    async def judge(self, step: Step) -> Verdict | None:
        if step.refusal is None:
            return None
        return Verdict(decision=Decision.REFUSE, guard=self.name, why=step.refusal)
