"""What guards that count go by: the step where its resource was found, and what it is counted under."""

from __future__ import annotations

from dataclasses import replace

from hub.model import Run, Step
from hub.rules.guard_model import EachOf


def seen(step: Step, run: Run) -> Step:
    """The step of a change that has ended, in the region where the look found its resource."""
    assert step.target is not None
    return replace(step, target=replace(step.target, region=run.region))


def value_of(each: EachOf, step: Step) -> str:
    """What the step's changes are counted apart by."""
    assert step.bot is not None
    assert step.target is not None
    return {"account": step.target.account_id, "bot": step.bot.name, "region": step.target.region}[each]
