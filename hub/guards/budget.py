"""No more changes than people can follow: so many in a period, counted apart for accounts, bots and regions.

A change is counted before it is made, in the journal, which all workers share: each adds one first and looks at
the sum then, so that never more than allowed go on, however many ask at once. What turns out not to have been
made is given back, by the worker that counted it and only once; whatever is not sure stays counted. So a change
that went on after a crash, or in another worker, may be counted twice: too much is safe, too little is not.

A budget is asked last of all guards, because what another one holds back afterwards stays counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bots._bot import Risk
from hub.guards import CurrentRules, Proposal
from hub.guards.counting import counted_apart
from hub.guards.rewriting import named, parts
from hub.guards.saying import cannot_tell, moment
from hub.guards.where import Entries, Fit, as_seen
from hub.journals import Journal
from hub.model import Decision, Run, Step, Verdict
from hub.rules.guard_model import Budget

SLACK = timedelta(hours=1)
"""So much longer than its period a number is kept: clocks of workers differ."""
MOST_PERIODS = 24 * 7
MOST_COUNTED = 10_000  # runs; of older ones that have not ended nothing is given back any more

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Count:
    """A number of the journal, and how far it may go."""

    name: str
    limit: int
    ends: datetime
    length: timedelta
    words: str


class Budgets:
    """Counts in ``journal``; asks the ``budgets`` of the rules in force."""

    name = "budget"

    def __init__(self, rules: CurrentRules, journal: Journal) -> None:
        self._entries = Entries(rules, "budgets", lambda current: current.budgets)
        self._journal = journal
        # By run: what this worker has added one to, until it is known whether the change was made.
        self._counted: dict[str, dict[str, _Count]] = {}

    async def judge_change(self, proposal: Proposal) -> Verdict | None:
        """Count the change, or say until when it has to wait; all budgets about it must have room.

        Raises:
            JournalUnwritable: it could not be counted.
        """
        step = as_seen(proposal)
        fits = self._entries.about(step)
        for fit in fits:
            if fit.unknown:
                return cannot_tell(self.name, fit)
        counts = [count for fit in fits for count in _counts(fit, step, proposal.now)]
        if not proposal.only_asked:
            return await self._counted_or_not(proposal.run.run_id, counts)
        for count in counts:
            if await self._journal.tally(count.name, 0, until=count.ends + SLACK) >= count.limit:
                return self._spent(count, count.ends)
        return None

    async def ended(self, step: Step, run: Run) -> None:  # noqa: ARG002 - other guards want the step
        """Give back what was counted for a change that was not made.

        Raises:
            JournalUnwritable: it stays counted.
        """
        counted = self._counted.pop(run.run_id, {})
        if not run.changed:
            ended_at = run.closed_at or run.opened_at
            await self._give_back(count for count in counted.values() if ended_at < count.ends)

    async def _counted_or_not(self, run_id: str, counts: Iterable[_Count]) -> Verdict | None:
        # What an earlier attempt of this run was let through for is one change with this one.
        held = self._held(run_id)
        new: list[_Count] = []
        for count in counts:
            if count.name in held:
                continue
            number = await self._journal.tally(count.name, 1, until=count.ends + SLACK)
            # Noted at once: the journal may fail at the next one, and the run come again.
            held[count.name] = count
            new.append(count)
            if number > count.limit:
                for each in new:
                    del held[each.name]
                if not held:
                    del self._counted[run_id]
                await self._give_back(new)
                return self._spent(count, await self._turn(count))
        return None

    def _held(self, run_id: str) -> dict[str, _Count]:
        held = self._counted.pop(run_id, {})
        while len(self._counted) >= MOST_COUNTED:
            del self._counted[next(iter(self._counted))]
        self._counted[run_id] = held
        return held

    async def _give_back(self, counts: Iterable[_Count]) -> None:
        for count in counts:
            await self._journal.tally(count.name, -1, until=count.ends + SLACK)

    async def _turn(self, count: _Count) -> datetime:
        """The beginning of the period in which it is this change's turn. Those who wait are spread over the coming
        ones, so that thousands do not come back every time to hear that there is room for a few."""
        before = await self._journal.tally(f"{count.name}/behind", 1, until=count.ends + SLACK) - 1
        return count.ends + count.length * min(before // max(1, count.limit), MOST_PERIODS)

    def _spent(self, count: _Count, until: datetime) -> Verdict:
        words = f"{count.words}; the step goes on by itself at {moment(until)}, or allow more there"
        return Verdict(decision=Decision.WAIT, guard=self.name, why=words, until=until)


def period(now: datetime, hours: int) -> tuple[datetime, datetime]:
    """When the period of so many clock hours (a part of a day, by UTC) began that ``now`` is in, and when it ends."""
    length = timedelta(hours=hours)
    starts = _EPOCH + (now - _EPOCH) // length * length
    return starts, starts + length


def _counts(fit: Fit[Budget], step: Step, now: datetime) -> Iterator[_Count]:
    assert step.bot is not None
    budget = fit.entry
    starts, ends = period(now, budget.hours)
    of_what = counted_apart(budget.each, step)
    name = parts(budget.name, *of_what, f"{budget.hours} hours from {starts:%Y-%m-%dT%H}")
    limits = [("changes", budget.changes)]
    if step.bot.risk.rank >= Risk.DISRUPTIVE.rank:
        limits.append(("disruptive or destructive changes", budget.destructive))
    for what, limit in limits:
        if limit is not None:
            words = (
                f"budget {budget.name} of {fit.place} allows {', '.join(of_what) or 'the whole hub'} at most {limit} "
                f"{what} from {moment(starts)} to {moment(ends)}, and they are spent"
            )
            yield _Count(named("budget", f"{name}/{what}"), limit, ends, ends - starts, words)
