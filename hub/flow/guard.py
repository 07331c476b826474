"""Asks every guard about a step; the first word that is not "go" stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from bots._bot import Before, Check
from hub.guards import Guard
from hub.model import Decision, Step, Verdict
from hub.noting import current

GO = Verdict(decision=Decision.GO)


async def judge(guards: Sequence[Guard], step: Step) -> Verdict:
    """The verdict about a step that has a bot, parameters and a target.

    A dry run is the mildest word: a guard that refuses outright wins over it.
    """
    found, notes = GO, current()
    for guard in guards:
        verdict = await guard.judge(step)
        if notes is not None:
            notes.word(verdict or replace(GO, guard=guard.name))
        if verdict is None:
            continue
        if verdict.decision is not Decision.DRY_RUN:
            return verdict
        found = verdict
    return found


async def judge_touched(guards: Sequence[Guard], step: Step, check: Check[Before]) -> Verdict:
    """The verdict about everything else a fix will change, which only a look could find out."""
    assert step.target is not None
    found = ((step.target.type, check.target_id),) if check.target_id else ()
    for kind, name in (*found, *check.touches):
        other = replace(step, target=replace(step.target, type=kind, id=name, name=""))
        verdict = await judge(guards, other)
        if verdict.decision.outcome is not None:
            return verdict
    return GO
