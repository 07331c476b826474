"""What would be done about a finding now: every due bot's look, and what every guard says. Writes nothing anywhere."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hub.flow import due, guard, record
from hub.flow.denied import told
from hub.flow.kit import Kit
from hub.flow.looking import judged_change, look, ready, rehearsed
from hub.flow.normalise import normalise
from hub.model import Decision, Message, Outcome, Run, Step
from hub.noting import noting


async def preview(kit: Kit, message: Message) -> tuple[Run, ...]:
    """The runs that `hub.flow.settle` would come to now, as far as can be told without changing anything.

    Raises:
        FindingUnreadable: as the text says.
    """
    asked = await due.asked(kit, normalise(message))
    return tuple(await asyncio.gather(*(_preview(kit, step) for step in await due.steps(kit, asked))))


async def _preview(kit: Kit, step: Step) -> Run:
    run = record.begun(kit, step, fence=0)
    with noting(run.run_id):
        if step.problem is not None:
            return record.ended(kit, run, Outcome.INVALID, step.problem)
        try:
            return await _looked(kit, step, run)
        except Exception as error:  # noqa: BLE001 - errors become outcomes
            return record.ended(kit, run, *await told(kit, run, error))


async def _looked(kit: Kit, step: Step, run: Run) -> Run:
    verdict = await guard.judge(kit.guards, step, ask_all=True)
    if (refusal := verdict.decision.outcome) is not None:
        return record.ended(kit, run, refusal, verdict.why)
    seen = await look(kit, step)
    run = seen.of(ready(step)[0], run)
    if seen.check.compliant:
        return record.ended(kit, run, Outcome.COMPLIANT, seen.check.why)
    touched = await guard.judge_touched(kit.guards, step, seen.check)
    judged = await judged_change(kit, step, run, seen, only_asked=True)
    run = replace(run, notes=run.notes + judged.remarks)
    words = f"; {verdict.why}" if verdict.decision is Decision.DRY_RUN else ""
    outcome, why = Outcome.WOULD_FIX, f"{seen.check.why}{words}"
    for said in (judged.verdict, touched):
        if (refusal := said.decision.outcome) is not None:
            outcome, why = refusal, said.why
    if outcome in (Outcome.WOULD_FIX, Outcome.WAITING):
        run = await rehearsed(step, run, seen)
    return record.ended(kit, run, outcome, why)
