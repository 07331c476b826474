"""From a finding to the bots that are due: which, by whose word, or why one may not run. Pure.

A rule that refuses wins over all others, wherever it stands in the file. Else a bot that a finding names runs
when a matching rule lists it, or when findings are trusted so far; and rules add the bots they run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bots._catalogue import BrokenBot, Catalogue, UnknownBot
from hub.model import AccountFacts, Action, Finding
from hub.rules.matching import Matched, Matcher
from hub.rules.model import HIGHEST_TRUSTED, Effect, Rule, RuleSet, Trust

REMEMBERED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A bot that is due.

    Attributes:
        decided_by: the rule or the stance that decided, with file and line; "" where there are no rules.
        refusal: why it may not run, None if it may.
        needs_approval: why a person has to say yes first, "" if nobody has to.
    """

    action: Action
    decided_by: str = ""
    refusal: str | None = None
    needs_approval: str = ""


@dataclass(frozen=True, slots=True)
class _Known:
    """A bot of the catalogue; ``trusted`` says that its risk needs no rule."""

    name: str
    risk: str
    trusted: bool


class Decider:
    """A set of rules, ready to decide."""

    def __init__(self, rules: RuleSet, catalogue: Catalogue) -> None:
        self.rules = rules
        self._catalogue = catalogue
        self._matcher = Matcher(rules.rules)
        self._bots: dict[str, _Known | None] = {}

    def current(self) -> Decider:
        """Rules that never change."""
        return self

    async def refresh(self) -> None:
        """There is nothing to look at."""

    def decide(self, finding: Finding, facts: AccountFacts) -> tuple[Due, ...]:
        """What is due, the finding's own bots first; a bot with the same parameters once."""
        matched = self._matcher.matching(finding, facts)
        due = [self._own(action, matched) for action in finding.actions]
        if not matched.rules:
            return tuple(due)
        asked = {(self._name(action), action.args) for action in finding.actions}
        for rule in matched.rules:
            if rule.effect is not Effect.RUN:
                continue
            for bot in rule.bots or ():
                same = (bot.name, bot.words or ())
                if same not in asked:
                    asked.add(same)
                    action = Action(bot=bot.name, args=bot.words or (), source="remediation rule")
                    due.append(self._by_rule(action, rule, matched))
        return tuple(due)

    def _own(self, action: Action, matched: Matched) -> Due:
        """What is to become of a bot that the finding names itself."""
        known, name = self._known(action.bot), self._name(action)
        if (refused := self._refused(action, name, matched)) is not None:
            return refused
        if (listing := next(_listing(matched.rules, name, action), None)) is not None:
            return Due(action=action, decided_by=self.rules.place(listing))
        trust, place = self.rules.trust, self.rules.trust_place
        if trust is Trust.ALL and (known is None or known.trusted):
            # What is no bot at all is told by whoever plans.
            return Due(action=action, decided_by=place)
        if trust is Trust.NONE:
            why = f"the finding itself names {name}, and only rules may: {place}"
        elif trust is Trust.LISTED or known is None:
            why = f"the finding names {name}, and no rule that matches lists it: {place}"
        else:
            why = f"{name} is {known.risk}, and no rule that matches allows it: {place}"
            return Due(
                action=action, decided_by=place, needs_approval=self._maybe(why, name, action, matched)
            )
        return Due(action=action, decided_by=place, refusal=self._maybe(why, name, action, matched))

    def _maybe(self, why: str, name: str, action: Action, matched: Matched) -> str:
        """Why not, with a word about a rule that might have listed it."""
        maybe = next(_listing(matched.unsure, name, action), None)
        if maybe is None:
            return why
        return f"{why}; {self.rules.place(maybe)} {_UNKNOWN}, so it does not match"

    def _by_rule(self, action: Action, rule: Rule, matched: Matched) -> Due:
        refused = self._refused(action, action.bot, matched)
        return refused or Due(action=action, decided_by=self.rules.place(rule))

    def _refused(self, action: Action, name: str, matched: Matched) -> Due | None:
        for rule in _listing(matched.rules, name, action):
            if rule.effect is Effect.REFUSE:
                place = self.rules.place(rule)
                return Due(action=action, decided_by=place, refusal=f"{place} refuses {name}: {rule.comment}")
        # Nobody can tell whether it matches, and to run what somebody forbade is the worse mistake.
        for rule in _listing(matched.unsure, name, action):
            if rule.effect is Effect.REFUSE:
                place = self.rules.place(rule)
                why = f"{place} refuses {name} and {_UNKNOWN}, so it is refused: {rule.comment}"
                return Due(action=action, decided_by=place, refusal=why)
        return None

    def _name(self, action: Action) -> str:
        known = self._known(action.bot)
        return known.name if known else action.bot

    def _known(self, word: str) -> _Known | None:
        if word in self._bots:
            return self._bots[word]
        if len(self._bots) >= REMEMBERED:
            self._bots.clear()
        found: _Known | None = None
        try:
            bot = self._catalogue.bot_named(word)
            found = _Known(bot.name, str(bot.risk), bot.risk.rank <= HIGHEST_TRUSTED.rank)
        except (UnknownBot, BrokenBot):
            found = None
        self._bots[word] = found
        return found


_UNKNOWN = "asks for OUs or tags of the account, which could not be looked up"


def _listing(rules: Iterable[Rule], name: str, action: Action) -> Iterator[Rule]:
    return (rule for rule in rules if rule.lists(name, action.args))
