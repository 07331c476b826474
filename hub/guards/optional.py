"""Bots that are off unless somebody switched them on."""

from __future__ import annotations

from dataclasses import dataclass

from hub.model import Decision, Step, Verdict


@dataclass(frozen=True, slots=True)
class Optional:
    allowed: tuple[str, ...]
    name: str = "optional"

    async def judge(self, step: Step) -> Verdict | None:
        assert step.bot is not None
        if not step.bot.optional or step.bot.name in self.allowed:
            return None
        return Verdict(
            decision=Decision.REFUSE,
            guard=self.name,
            why=f"{step.bot.name} is off unless allowed: name it in HUB_OPTIONAL_BOTS and deploy a spoke role "
            "that includes it",
        )
