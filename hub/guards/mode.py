"""Dry run: look and report, change nothing."""

from __future__ import annotations

from dataclasses import dataclass

from hub.model import Decision, Step, Verdict


@dataclass(frozen=True, slots=True)
class Mode:
    dry_run: bool
    name: str = "mode"

    async def judge(self, step: Step) -> Verdict | None:  # noqa: ARG002 - the same for every step
        if self.dry_run:
            return Verdict(
                decision=Decision.DRY_RUN, guard=self.name, why="the hub is in dry run (HUB_DRY_RUN)"
            )
        return None
