"""What is no mistake in the ``guards`` of a rules file, and yet not what the writer will see happen. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import TypeVar

from hub.rules import globs
from hub.rules.guard_keys import TOOLS
from hub.rules.guard_model import Entry, GuardRules, Managed, Patterns, Where

_Entry = TypeVar("_Entry", bound=Entry)


def remarks(rules: GuardRules, today: date) -> Iterator[str]:
    """What to look at again: entries that are over, and those that nothing ever gets to.

    Args:
        today: in UTC.
    """
    now = datetime.combine(today, time(), UTC)
    for exemption in rules.exemptions:
        if exemption.until < today:
            yield f"{rules.place('exemption', exemption)} ended on {exemption.until}: take it out, or give it more time"
    for freeze in rules.freezes:
        if freeze.ends <= now:
            ended = f"{freeze.ends:%Y-%m-%d %H:%M} UTC"
            yield f"{rules.place('freeze', freeze)} ended on {ended}: take it out"
    yield from _hidden(rules, "mode", rules.modes)
    yield from _hidden(rules, "approval", rules.approvals)
    yield from _hidden(rules, "flapping", rules.flaps)
    yield from _hidden(rules, "managed", rules.managed, _owned)
    nevers = [entry for entry in rules.scopes if entry.effect == "never"]
    for only in (entry for entry in rules.scopes if entry.effect == "only"):
        for never in nevers:
            if covers(never.where, only.where):
                yield f"{rules.place('scope', only)} lets nothing through: line {never.line} says never to all of it"
                break


def covers(wide: Where, narrow: Where) -> bool:
    """Whether whatever the narrow one fits is surely fit by the wide one, too."""
    return (
        _all_met(wide.accounts, narrow.accounts, _takes)
        and _all_met(wide.ous, narrow.ous, _inside)
        and _all_met(wide.regions, narrow.regions, _takes)
        and _all_met(wide.bots, narrow.bots, _takes)
        and _all_met(wide.risks, narrow.risks, _takes)
        and set(wide.account_tags) <= set(narrow.account_tags)
    )


def _hidden(
    rules: GuardRules,
    guard: str,
    entries: Sequence[_Entry],
    also: Callable[[_Entry, _Entry], bool] = lambda _first, _later: True,
) -> Iterator[str]:
    """Of a section whose first fitting entry decides: entries behind one that fits all they would."""
    for number, later in enumerate(entries):
        for first in entries[:number]:
            if covers(first.where, later.where) and also(first, later):
                yield f"{rules.place(guard, later)} never decides: line {first.line} fits all of it and comes first"
                break


def _owned(first: Managed, later: Managed) -> bool:
    return _tools(later) <= _tools(first) and set(later.tags) <= set(first.tags)


def _tools(entry: Managed) -> set[str]:
    """Tools whose resources it is about: who names tags only means another tool."""
    if entry.by is not None:
        return {entry.by}
    return set() if entry.tags else set(TOOLS)


def _all_met(wide: Patterns, narrow: Patterns, met: Callable[[str, str], bool]) -> bool:
    """Whether each value that one of the narrow patterns fits is surely fit by one of the wide ones."""
    if not wide:
        return True
    return bool(narrow) and all(any(met(pattern, each) for pattern in wide) for each in narrow)


def _takes(wide: str, narrow: str) -> bool:
    if wide == narrow:
        return True
    if globs.is_pattern(narrow) and ("[" in wide + narrow or "?" in wide):
        # Only stars may stand for signs of another pattern.
        return False
    return globs.compiled(wide).match(narrow) is not None


def _inside(wide: str, narrow: str) -> bool:
    """OUs: what is below another one is in it, too."""
    return _takes(wide, narrow) or (not globs.is_pattern(wide) and narrow.startswith(f"{wide}/"))
