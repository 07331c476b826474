"""Runs steps side by side, but those about one resource one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import groupby

from hub.flow import execute
from hub.flow.kit import Kit
from hub.leases import Held
from hub.model import Run, Step


async def carry_out_all(kit: Kit, steps: Sequence[Step], held: Held) -> tuple[Run, ...]:
    """Steps about one resource in the finding's order, different resources side by side.

    Args:
        held: the lease on what the steps belong to.

    Raises:
        see `execute.carry_out`; only when all others have come to their end.
    """
    lanes = [list(group) for _, group in groupby(sorted(steps, key=_lane), key=_lane)]
    done = await asyncio.gather(*(_carry_out_lane(kit, lane, held) for lane in lanes), return_exceptions=True)
    runs: dict[str, Run] = {}
    for lane in done:
        if isinstance(lane, BaseException):
            raise lane
        runs.update({run.run_id: run for run in lane})
    return tuple(runs[step.run_id] for step in steps)


def _lane(step: Step) -> str:
    return step.lane if step.target is not None else ""


async def _carry_out_lane(kit: Kit, steps: Sequence[Step], held: Held) -> list[Run]:
    name = _lane(steps[0])
    if not name:
        return [await execute.carry_out(kit, step, held, None) for step in steps]
    async with kit.leases.hold(f"resource/{name}", wait=kit.settings.lease_seconds) as lane:
        return [await execute.carry_out(kit, step, held, lane) for step in steps]
