"""Everything that can go wrong in the hub, by whose business it is.

    HubError
      FindingUnreadable            what arrived is no finding; sent to the dead-letter queue
        UnknownDialect             JSON, but no finding format the hub knows
      RemediationUnknown           the finding names a bot that does not exist
        BadParameters              the bot exists, its parameters do not fit
      SpokeError                   the finding's account could not be worked in
        SpokeUnreachable           no role, no such account, no network
        SpokeDenied                a call was refused by IAM, an SCP or a resource policy
        SpokeThrottled             AWS asked for patience and the patience ended
      JournalUnwritable            prior state could not be saved, so nothing was changed
      NotNow                       another worker is at it; the message waits its turn
        PutOff                     AWS needs time; the bot is called again later
      LeaseLost                    another worker owns the finding by now, so this one lets go
      SettingsWrong                the environment does not describe a hub that can run
        RulesWrong                 the rules file has mistakes or cannot be read
      InternalError                a defect of the hub itself

Bots raise only what `bots._bot` gives them: ``TargetGone`` and ``CannotFix``.
"""

from __future__ import annotations


class HubError(Exception):
    """Root of all errors that the hub raises on purpose; its text is meant for the user."""


class FindingUnreadable(HubError):
    """The message cannot be understood as a finding. Retrying will not help."""


class UnknownDialect(FindingUnreadable):
    """The message is JSON but matches no known finding format."""


class RemediationUnknown(HubError):
    """The finding asks for a bot that is not in the catalogue."""


class BadParameters(RemediationUnknown):
    """The words after the bot's name do not fit its parameters."""


class SpokeError(HubError):
    """The account of the finding could not be worked in."""


class SpokeUnreachable(SpokeError):
    """The account cannot be entered, or AWS does not answer."""


class SpokeDenied(SpokeError):
    """AWS refused a call.

    ``action`` is the IAM action (``s3:PutBucketVersioning``), ``arn`` who was refused, if known.
    """

    def __init__(self, text: str, *, action: str, arn: str = "") -> None:
        super().__init__(text)
        self.action = action
        self.arn = arn


class SpokeThrottled(SpokeError):
    """AWS throttled a call until the hub's own patience ended."""

    def __init__(self, text: str, *, service: str, region: str) -> None:
        super().__init__(text)
        self.service = service
        self.region = region


class JournalUnwritable(HubError):
    """The journal refused a write; without it nothing may be changed."""


class LeaseLost(HubError):
    """The lease on a finding or a resource ran out and somebody else may hold it."""


class SettingsWrong(HubError):
    """Settings contradict each other or miss something that is needed."""


class RulesWrong(SettingsWrong):
    """The rules file cannot be used; the text lists every mistake with its line."""


class InternalError(HubError):
    """A defect of the hub. The text names where to look."""


class NotNow(HubError):
    """Somebody else is at work on the same finding or resource; ask again in ``seconds``."""

    def __init__(self, text: str, *, seconds: float) -> None:
        super().__init__(text)
        self.seconds = seconds


class PutOff(NotNow):
    """A bot waits for AWS. Its run is open in the journal; the same message goes on with it."""
