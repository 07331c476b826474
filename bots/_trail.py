"""The logged call behind a finding, found again in CloudTrail."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from bots._aws import Aws
from bots._bot import CannotFix, Target, TryLater

WINDOW = timedelta(seconds=30)  # before and after the time the finding names
# CloudTrail shows a call after 5 minutes on average and after 15 at the latest, says AWS, nearly always.
LAG = timedelta(minutes=20)
ASK_AGAIN_SECONDS = 300
ACTION = "cloudtrail:LookupEvents"
NAMED_AT_MOST = 5

Attribute = Literal["EventName", "ResourceName", "Username", "EventId"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedCall:
    """One successful call as CloudTrail keeps it. ``caller`` is an ARN, "" if it says none."""

    event_id: str
    name: str
    at: datetime
    caller: str
    request: Mapping[str, Any]
    response: Mapping[str, Any]


async def logged_calls(
    aws: Aws, attribute: Attribute, value: str, *, since: datetime, until: datetime
) -> list[LoggedCall]:
    """Successful calls of this account in this region, newest first. CloudTrail looks back 90 days.

    Calls of global services (IAM) are logged in the partition's main region. AWS answers two of these
    look-ups a second per account and region; the hub keeps to that.
    """
    found = aws.pages(
        "cloudtrail",
        "LookupEvents",
        items="Events",
        LookupAttributes=[{"AttributeKey": attribute, "AttributeValue": value}],
        StartTime=since,
        EndTime=until,
        MaxResults=50,
    )
    records = [(event, json.loads(event["CloudTrailEvent"])) async for event in found]
    calls = [
        _read(event, record)
        for event, record in records
        if "errorCode" not in record and record.get("recipientAccountId", aws.account_id) == aws.account_id
    ]
    return sorted(calls, key=lambda call: call.at, reverse=True)


def _read(event: Mapping[str, Any], record: Mapping[str, Any]) -> LoggedCall:
    return LoggedCall(
        event_id=event["EventId"],
        name=event["EventName"],
        at=event["EventTime"].astimezone(UTC),
        caller=record.get("userIdentity", {}).get("arn") or "",
        request=record.get("requestParameters") or {},
        response=record.get("responseElements") or {},
    )


def event_time(target: Target) -> datetime:
    """When the finding says the call was made.

    Raises:
        CannotFix: it does not say.
    """
    try:
        moment = datetime.fromisoformat(target.event_time or "")
    except ValueError:
        raise CannotFix(
            "the finding names neither the resource nor the time of the call that made it "
            "(alertWindowStartTime in its logic_data), so the call cannot be looked up"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def the_call(
    aws: Aws, target: Target, event_name: str, about: Callable[[LoggedCall], str | None]
) -> LoggedCall:
    """The one call of that name at the time of the finding.

    Args:
        about: which resource a call is about; None for calls the finding cannot mean.

    Raises:
        TryLater: CloudTrail may not have written it down yet.
        CannotFix: there is none, or there are calls about several resources: no guess is made.
    """
    at = event_time(target)
    calls = await logged_calls(aws, "EventName", event_name, since=at - WINDOW, until=at + WINDOW)
    named = {resource: call for call in calls if (resource := about(call)) is not None}
    if len(named) > 1:
        some = ", ".join(sorted(named)[:NAMED_AT_MOST])
        raise CannotFix(
            f"{len(named)} {event_name} calls were made within {WINDOW.seconds} seconds of {at:%Y-%m-%dT%H:%M:%SZ}: "
            f"{some}; the finding does not say which one it means"
        )
    if not named:
        raise not_logged(aws, at, event_name)
    return next(iter(named.values()))


def not_logged(aws: Aws, at: datetime, event_name: str) -> TryLater | CannotFix:
    """What to raise when CloudTrail shows no such call: later, while it may still come, else never."""
    what = f"no {event_name} call within {WINDOW.seconds} seconds of {at:%Y-%m-%dT%H:%M:%SZ} in {aws.region}"
    if aws.now - at < LAG:
        return TryLater(f"CloudTrail shows {what} yet", seconds=ASK_AGAIN_SECONDS)
    return CannotFix(f"CloudTrail shows {what}")
