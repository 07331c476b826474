"""What an error means for the person who reads the report."""

from __future__ import annotations

from pydantic import ValidationError

from bots._aws import AwsError
from bots._bot import CannotFix, TargetGone, TryLater
from hub.aws.errors import outcome_of
from hub.errors import HubError, SpokeDenied, SpokeThrottled, SpokeUnreachable
from hub.model import Outcome


def explain(error: BaseException) -> tuple[Outcome, str]:
    """The outcome an error is, and a sentence for the report: what, where, why, what to do.

    What to do about a denied call is `hub.flow.denied`'s.
    """
    match error:
        case TargetGone():
            return Outcome.GONE, f"{error}; nothing to do"
        case CannotFix():
            return Outcome.REFUSED, str(error)
        case TryLater():
            return Outcome.WAITING, f"{error}; try again in {error.seconds:.0f} seconds"
        case AwsError():
            outcome = outcome_of(error)
            return outcome, f"{error}{_advice(outcome)}"
        case SpokeDenied():
            return Outcome.DENIED, str(error)
        case SpokeThrottled():
            return Outcome.THROTTLED, f"{error}{_advice(Outcome.THROTTLED)}"
        case SpokeUnreachable():
            return Outcome.UNREACHABLE, str(error)
        case ValidationError():
            return Outcome.FAILED, "AWS's answer does not have the form the bot expects; please report this"
        case HubError():
            return Outcome.FAILED, str(error)
        case _:
            # Texts of unforeseen errors may hold anything, so only their kind is told.
            return (
                Outcome.FAILED,
                f"the bot stopped with {type(error).__name__}, a defect; the hub's log has the details",
            )


def _advice(outcome: Outcome) -> str:
    match outcome:
        case Outcome.THROTTLED:
            return (
                "; AWS is throttling this account: send the finding again later or lower HUB_CALLS_PER_SECOND"
            )
        case Outcome.UNREACHABLE:
            return "; AWS did not serve the call: send the finding again later"
        case _:
            return ""
