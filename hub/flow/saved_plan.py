"""Plans as the journal keeps them: a note for each step, and one that tells what became of the plan."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from hub import __version__
from hub.abreast import abreast
from hub.errors import HubError, JournalUnwritable
from hub.flow.kept import kept_finding
from hub.flow.kit import Kit
from hub.guards.saying import moment
from hub.journals import Journal, Note
from hub.journals.wire import from_json, to_json
from hub.model import Finding, Outcome, Run

DEFAULT_KEEP = timedelta(days=7)
# What became of a plan can be told so long after its time is over.
REMEMBERED = timedelta(days=30)
# An application that began in time can come to its end.
GRACE = timedelta(days=1)
HANDS = 8


class PlanUnusable(HubError):
    """There is no such plan, or it cannot be carried out (any more). The text says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Who did something with a plan, as STS tells it, and when."""

    by: str
    at: datetime

    def __str__(self) -> str:
        return f"{moment(self.at)} by {self.by}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A saved plan.

    Attributes:
        made: who made it.
        hub: version of the hub that made it.
        ends_at: later it is not carried out.
        begun: who began to carry it out.
        applied: who had carried it out to its end.
        runs: its steps, each as it would have come out then.
    """

    plan_id: str
    made: Mark
    hub: str
    ends_at: datetime
    begun: Mark | None
    applied: Mark | None
    runs: tuple[Run, ...]

    @property
    def groups(self) -> tuple[tuple[Run, ...], ...]:
        """The steps that are to be carried out, those of one finding together."""
        wanted = sorted(filter(_to_carry_out, self.runs), key=_occurrence)
        return tuple(tuple(group) for _, group in groupby(wanted, key=_occurrence))

    @property
    def left_alone(self) -> tuple[Run, ...]:
        """The steps that nothing is to be done about."""
        return tuple(run for run in self.runs if not _to_carry_out(run))


def _to_carry_out(run: Run) -> bool:
    # What nobody has looked at cannot be told from what has changed since.
    return run.outcome in (Outcome.WOULD_FIX, Outcome.WAITING) and run.before is not None


def _occurrence(run: Run) -> str:
    return run.occurrence


async def save(kit: Kit, steps: Sequence[tuple[Finding, Run]], *, keep: timedelta = DEFAULT_KEEP) -> Plan:
    """Keep what `hub.flow.preview` told, to be carried out later.

    Raises:
        JournalUnwritable: it was not kept, or one of its findings is too large.
    """
    plan_id = secrets.token_hex(6)
    now = kit.now()
    runs = tuple(_kept(kit, finding, run) for finding, run in steps)
    ends_at = now + keep

    async def write(numbered: tuple[int, Run]) -> None:
        number, run = numbered
        await _keep(kit.journal, Note(name=_name(plan_id, number), body=to_json(run), until=ends_at + GRACE))

    await abreast(enumerate(runs), write, hands=HANDS)
    made = Mark(by=(await kit.identity.caller())["Arn"], at=now)
    plan = Plan(
        plan_id=plan_id, made=made, hub=__version__, ends_at=ends_at, begun=None, applied=None, runs=runs
    )
    # The head comes last: a plan is there as a whole or not at all.
    await _keep(kit.journal, _head(plan, 0))
    return plan


def _kept(kit: Kit, finding: Finding, run: Run) -> Run:
    if not _to_carry_out(run):
        return run
    return replace(run, finding=kept_finding(finding, kit.catalogue.bot_named(run.bot)))


async def _keep(journal: Journal, note: Note) -> None:
    if await journal.keep(note) is None:
        raise JournalUnwritable(f"note {note.name} was written by somebody else meanwhile; try again")


async def read(journal: Journal, plan_id: str) -> Plan:
    """The plan of that id.

    Raises:
        PlanUnusable: there is none (any more).
        JournalUnwritable: the journal could not be read.
    """
    note = await _head_of(journal, plan_id)
    runs: dict[int, Run] = {}

    async def fetch(number: int) -> None:
        step = await journal.note(_name(plan_id, number))
        if step is not None:
            runs[number] = from_json(step.body)

    count = int(note.body["steps"])
    await abreast(range(count), fetch, hands=HANDS)
    if len(runs) < count:
        raise PlanUnusable(
            f"plan {plan_id} ended {note.body['ends_at'][:16]}, and its steps are gone; plan anew"
        )
    return _of(plan_id, note.body, tuple(runs[number] for number in range(count)))


async def mark(kit: Kit, plan: Plan, *, applied: bool = False) -> Plan:
    """Note who began to carry it out, or who has come to its end; who did so first stays."""
    now = Mark(by=(await kit.identity.caller())["Arn"], at=kit.now())
    while True:
        note = await _head_of(kit.journal, plan.plan_id)
        found = _of(plan.plan_id, note.body, plan.runs)
        if (found.applied if applied else found.begun) is not None:
            return found
        marked = replace(found, applied=now) if applied else replace(found, begun=now)
        if await kit.journal.keep(_head(marked, note.version)) is not None:
            return marked


def _name(plan_id: str, number: int | None = None) -> str:
    return f"plan/{plan_id}" if number is None else f"plan/{plan_id}/{number}"


async def _head_of(journal: Journal, plan_id: str) -> Note:
    note = await journal.note(_name(plan_id)) if plan_id.isalnum() else None
    if note is None:
        raise PlanUnusable(f"the journal knows no plan {plan_id[:40]!r}; it may have ended long ago")
    return note


def _head(plan: Plan, version: int) -> Note:
    body = {
        "made": told_mark(plan.made),
        "hub": plan.hub,
        "ends_at": plan.ends_at.isoformat(),
        "steps": len(plan.runs),
        "begun": told_mark(plan.begun),
        "applied": told_mark(plan.applied),
    }
    return Note(name=_name(plan.plan_id), body=body, until=plan.ends_at + REMEMBERED, version=version)


def _of(plan_id: str, body: Mapping[str, Any], runs: tuple[Run, ...]) -> Plan:
    try:
        return Plan(
            plan_id=plan_id,
            made=Mark(by=body["made"]["by"], at=datetime.fromisoformat(body["made"]["at"])),
            hub=body["hub"],
            ends_at=datetime.fromisoformat(body["ends_at"]),
            begun=_mark(body["begun"]),
            applied=_mark(body["applied"]),
            runs=runs,
        )
    except (KeyError, TypeError, ValueError) as error:
        raise JournalUnwritable(f"plan {plan_id} of the journal is damaged: {error}") from error


def told_mark(mark: Mark | None) -> dict[str, str] | None:
    """It as JSON."""
    return None if mark is None else {"by": mark.by, "at": mark.at.isoformat()}


def _mark(told: Mapping[str, str] | None) -> Mark | None:
    return None if told is None else Mark(by=told["by"], at=datetime.fromisoformat(told["at"]))
