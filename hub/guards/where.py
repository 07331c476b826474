"""Which entries of the rules file are about a step: its account, OUs, tags of the account, region, bot and risk.

Case counts as in remediation rules (`hub.rules.matching`): not in regions and keys of tags, but in OUs, values of
tags and names of bots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from hub.aws.regions import GLOBAL
from hub.guards import CurrentRules, Proposal
from hub.model import AccountFacts, Run, Step
from hub.rules.guard_model import Entry, GuardRules
from hub.rules.properties import Property, TagProperty, numbers

E = TypeVar("E", bound=Entry)

REMEMBERED = 20_000

Narrowing = Callable[[Step, int], int]
"""Takes those entries out of a set (see `hub.rules.properties`) that are about something else than the step."""


@dataclass(frozen=True, slots=True)
class Fit(Generic[E]):
    """An entry that is about a step, or may be.

    Attributes:
        place: the entry and where to find it, for people.
        unknown: what would have to be known to tell whether it is about the step ("the OUs of account
            222233334444 could not be looked up"); "" if it surely is.
    """

    entry: E
    place: str
    unknown: str = ""


class Entries(Generic[E]):
    """A section of the rules in force, ready to be asked; made ready anew when other rules are in force.

    Args:
        what: the section's word in the file.
        section: takes the entries out of the rules.
        narrowing: what entries ask besides the where-keys that all have; made once for a section.
    """

    def __init__(
        self,
        rules: CurrentRules,
        what: str,
        section: Callable[[GuardRules], Sequence[E]],
        narrowing: Callable[[Sequence[E]], Narrowing] | None = None,
    ) -> None:
        self._current = rules
        self._what = what
        self._section = section
        self._narrowing = narrowing
        self._ready: Section[E] | None = None

    def about(self, step: Step) -> tuple[Fit[E], ...]:
        """See `Section.about`."""
        return self.in_force().about(step)

    def in_force(self) -> Section[E]:
        """The section of the rules that are in force now, for who asks it more than once about a step."""
        rules, ready = self._current(), self._ready
        if ready is None or ready.rules is not rules:
            ready = self._ready = Section(rules, self._what, self._section(rules), self._narrowing)
        return ready


def deciding(fits: Iterable[Fit[E]]) -> Iterator[Fit[E]]:
    """Where the first entry that fits decides: those it may be, the one that surely fits last."""
    for fit in fits:
        yield fit
        if not fit.unknown:
            return


def as_seen(proposal: Proposal) -> Step:
    """The step about the resource as the look found it."""
    return as_found(proposal.step, proposal.run)


def as_found(step: Step, run: Run) -> Step:
    """The step about the resource that its run tells of: its id, and the region it lives in."""
    assert step.target is not None
    return replace(step, target=replace(step.target, id=run.target_id or step.target.id, region=run.region))


class Section(Generic[E]):
    """A section of certain rules."""

    def __init__(
        self,
        rules: GuardRules,
        what: str,
        entries: Sequence[E],
        narrowing: Callable[[Sequence[E]], Narrowing] | None,
    ) -> None:
        self.rules = rules
        self.entries = tuple(entries)
        self._places = tuple(rules.place(what, entry) for entry in entries)
        wanted = [entry.where for entry in entries]
        self._accounts = Property([where.accounts for where in wanted])
        self._regions = Property([where.regions for where in wanted], folded=True)
        self._bots = Property([where.bots for where in wanted])
        self._risks = Property([where.risks for where in wanted])
        self._ous = Property([where.ous for where in wanted])
        self._tags = TagProperty([where.account_tags for where in wanted])
        self._narrow = narrowing(entries) if narrowing else None
        # What is known of an account seldom changes.
        self._known: dict[str, tuple[AccountFacts, tuple[int, int, int]]] = {}

    def about(self, step: Step) -> tuple[Fit[E], ...]:
        """The entries that are or may be about the step (its bot and target are set), in the order of the file."""
        if not self.entries:
            return ()
        assert step.bot is not None
        assert step.target is not None
        region = step.target.region
        among, no_ous, no_tags = self._of_account(step.finding.account_id, step.facts)
        among = self._regions.met(*((region, GLOBAL) if step.bot.is_global else (region,)), among=among)
        among = self._bots.met(step.bot.name, among=among)
        among = self._risks.met(step.bot.risk, among=among)
        if self._narrow is not None and among:
            among = self._narrow(step, among)
        return tuple(self._fit(number, step, no_ous, no_tags) for number in numbers(among))

    def _of_account(self, account: str, facts: AccountFacts) -> tuple[int, int, int]:
        """The entries that are or may be about an account, and those whose OUs and whose tags are not known of it."""
        known = self._known.get(account)
        if known is not None and known[0] == facts:
            return known[1]
        among = self._accounts.met(account)
        no_ous = no_tags = 0
        if facts.ous is None:
            no_ous = among & self._ous.wanting
        else:
            among = self._ous.met(*facts.ous, among=among)
        if facts.tags is None:
            no_tags = among & self._tags.wanting
        elif among & self._tags.wanting:
            among = self._tags.met(facts.tags.items(), among)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[account] = (facts, (among, no_ous, no_tags))
        return among, no_ous, no_tags

    def _fit(self, number: int, step: Step, no_ous: int, no_tags: int) -> Fit[E]:
        entry, place = self.entries[number], self._places[number]
        missing = [what for what, bits in (("OUs", no_ous), ("tags", no_tags)) if bits >> number & 1]
        if not missing:
            return Fit(entry, place)
        account = step.finding.account_id
        return Fit(entry, place, f"the {' and '.join(missing)} of account {account} could not be looked up")
