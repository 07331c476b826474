"""CloudTrail."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.cloudtrail.models import cloudtrail_backends

from tests.fake_aws.wire import Answer, Call, refusal

PAGE = 50  # events, the most AWS puts on one page
_number = itertools.count(1)


def log_call(
    account_id: str,
    region: str,
    name: str,
    *,
    at: datetime,
    request: Mapping[str, Any] | None = None,
    response: Mapping[str, Any] | None = None,
    resources: tuple[str, ...] = (),
    caller: str = "",
    error: str | None = None,
) -> None:
    """Write a call into the log. moto logs nothing, so a test says what CloudTrail has seen.

    Args:
        resources: names that a look-up by ResourceName finds it by.
        error: the call's error code, if it was refused.
    """
    record: dict[str, Any] = {
        "eventName": name,
        "awsRegion": region,
        "recipientAccountId": account_id,
        "userIdentity": {"arn": caller or f"arn:aws:iam::{account_id}:user/somebody"},
        "requestParameters": request,
        "responseElements": response,
    }
    if error is not None:
        record["errorCode"] = error
    event = {
        "EventId": f"11112222-3333-4444-5555-{next(_number):012d}",
        "EventName": name,
        "EventTime": at.timestamp(),
        "Resources": [{"ResourceName": resource} for resource in resources],
        "CloudTrailEvent": json.dumps(record),
    }
    _log(account_id, region).append(event)


def _log(account_id: str, region: str) -> list[dict[str, Any]]:
    backend = cloudtrail_backends[account_id][region]
    if not hasattr(backend, "logged_calls"):
        backend.logged_calls = []
    found: list[dict[str, Any]] = backend.logged_calls
    return found


def before(call: Call) -> Answer | None:
    """moto knows no LookupEvents. AWS filters by one attribute and answers newest first, in pages."""
    if call.operation != "LookupEvents":
        return None
    wanted = call.params.get("LookupAttributes") or []
    if len(wanted) > 1:
        return refusal(call, "InvalidLookupAttributesException", "Only one lookup attribute is allowed.")
    since, until = (_seconds(call.params.get(name)) for name in ("StartTime", "EndTime"))
    events = [
        event
        for event in _log(call.account_id, call.region)
        if (since is None or event["EventTime"] >= since)
        and (until is None or event["EventTime"] <= until)
        and all(_has(event, each["AttributeKey"], each["AttributeValue"]) for each in wanted)
    ]
    events.sort(key=lambda event: event["EventTime"], reverse=True)
    start = int(call.params.get("NextToken") or 0)
    end = start + min(int(call.params.get("MaxResults") or PAGE), PAGE)
    found: dict[str, Any] = {"Events": events[start:end]}
    if end < len(events):
        found["NextToken"] = str(end)
    return Answer(200, (("Content-Type", "application/x-amz-json-1.1"),), json.dumps(found).encode())


def _has(event: Mapping[str, Any], key: str, value: str) -> bool:
    if key == "ResourceName":
        return any(each["ResourceName"] == value for each in event["Resources"])
    return bool(event.get(key) == value)


def _seconds(moment: Any) -> float | None:
    if isinstance(moment, datetime):
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None if moment is None else float(moment)
