"""Carries out a saved plan: once, and only where nothing has changed since it was made.

Rules and guards decide anew, and a resource that is not as it was when the plan was made is left alone. What was
cut off is gone on with by asking for it again: the ids of its runs follow from the plan's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from pydantic import ValidationError

from hub.flow import due, record
from hub.flow.ids import derived_id
from hub.flow.kept import finding_of
from hub.flow.kit import Kit
from hub.flow.lanes import carry_out_all
from hub.flow.saved_plan import GRACE, Plan, PlanUnusable, mark
from hub.flow.settlement import Settlement, reported
from hub.guards.saying import moment
from hub.model import Run, Step


async def begin(kit: Kit, plan: Plan) -> Plan:
    """Note that somebody carries it out now, before the first step.

    Raises:
        PlanUnusable: it was carried out before, its time is over, or the hub changes nothing now.
    """
    if plan.applied is not None:
        raise PlanUnusable(f"plan {plan.plan_id} was carried out before, {plan.applied}; plan anew")
    if kit.settings.dry_run:
        raise PlanUnusable("the hub is set to dry run, so nothing would be changed; unset HUB_DRY_RUN")
    # One that was begun in time may come to its end.
    ends_at = plan.ends_at + (GRACE if plan.begun else timedelta())
    if kit.now() >= ends_at:
        raise PlanUnusable(f"plan {plan.plan_id} was good until {moment(plan.ends_at)}; plan anew")
    return plan if plan.begun else await mark(kit, plan)


async def finish(kit: Kit, plan: Plan) -> Plan:
    """Note that all of its steps have come to an end."""
    return await mark(kit, plan, applied=True)


async def carry_out(kit: Kit, plan: Plan, runs: Sequence[Run]) -> Settlement:
    """Carry out the steps of one finding (of `Plan.groups`), and report them.

    Raises:
        as `hub.flow.settle`; ask again then.
    """
    finding = finding_of(runs[0].finding or {})
    settled_as = _derived("finding", plan.plan_id, finding.occurrence)
    async with kit.leases.hold(f"finding/{settled_as}", wait=0) as held:
        # A first fence means that nobody ever began with this.
        if held.fence > 1 and (known := await kit.journal.settled(settled_as)):
            return Settlement(why=f"settled before, see report {known}")
        asked = await due.asked(kit, finding)
        known_steps = {step.run_id: step for step in await due.steps(kit, asked)}
        ready: list[Step] = []
        ended: list[Run] = []
        for run in runs:
            step = known_steps.get(run.run_id)
            if (why := _unfit(step, run)) or step is None:
                ended.append(
                    await record.leave(kit, record.again(kit, run, _run_id(plan, run), fence=held.fence), why)
                )
            else:
                ready.append(_as_planned(plan, step, run))
        done = (*await carry_out_all(kit, ready, held), *ended)
        report = await reported(kit, finding, done, settled_as=settled_as)
    return Settlement(report=report)


def _unfit(step: Step | None, run: Run) -> str:
    """Why a step cannot go on from what was planned, "" if it can."""
    if step is None:
        return "no rule asks for it any more: the rules have changed since the plan was made"
    if step.bot is not None and run.before is not None:
        try:
            step.bot.before.model_validate(run.before)
        except ValidationError:
            return f"{run.bot} looks at other facts than when the plan was made; plan anew"
    return ""


def _as_planned(plan: Plan, step: Step, run: Run) -> Step:
    return replace(
        step,
        run_id=_run_id(plan, run),
        expected=run.before,
        expected_at=(run.target_id, run.region),
        decided_by=f"{step.decided_by or 'the finding'}, in plan {plan.plan_id} made by {plan.made.by}",
    )


def _run_id(plan: Plan, run: Run) -> str:
    return _derived("step", plan.plan_id, run.run_id)


def _derived(*parts: str) -> str:
    return derived_id(":".join(("plan", *parts)))
