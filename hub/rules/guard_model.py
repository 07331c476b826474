"""What a rules file says to guards, once it has been read. All frozen; nothing said means nothing is held back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Literal
from zoneinfo import ZoneInfo

Patterns = tuple[str, ...]
"""Shell-like; a value meets them when it meets any. Empty: whatever the value."""
TagPatterns = tuple[tuple[str, Patterns], ...]
"""Tag keys and the patterns of their values; all keys must be met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Which steps an entry is about; everything that is given must be met. Nothing given: all.

    Attributes:
        accounts: ids of 12 digits.
        ous: ids of organizational units or their paths from the top ("Workloads/Prod"); what is below is meant too.
        regions: codes or patterns of codes, of the resource.
        bots: names or patterns of names.
        risks: words of `bots._bot.Risk`.
    """

    accounts: Patterns = ()
    ous: Patterns = ()
    account_tags: TagPatterns = ()
    regions: Patterns = ()
    bots: Patterns = ()
    risks: Patterns = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What every entry has. ``line`` is where it begins, ``comment`` why it is there and who wants it."""

    line: int
    comment: str
    where: Where = field(default_factory=Where)


class ModeWord(StrEnum):
    OFF = "off"
    DRY_RUN = "dry run"
    ON = "on"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeEntry(Entry):
    """The first entry that fits decides; where none fits the hub is on. ``HUB_DRY_RUN`` makes every "on" a dry run."""

    mode: ModeWord


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeEntry(Entry):
    """``only``: where there are such entries, one must fit. ``never``: none may fit."""

    effect: Literal["only", "never"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption(Entry):
    """Resources that are left alone until the end of a day (UTC). The comment is the reason."""

    until: date
    entity_ids: Patterns = ()
    entity_names: Patterns = ()
    entity_types: Patterns = ()
    entity_tags: TagPatterns = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A stretch that comes back every week.

    Attributes:
        days: 0 is Monday; on which it begins.
        starts, ends: by the clock of the window's zone; an end that is not later is on the next day.
    """

    days: tuple[int, ...]
    starts: time
    ends: time


@dataclass(frozen=True, slots=True, kw_only=True)
class Window(Entry):
    """Where a window fits, changes are made only while one of those that fit is open. ``zone`` is an IANA name."""

    hours: tuple[Hours, ...]
    zone: str = "UTC"

    @property
    def clock(self) -> tzinfo:
        """The clock its hours are read on. UTC needs no time zone data, which not every machine has."""
        return UTC if self.zone == "UTC" else ZoneInfo(self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze(Entry):
    """No changes from ``starts`` until ``ends``, both aware."""

    starts: datetime
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalEntry(Entry):
    """Steps that wait for a person. The first entry that fits decides who may say yes.

    Attributes:
        approvers: patterns of ARNs, as STS tells them; empty: whoever may write to the journal.
        four_eyes: not the identity that asked for the step.
        expires: after so long nobody can say yes any more.
    """

    approvers: Patterns = ()
    four_eyes: bool = True
    expires: timedelta = timedelta(days=7)


EachOf = Literal["account", "bot", "region"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget(Entry):
    """At most so many changes in ``hours`` (clock hours from midnight UTC), counted apart for each of ``each``.

    Attributes:
        name: what it is counted under; another one begins to count anew.
        each: empty: one count for the whole hub.
        changes: None: no limit on all of them.
        destructive: of these, such as are disruptive or destructive; None: no limit of their own.
    """

    name: str
    each: tuple[EachOf, ...] = ("account",)
    changes: int | None = None
    destructive: int | None = None
    hours: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker(Entry):
    """After ``failures`` in a row nothing is changed for ``pause``; then one try decides."""

    name: str
    each: tuple[EachOf, ...] = ("account", "bot")
    failures: int
    pause: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Flap(Entry):
    """A resource that one bot has fixed ``times`` times within ``period`` is not fixed again, but escalated.

    ``times`` is None where it is fixed however often it comes back.
    """

    times: int | None
    period: timedelta = timedelta(hours=24)


DEFAULT_FLAP = Flap(line=0, comment="what counts where no entry of flapping fits", times=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Managed(Entry):
    """What is done about resources that a tool owns, as their tags tell. The first entry that fits decides.

    Attributes:
        by: which tool ("cloudformation", "terraform").
        tags: tags that tell of it besides those the hub knows; any of them is enough.
        then: ``fix``, ``warn`` (fix, and say that the tool will undo it) or ``report`` (do not fix).
    """

    by: Literal["cloudformation", "terraform"] | None = None
    tags: TagPatterns = ()
    then: Literal["fix", "warn", "report"] = "warn"


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardRules:
    """The ``guards`` of a file, each in the order of the file. ``file`` is for the words that say who decided.

    Attributes:
        remarks: what is no mistake, and yet not what the writer will see happen.
    """

    file: str = ""
    modes: tuple[ModeEntry, ...] = ()
    scopes: tuple[ScopeEntry, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    approvals: tuple[ApprovalEntry, ...] = ()
    budgets: tuple[Budget, ...] = ()
    breakers: tuple[Breaker, ...] = ()
    flaps: tuple[Flap, ...] = ()
    managed: tuple[Managed, ...] = ()
    remarks: tuple[str, ...] = field(default=(), compare=False)

    @property
    def flapping(self) -> tuple[Flap, ...]:
        """The first that fits decides: those of the file, and behind them the default, which fits everything."""
        return (*self.flaps, DEFAULT_FLAP)

    @property
    def sections(self) -> Mapping[str, tuple[Entry, ...]]:
        """The entries under the words of the file."""
        return {
            "mode": self.modes,
            "scope": self.scopes,
            "exemptions": self.exemptions,
            "windows": self.windows,
            "freezes": self.freezes,
            "approval": self.approvals,
            "budgets": self.budgets,
            "breakers": self.breakers,
            "flapping": self.flaps,
            "managed": self.managed,
        }

    @property
    def summary(self) -> str:
        """How many entries there are, for people: "guards: 2 mode, 1 windows"; "no guards" where there are none."""
        counts = [f"{len(entries)} {name}" for name, entries in self.sections.items() if entries]
        return f"guards: {', '.join(counts)}" if counts else "no guards"

    def place(self, guard: str, entry: Entry) -> str:
        """The entry and where to find it, for people."""
        return f"{guard} ({self.file} line {entry.line})" if entry.line else f"{guard} (by default)"
