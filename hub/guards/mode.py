"""Dry run: look and report, change nothing."""

from __future__ import annotations

from dataclasses import dataclass

from hub.model import Decision, Step, Verdict


@dataclass(frozen=True, slots=True)
class Mode:
    dry_run: bool
    name: str = "mode"

    async def judge(self, step: Step) -> Verdict | None:
        # Some bots have always had a word for it of their own.
        if getattr(step.params, "dry_run", False):
            return Verdict(decision=Decision.DRY_RUN, guard=self.name, why="the finding asks for a dry run")
        if self.dry_run:
            return Verdict(
                decision=Decision.DRY_RUN, guard=self.name, why="the hub is in dry run (HUB_DRY_RUN)"
            )
        return None
