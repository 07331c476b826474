"""How a step can end, and what each end asks of people."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """How a step ended. A closed list; other systems' words live in sinks only."""

    meaning: str

    def __new__(cls, word: str, meaning: str = "") -> Outcome:
        member = str.__new__(cls, word)
        member._value_ = word
        member.meaning = meaning
        return member

    COMPLIANT = "compliant", "was right already, proven by reading"
    FIXED = "fixed", "was wrong, changed, proven by reading again"
    RESTORED = "restored", "an undo put back what was there, proven by reading"
    WOULD_FIX = "would-fix", "dry run: is wrong, nothing was changed"
    WAITING = "waiting", "needs a person's approval or another moment"
    REFUSED = "refused", "a guard or the bot said no, nothing was changed"
    GONE = "gone", "the resource does not exist any more"
    UNPROVEN = "unproven", "changed, but reading again did not show it right"
    INVALID = "invalid", "the finding cannot be acted on as written"
    UNREACHABLE = "unreachable", "the account or AWS could not be reached"
    DENIED = "denied", "AWS refused a call"
    THROTTLED = "throttled", "AWS asked for patience until ours ended"
    FAILED = "failed", "anything else went wrong; the message says what"
    INTERRUPTED = "interrupted", "the worker stopped in the middle"

    @property
    def retry(self) -> bool:
        """Trying the same again later may succeed without anybody doing anything."""
        return self in {Outcome.UNREACHABLE, Outcome.THROTTLED, Outcome.INTERRUPTED, Outcome.UNPROVEN}

    @property
    def needs_person(self) -> bool:
        """Nothing will get better until a person acts."""
        return self in {
            Outcome.WAITING, Outcome.UNPROVEN, Outcome.INVALID, Outcome.DENIED, Outcome.FAILED,
            Outcome.INTERRUPTED,
        }  # fmt: skip

    @property
    def well(self) -> bool:
        """Nothing is left to worry about: for exit statuses."""
        return self in {
            Outcome.COMPLIANT, Outcome.FIXED, Outcome.RESTORED, Outcome.WOULD_FIX, Outcome.GONE,
            Outcome.WAITING, Outcome.REFUSED,
        }  # fmt: skip

    @property
    def status(self) -> str:
        """The report's "Execution status", the only place where it is derived."""
        match self:
            case Outcome.COMPLIANT | Outcome.FIXED | Outcome.RESTORED:
                return "passed"
            case Outcome.WOULD_FIX:
                return "dry run"
            case Outcome.WAITING:
                return "pending"
            case Outcome.REFUSED | Outcome.GONE:
                return "skipped"
            case _:
                return "failed"
