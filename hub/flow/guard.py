"""Asks every guard about a step; the first word that is not "go" stands."""

from __future__ import annotations

from collections.abc import Iterable

from hub.guards import Guard
from hub.model import Decision, Step, Verdict

GO = Verdict(decision=Decision.GO)


async def judge(guards: Iterable[Guard], step: Step) -> Verdict:
    """The verdict about a step that has a bot, parameters and a target.

    A dry run is the mildest word: a guard that refuses outright wins over it.
    """
    found = GO
    for guard in guards:
        verdict = await guard.judge(step)
        if verdict is None:
            continue
        if verdict.decision is not Decision.DRY_RUN:
            return verdict
        found = verdict
    return found
