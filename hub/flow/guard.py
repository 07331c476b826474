"""Asks every guard about a step; the first word that is not "go" stands."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from bots._bot import Before, Check
from hub.errors import HubError
from hub.guards import ChangeGuard, Guard, Proposal
from hub.model import Decision, Run, Step, Verdict
from hub.noting import current
from hub.verdict import GO

log = logging.getLogger(__name__)


async def judge(guards: Sequence[Guard], step: Step, *, ask_all: bool = False) -> Verdict:
    """The verdict about a step that has a bot, parameters and a target.

    A dry run is the mildest word: a guard that refuses outright wins over it.

    Args:
        ask_all: hear also those who come after a refusal, for a plan to show their words.
    """
    found = GO
    for guard in guards:
        verdict = await guard.judge(step)
        _note(verdict or replace(GO, guard=guard.name))
        if verdict is None or found.decision.outcome is not None:
            continue
        if verdict.decision is not Decision.DRY_RUN and not ask_all:
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


@dataclass(frozen=True, slots=True)
class Judged:
    """The verdict about a change, and what guards remark that let it pass."""

    verdict: Verdict
    remarks: tuple[str, ...] = ()


async def judge_change(guards: Sequence[ChangeGuard], proposal: Proposal) -> Judged:
    """The verdict about a change that is about to be made. Where it is only asked for, all are heard."""
    found, remarks = GO, []
    for guard in guards:
        verdict = await guard.judge_change(proposal)
        _note(verdict or replace(GO, guard=guard.name))
        if verdict is None or found.decision.outcome is not None:
            continue
        if verdict.decision is Decision.GO:
            remarks.append(verdict.why)
            continue
        found = verdict
        if not proposal.only_asked:
            break
    return Judged(found, tuple(remarks))


async def tell_ended(guards: Sequence[ChangeGuard], step: Step, run: Run) -> None:
    """Tell the guards that let a change pass what came of it. The run is recorded, so nothing may fail it now."""
    for guard in guards:
        try:
            await guard.ended(step, run)
        except HubError as error:
            extra = {"guard": guard.name, "run": run.run_id, "error": str(error)}
            log.warning("a guard could not take down how a run ended", extra=extra)


def _note(verdict: Verdict) -> None:
    notes = current()
    if notes is not None:
        notes.word(verdict)
