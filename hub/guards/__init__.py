"""Reasons to refuse, one file each. A guard that has nothing to say answers None.

Some have their say about every step (`Guard`), before anything is entered; others only about one that has
looked and would now change something (`ChangeGuard`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from bots._aws import Aws
from hub.model import Run, Step, Verdict
from hub.rules.guard_model import GuardRules

CurrentRules = Callable[[], GuardRules]
"""What the rules file in force says to guards."""


class Guard(Protocol):
    @property
    def name(self) -> str:
        """For people and settings."""
        ...

    async def judge(self, step: Step) -> Verdict | None:
        """The guard's word about a planned step (its bot, params and target are set)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A change that a step is about to make.

    Attributes:
        run: as it would be opened: its target, what is there now (``before``), notes.
        account: the account that was entered, with the rights of the step's bot and those guards have.
        only_asked: it is a dry run or a plan: nothing may be reserved or written for it.
    """

    step: Step
    run: Run
    now: datetime
    account: Aws
    only_asked: bool = False


class ChangeGuard(Protocol):
    @property
    def name(self) -> str: ...

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        """The guard's word about a change, asked last of all; what it counts, it counts from here on."""
        ...

    async def ended(self, step: Step, run: Run) -> None:
        """A change that was judged has ended as ``run`` tells, made or held back; its record is written."""
        ...


class CountsNothing:
    """Of a `ChangeGuard` that does not mind how changes end."""

    __slots__ = ()

    async def ended(self, step: Step, run: Run) -> None:
        """Nothing is counted."""
