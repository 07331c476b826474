"""Reasons to refuse, one file each. A guard that has nothing to say answers None."""

from __future__ import annotations

from typing import Protocol

from hub.model import Step, Verdict


class Guard(Protocol):
    @property
    def name(self) -> str:
        """For people and settings."""
        ...

    async def judge(self, step: Step) -> Verdict | None:
        """The guard's word about a planned step (its bot, params and target are set)."""
        ...
