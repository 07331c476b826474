"""What doctor says: lines about a subject, and what they make of an account and of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

DEPLOY_HUB = "bring the hub's stack up to date: `hub deploy hub`"
DEPLOY_SPOKES = "bring the spoke role up to date there: `hub deploy spokes`"


class State(StrEnum):
    """How it stands with something. ``unknown``: not looked, so neither right nor wrong."""

    OK = "ok"
    UNKNOWN = "unknown"
    WARNING = "warning"
    FAILED = "failed"

    @property
    def rank(self) -> int:
        """0 for the best; for finding the worst."""
        return list(State).index(self)

    @property
    def needs_doing(self) -> bool:
        """Somebody has to act."""
        return self in {State.WARNING, State.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was looked at.

    Attributes:
        subject: what it is about: ``role``, ``trust``, ``queue`` ...
        seen: what was found, in words that are the same for every account it is true of.
        do: what somebody should do about it, "" for nothing.
        answer: AWS's own words or other details of this one case, "" for none.
    """

    subject: str
    state: State
    seen: str
    do: str = ""
    answer: str = ""


def ok(subject: str, seen: str, *, answer: str = "") -> Line:
    """All is well with it."""
    return Line(subject=subject, state=State.OK, seen=seen, answer=answer)


def warning(subject: str, seen: str, do: str, *, answer: str = "") -> Line:
    """It works, and somebody should act."""
    return Line(subject=subject, state=State.WARNING, seen=seen, do=do, answer=answer)


def failed(subject: str, seen: str, do: str, *, answer: str = "") -> Line:
    """It does not work until somebody acts."""
    return Line(subject=subject, state=State.FAILED, seen=seen, do=do, answer=answer)


def unknown(subject: str, seen: str, do: str = "", *, answer: str = "") -> Line:
    """It could not be looked at."""
    return Line(subject=subject, state=State.UNKNOWN, seen=seen, do=do, answer=answer)


def not_looked(subject: str, right: str, *, answer: str = "") -> Line:
    """It could not be looked at because a right is missing."""
    return unknown(
        subject, f"not looked: right {right} missing", f"allow {right}, or look by hand", answer=answer
    )


def worst(lines: Iterable[Line]) -> State:
    """The state of the worst line; ok when there is none."""
    return max((line.state for line in lines), key=lambda state: state.rank, default=State.OK)


class Standing(StrEnum):
    """What the hub can do for an account. ``not known``: whether it can be entered was not seen."""

    PROTECTED = "protected"
    NOT_PROTECTED = "not protected"
    NOT_KNOWN = "not known"
    EXCLUDED = "excluded"
    NOT_ACTIVE = "not active"


class By(StrEnum):
    """What a role's rights are known by."""

    VERSION = "version"  # its tag names a version of this hub's
    DOCUMENTS = "documents"  # its policies were read
    ANOTHER = "another account"  # so were those of another role that says the same version


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """What the spoke role of an account allows.

    Attributes:
        version: what the role's tag says, "" for none.
        bots: how many bots the hub runs.
        lacking: bots of the hub that the role does not allow, each with the actions it lacks; the
            actions are empty where the role was made without that bot.
        added: what the policies hold beyond that version's, one text each.
        gone: what of that version they do not hold.
        guards_lack: what guards want to read and the role does not allow; what bots need is in ``lacking``.
    """

    version: str
    by: By
    bots: int
    lacking: Mapping[str, tuple[str, ...]]
    added: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    guards_lack: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """An account and all that was seen of it. ``regions``: the opt-in regions it uses, None if not looked."""

    account_id: str
    name: str
    standing: Standing
    lines: tuple[Line, ...]
    rights: Rights | None = None
    regions: tuple[str, ...] | None = None

    @property
    def state(self) -> State:
        """Of its worst line."""
        return worst(self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All that doctor saw. ``organization`` is "" where none is known."""

    at: datetime
    hub_account: str
    hub_arn: str
    organization: str
    region: str
    hub: tuple[Line, ...]
    accounts: tuple[AccountHealth, ...]

    @property
    def well(self) -> bool:
        """Nobody needs to do anything, and of no account it stayed open whether it is protected."""
        lines = [*self.hub, *(line for account in self.accounts for line in account.lines)]
        known = all(account.standing is not Standing.NOT_KNOWN for account in self.accounts)
        return known and not any(line.state.needs_doing for line in lines)
