"""What guards say: may a step go on?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hub.outcome import Outcome


class Decision(StrEnum):
    """What the guard stage says about a step."""

    GO = "go"
    DRY_RUN = "dry run"
    WAIT = "wait"
    REFUSE = "refuse"
    INVALID = "invalid"
    UNREACHABLE = "unreachable"

    @property
    def outcome(self) -> Outcome | None:
        """The outcome this word ends a step with; None if the step goes on to look at the resource."""
        match self:
            case Decision.REFUSE:
                return Outcome.REFUSED
            case Decision.WAIT:
                return Outcome.WAITING
            case Decision.INVALID:
                return Outcome.INVALID
            case Decision.UNREACHABLE:
                return Outcome.UNREACHABLE
            case Decision.GO | Decision.DRY_RUN:
                return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A guard's word: what, which guard, and why in one sentence for people.

    Attributes:
        until: of a step that waits: when it is asked about again by itself; None if a person has to say yes.
        expires_at: of a step that waits for a person: when it has waited long enough.
    """

    decision: Decision
    guard: str = ""
    why: str = ""
    until: datetime | None = None
    expires_at: datetime | None = None


GO = Verdict(decision=Decision.GO)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a person said about a step that waited.

    Attributes:
        by: who, as STS tells it (``arn:aws:sts::111122223333:assumed-role/Security/ada``).
        because: the reason, in that person's words.
        requested_by: the identity under which the step came to wait.
    """

    approved: bool
    by: str
    because: str
    at: datetime
    requested_by: str = ""
