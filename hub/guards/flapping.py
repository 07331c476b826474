"""A resource that is fixed again and again is not fixed once more: somebody or something keeps changing it back.

The hub stops and says who changed it last, because only people can end that. Without an entry in the rules that
fits, `hub.rules.guard_model.DEFAULT_FLAP` counts. What is counted is fixes that were proven; one whose worker died
before it was counted is missing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from bots._aws import Aws
from bots._bot import Target
from hub.guards import CurrentRules, Proposal
from hub.guards.resource_memory import Memory, Recall
from hub.guards.saying import cannot_tell, clipped, moment
from hub.guards.where import Entries, Fit, as_found, as_seen, deciding
from hub.model import Decision, Outcome, Run, Step, Verdict
from hub.rules.guard_model import Flap

MOST_KEPT = 1000
"""Fixes that are remembered of a bot on a resource, because a note has room for no more; no entry allows more."""
MOST_ACTORS = 3


class Actor(Protocol):
    """Somebody who changed a resource, as CloudTrail tells it."""

    @property
    def who(self) -> str: ...
    @property
    def what(self) -> str:
        """The call that was made."""
        ...

    @property
    def at(self) -> datetime: ...


LastActors = Callable[[Aws, Target], Awaitable[Sequence[Actor]]]
"""Who changed a resource last, latest first; nobody where that cannot be told. Raises nothing of AWS's."""


class Flapping:
    """Asks the ``flapping`` of the rules in force. ``recall`` is shared with other guards (`TakenBack`)."""

    name = "flapping"

    def __init__(self, rules: CurrentRules, recall: Recall, last_actors: LastActors) -> None:
        self._entries = Entries(rules, "flapping", lambda current: current.flapping)
        self._recall = recall
        self._last_actors = last_actors

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        """Refuse what has been fixed too often of late.

        Raises:
            JournalUnwritable: it cannot be read how often that was.
        """
        step = as_seen(proposal)
        fits = tuple(deciding(self._entries.about(step)))
        if all(fit.entry.times is None for fit in fits):
            return None
        assert step.bot is not None
        fixed = (await self._recall.of(proposal)).fixed.get(step.bot.name, ())
        against = [fit for fit in fits if _too_often(fixed, fit.entry, proposal.now)]
        if not against:
            return None
        if len(against) < len(fits):
            # They differ about it, and all but the last of them are unsure whether they are about the step.
            return cannot_tell(self.name, fits[0])
        return await self._escalated(proposal, against[-1], fixed)

    async def ended(self, step: Step, run: Run) -> None:
        """Remember a fix that was made and proven.

        Raises:
            JournalUnwritable: it is not counted.
        """
        if run.outcome is not Outcome.FIXED or not run.changed:
            return
        fits = deciding(self._entries.about(as_found(step, run)))
        flaps = [(fit.entry.times, fit.entry.period) for fit in fits if fit.entry.times is not None]
        if flaps:
            assert run.closed_at is not None
            most = min(max(times for times, _ in flaps), MOST_KEPT)
            period = max(period for _, period in flaps)
            change = _fixed_again(run.bot, run.closed_at, most, period)
            await self._recall.remember(run, step.lane, change, until=run.closed_at + period)

    async def _escalated(self, proposal: Proposal, fit: Fit[Flap], fixed: Sequence[datetime]) -> Verdict:
        step = proposal.step
        assert step.target is not None
        often = _of_late(fixed, fit.entry, proposal.now)
        ends = often[-_limit(fit.entry)] + fit.entry.period
        actors = (await self._last_actors(proposal.account, step.target))[:MOST_ACTORS]
        by = ", ".join(f"{clipped(each.who)} ({clipped(each.what)} at {moment(each.at)})" for each in actors)
        return Verdict(
            decision=Decision.REFUSE,
            guard=self.name,
            why=f"needs a person: {proposal.run.bot} has fixed {clipped(step.target.id)} {len(often)} times since "
            f"{moment(often[0])}, the last time at {moment(often[-1])}, and something changes it back; last changed "
            f"by {by or 'somebody CloudTrail does not tell of'}; it is not fixed again before {moment(ends)} by "
            f"{fit.place}: have whoever changes it stop, or allow more there",
        )


def _limit(flap: Flap) -> int:
    assert flap.times is not None
    return min(flap.times, MOST_KEPT)


def _of_late(fixed: Sequence[datetime], flap: Flap, now: datetime) -> tuple[datetime, ...]:
    return tuple(at for at in fixed if at > now - flap.period)


def _too_often(fixed: Sequence[datetime], flap: Flap, now: datetime) -> bool:
    return flap.times is not None and len(_of_late(fixed, flap, now)) >= _limit(flap)


def _fixed_again(bot: str, at: datetime, most: int, period: timedelta) -> Callable[[Memory], Memory]:
    def remembered(memory: Memory) -> Memory:
        # Told twice, a fix still counts once.
        times = sorted({*memory.fixed.get(bot, ()), at})
        kept = tuple(each for each in times if each > at - period)[-most:]
        holds = {name: hold for name, hold in memory.holds.items() if hold.until > at}
        return Memory(fixed={**memory.fixed, bot: kept}, holds=holds)

    return remembered
