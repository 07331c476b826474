"""The whole product on one page: bytes in, one honest report out.

ingest -> normalise -> plan -> guard -> execute -> verify -> record -> report
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from hub.errors import FindingUnreadable
from hub.flow import execute, guard, record
from hub.flow.denied import told
from hub.flow.kit import Kit
from hub.flow.normalise import normalise, salvage
from hub.flow.plan import plan
from hub.flow.report import report_id
from hub.leases import Held
from hub.model import AccountFacts, Finding, Message, Outcome, Report, Run, Step
from hub.rules.decide import Due, without_rules

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What became of a message.

    ``acknowledge`` is False for what must end in the dead-letter queue. ``report`` is None when
    nothing was due or the report went out before; ``why`` says which.
    """

    acknowledge: bool = True
    report: Report | None = None
    why: str = ""


async def settle(kit: Kit, message: Message) -> Settlement:
    """Carry one message from bytes to its published report.

    Raises:
        NotNow: another worker has it or its resource, or a bot waits for AWS; deliver it again later.
        LeaseLost: this worker was too slow and another one took over.
        JournalUnwritable, SpokeError: nothing can be promised; deliver it again later.
    """
    try:
        finding = normalise(message)
    except FindingUnreadable as error:
        return await _unreadable(kit, message, str(error))
    due = _due(kit, finding)
    nothing = _nothing_due(finding, due)
    if nothing:
        log.debug("nothing to run", extra={"finding": finding.key, "why": nothing})
        return Settlement(why=nothing)
    async with kit.leases.hold(f"finding/{finding.occurrence}", wait=0) as held:
        # A first fence means that nobody ever had this finding, so nobody can have settled it.
        if held.fence > 1 and (known := await kit.journal.settled(finding.occurrence)):
            return Settlement(why=f"settled before, see report {known}")
        steps = await _planned(kit, finding, due)
        runs = await _carry_out_all(kit, steps, held)
        report = Report(report_id=report_id(finding.occurrence), finding=finding, runs=runs)
        await _publish(kit, report)
        await kit.journal.settle(finding.occurrence, report_id=report.report_id)
    return Settlement(report=report)


async def preview(kit: Kit, message: Message) -> tuple[Run, ...]:
    """What `settle` would do now: every due bot's check and verdict. Writes nothing anywhere.

    Raises:
        FindingUnreadable: as the text says.
    """
    finding = normalise(message)
    due = _due(kit, finding)
    if _nothing_due(finding, due):
        return ()
    steps = await _planned(kit, finding, due)
    return tuple(await asyncio.gather(*(_preview(kit, step) for step in steps)))


def _due(kit: Kit, finding: Finding) -> tuple[Due, ...]:
    """The bots that the finding and the rules ask for. Nothing is known yet of accounts' OUs and tags."""
    if kit.rules is None:
        return without_rules(finding)
    return kit.rules.current().decide(finding, AccountFacts())


async def _planned(kit: Kit, finding: Finding, due: Sequence[Due]) -> tuple[Step, ...]:
    return plan(finding, due, partition=await kit.identity.partition(), catalogue=kit.catalogue)


def _nothing_due(finding: Finding, due: Sequence[Due]) -> str:
    if finding.passed:
        return "the rule passes now"
    if not due:
        return "the finding names no bot, and no rule runs one"
    return ""


async def _carry_out_all(kit: Kit, steps: Sequence[Step], held: Held) -> tuple[Run, ...]:
    """Steps about one resource in the finding's order, different resources side by side."""
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


async def _preview(kit: Kit, step: Step) -> Run:
    run = record.begun(kit, step, fence=0)
    if step.problem is not None:
        return record.ended(kit, run, Outcome.INVALID, step.problem)
    try:
        verdict = await guard.judge(kit.guards, step)
        if (refusal := verdict.decision.outcome) is not None:
            return record.ended(kit, run, refusal, verdict.why)
        seen = await execute.look(kit, step)
        if not seen.check.compliant:
            verdict = await guard.judge_touched(kit.guards, step, seen.check)
    except Exception as error:  # noqa: BLE001 - errors become outcomes
        return record.ended(kit, run, *await told(kit, run, error))
    run = record.with_look(run, seen.account.session, seen.check)
    if (refusal := verdict.decision.outcome) is not None:
        return record.ended(kit, run, refusal, verdict.why)
    outcome = Outcome.COMPLIANT if seen.check.compliant else Outcome.WOULD_FIX
    return record.ended(kit, run, outcome, seen.check.why)


async def _unreadable(kit: Kit, message: Message, error: str) -> Settlement:
    """One report about what could not be read; the message itself goes to the dead-letter queue."""
    finding = salvage(message, error)
    report = Report(report_id=report_id(finding.occurrence), finding=finding, runs=(), error=error)
    async with kit.leases.hold(f"finding/{finding.occurrence}", wait=0) as held:
        if held.fence > 1 and await kit.journal.settled(finding.occurrence):
            return Settlement(acknowledge=False, why=f"reported before as unreadable: {error}")
        log.error("message unreadable", extra={"origin": message.origin, "error": error})
        await _publish(kit, report)
        await kit.journal.settle(finding.occurrence, report_id=report.report_id)
    return Settlement(acknowledge=False, report=report, why=error)


async def _publish(kit: Kit, report: Report) -> None:
    for sink in kit.sinks:
        await sink.publish(report)
