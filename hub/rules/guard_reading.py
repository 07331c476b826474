"""From the ``guards`` of a rules file to what guards ask. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import TypeVar

from yaml.nodes import Node

from bots._catalogue import Catalogue
from hub.rules import approvers, times
from hub.rules.guard_entry import Draft, Tools
from hub.rules.guard_keys import BUDGET_HOURS, FIX, MOST_FIXES, NEVER_FLAPS, SECTIONS, THEN, TOOLS
from hub.rules.guard_model import (
    ApprovalEntry,
    Breaker,
    Budget,
    Entry,
    Exemption,
    Flap,
    Freeze,
    GuardRules,
    Managed,
    ModeEntry,
    ModeWord,
    ScopeEntry,
    Window,
)
from hub.rules.guard_remarks import remarks
from hub.rules.nodes import Mistakes
from hub.rules.values import Values

_Entry = TypeVar("_Entry", bound=Entry)
_NONE = "; for none at all write 'fix: never' under scope"
_NO_DAY = date(2000, 1, 1)
_NO_TIME = datetime(2000, 1, 1, tzinfo=UTC)


def read_guards(node: Node, file: str, mistakes: Mistakes, catalogue: Catalogue, today: date) -> GuardRules:
    """What the section ``guards`` says.

    Args:
        today: in UTC, for remarks about what is over.
    """
    return _Sections(node, mistakes, catalogue).read(file, today)


class _Sections:
    def __init__(self, node: Node, mistakes: Mistakes, catalogue: Catalogue) -> None:
        self._mistakes = mistakes
        self._tools = Tools(mistakes, catalogue, Values(mistakes))
        self._keys = mistakes.mapping(node, "guards", tuple(SECTIONS))

    def read(self, file: str, today: date) -> GuardRules:
        found = GuardRules(
            file=file,
            modes=self._entries("mode", _mode),
            scopes=self._entries("scope", _scope),
            exemptions=self._entries("exemptions", _exemption),
            windows=self._entries("windows", _window),
            freezes=self._entries("freezes", _freeze),
            approvals=self._entries("approval", _approval),
            budgets=self._entries("budgets", partial(_budget, {})),
            breakers=self._entries("breakers", partial(_breaker, {})),
            flaps=self._entries("flapping", _flap),
            managed=self._entries("managed", _managed),
        )
        return replace(found, remarks=tuple(remarks(found, today)))

    def _entries(self, name: str, read: Callable[[Draft], _Entry]) -> tuple[_Entry, ...]:
        if name not in self._keys:
            return ()
        items = self._mistakes.items(self._keys[name], f"{name} of guards")
        return tuple(read(Draft(item, SECTIONS[name], self._tools)) for item in items)


def _mode(draft: Draft) -> ModeEntry:
    return ModeEntry(**draft.common(), mode=draft.word("mode", tuple(ModeWord), ModeWord.OFF))


def _scope(draft: Draft) -> ScopeEntry:
    effect = draft.word("fix", FIX, "never")
    if draft.keys and not draft.says_where:
        draft.wrong(
            None, "does not say where", "give accounts, ous, account_tags, regions, bots or risks; "
            "to stop everything write 'mode: off' under mode"
        )  # fmt: skip
    return ScopeEntry(**draft.common(), effect=effect)


def _exemption(draft: Draft) -> Exemption:
    if draft.keys and not draft.says_where and "entity" not in draft.keys:
        draft.wrong(None, "does not say what is exempt", "give an entity, or accounts, ous, regions or bots")
    return Exemption(
        **draft.common(),
        **draft.values.entity(draft.keys, draft.what),
        until=draft.timed("until", times.day, _NO_DAY),
    )


def _window(draft: Draft) -> Window:
    return Window(**draft.common(), hours=draft.hours(), zone=str(draft.zone()))


def _freeze(draft: Draft) -> Freeze:
    zone = draft.zone()
    starts = draft.timed("from", partial(times.moment, zone=zone), _NO_TIME)
    ends = draft.timed("until", partial(times.moment, zone=zone, ends=True), _NO_TIME)
    if ends <= starts and _NO_TIME not in (starts, ends):
        draft.wrong("until", "ends before it begins", "look at from and until, or exchange them")
    return Freeze(**draft.common(), starts=starts, ends=ends)


def _approval(draft: Draft) -> ApprovalEntry:
    return ApprovalEntry(
        **draft.common(),
        approvers=draft.values.patterns(draft.keys, "approvers", draft.what, approvers.wrong_with),
        four_eyes=draft.flag("four_eyes", otherwise=True),
        expires=draft.duration("expires", timedelta(days=7)),
    )


def _budget(taken: dict[str, int], draft: Draft) -> Budget:
    name = draft.name(taken)
    changes, destructive = (draft.count(key, otherwise=_NONE) for key in ("changes", "destructive"))
    if draft.keys and not {"changes", "destructive"} & set(draft.keys):
        draft.wrong(None, "has no limit", "give changes, destructive or both, as in 'changes: 50'")
    if changes and destructive and destructive > changes:
        wrong = f"allows {destructive} destructive changes of {changes} altogether"
        draft.wrong(
            "destructive", wrong, "destructive ones are counted among all: write less, or leave it out"
        )
    hours = draft.count("hours", most=24)
    if hours is not None and hours not in BUDGET_HOURS:
        draft.wrong(
            "hours", f"counts for {hours} hours", f"a day must be whole ones: {_listed(BUDGET_HOURS)}"
        )
    return Budget(
        **draft.common(), name=name, each=draft.each(("account",)), changes=changes,
        destructive=destructive, hours=hours or 1,
    )  # fmt: skip


def _breaker(taken: dict[str, int], draft: Draft) -> Breaker:
    name = draft.name(taken)
    return Breaker(
        **draft.common(), name=name, each=draft.each(("account", "bot")), failures=draft.count("failures") or 1,
        pause=draft.duration("pause", timedelta(minutes=30)),
    )  # fmt: skip


def _flap(draft: Draft) -> Flap:
    period = draft.duration("period", timedelta(hours=24))
    node = draft.keys.get("times")
    if node is None or node.value != NEVER_FLAPS:
        often = draft.count("times", most=MOST_FIXES, otherwise=f", or {NEVER_FLAPS}")
        return Flap(**draft.common(), times=often, period=period)
    if "period" in draft.keys:
        draft.wrong("period", f"has a period, but its times are {NEVER_FLAPS}", "leave the period out")
    return Flap(**draft.common(), times=None, period=period)


def _managed(draft: Draft) -> Managed:
    return Managed(
        **draft.common(),
        by=draft.word("by", TOOLS, TOOLS[0]) if "by" in draft.keys else None,
        tags=draft.values.tags(draft.keys, "tags", draft.what),
        then=draft.word("then", THEN, "report"),
    )


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
