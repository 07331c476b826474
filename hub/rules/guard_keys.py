"""The words of the ``guards`` of a rules file: what the reader takes and the schema for editors tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from hub.rules.guard_model import EachOf

WHERE_KEYS = ("accounts", "ous", "account_tags", "regions", "bots", "risks")
ENTRY_KEYS = ("comment", *WHERE_KEYS)

FIX: tuple[Literal["only", "never"], ...] = ("only", "never")
THEN: tuple[Literal["fix", "warn", "report"], ...] = ("fix", "warn", "report")
TOOLS: tuple[Literal["cloudformation", "terraform"], ...] = ("cloudformation", "terraform")
EACH: tuple[EachOf, ...] = ("account", "bot", "region")
WHOLE_HUB: Literal["hub"] = "hub"
"""Of ``each``: one count for everything."""
NEVER_FLAPS = "off"
"""Of ``times``: however often."""
BUDGET_HOURS = (1, 2, 3, 4, 6, 8, 12, 24)
"""Such as divide a day, so that they begin at the same hours every day."""
MOST = 1_000_000
"""The highest count that may be written."""
MOST_FIXES = 1_000
"""The highest ``times``: so many fixes of one resource are remembered."""
LONGEST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the guards.

    Attributes:
        one: what an entry of it is called in mistakes.
        keys: what an entry may say besides a comment and where it counts.
        needed: the keys without which an entry says nothing, and what to do about it.
    """

    one: str
    keys: tuple[str, ...]
    needed: Mapping[str, str]


_NAME = "it is counted under its name"
SECTIONS: Mapping[str, Section] = {
    "mode": Section(one="the mode entry", keys=("mode",), needed={"mode": "write off, dry run or on"}),
    "scope": Section(
        one="the scope entry",
        keys=("fix",),
        needed={"fix": "write 'fix: only' (nothing is fixed elsewhere) or 'fix: never'"},
    ),
    "exemptions": Section(
        one="the exemption",
        keys=("until", "entity"),
        needed={"until": "say on which day it ends, as in 'until: 2026-12-31'"},
    ),
    "windows": Section(
        one="the window",
        keys=("open", "zone"),
        needed={"open": "say when changes may be made, as in 'open: Mon-Fri 22:00-06:00'"},
    ),
    "freezes": Section(
        one="the freeze",
        keys=("from", "until", "zone"),
        needed={
            "from": "say when it begins, as in 'from: 2026-12-20'",
            "until": "say when it ends, as in 'until: 2027-01-04'",
        },
    ),
    "approval": Section(one="the approval entry", keys=("approvers", "four_eyes", "expires"), needed={}),
    "budgets": Section(
        one="the budget", keys=("name", "each", "changes", "destructive", "hours"), needed={"name": _NAME}
    ),
    "breakers": Section(
        one="the breaker",
        keys=("name", "each", "failures", "pause"),
        needed={
            "name": _NAME,
            "failures": "say after how many in a row, as in 'failures: 5'",
            "pause": "say for how long nothing is changed then, as in 'pause: 30m'",
        },
    ),
    "flapping": Section(
        one="the flapping entry",
        keys=("times", "period"),
        needed={"times": "say how often is too often, as in 'times: 3', or 'times: off'"},
    ),
    "managed": Section(
        one="the managed entry",
        keys=("by", "tags", "then"),
        needed={"then": "write fix, warn (fix, and say who owns it) or report (do not fix)"},
    ),
}
