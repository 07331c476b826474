"""Whether this machine's clock agrees with AWS's. Signatures are good for five minutes either way.

Source: "Troubleshoot Signature Version 4 signing" in the IAM User Guide.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hub.aws.accounts import HubIdentity
from hub.doctor.words import Line, failed, ok, unknown, warning

WARN_SECONDS = 60.0
FAIL_SECONDS = 300.0
_DO = "set this machine's clock by NTP"


async def look(identity: HubIdentity, *, now: Callable[[], float] = time.time) -> Line:
    """Compares with the Date of an answer of STS, which also comes with a refusal; never raises.

    Args:
        now: this machine's clock, in epoch seconds.
    """
    sts = await identity.kept("sts")
    sent = now()
    try:
        answer: Mapping[str, Any] = await sts.get_caller_identity()
    except ClientError as error:
        answer = error.response
    except BotoCoreError as error:
        return unknown("clock", "not looked: STS did not answer", answer=str(error))
    middle = (sent + now()) / 2
    said = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    try:
        # Full seconds, cut off: on the average half a second is missing.
        ahead = middle - parsedate_to_datetime(said).timestamp() - 0.5
    except ValueError:
        return unknown("clock", "not looked: the answer carries no date")
    off = abs(ahead)
    word = f"{off:.0f} s {'ahead of' if ahead > 0 else 'behind'} AWS's"
    if off > FAIL_SECONDS:
        return failed("clock", f"{word}; AWS refuses signatures from {FAIL_SECONDS:.0f} s on", _DO)
    if off > WARN_SECONDS:
        return warning("clock", f"{word}; AWS refuses signatures from {FAIL_SECONDS:.0f} s on", _DO)
    return ok("clock", f"within {max(1, round(off))} s of AWS's")
