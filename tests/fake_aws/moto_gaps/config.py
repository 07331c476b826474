"""AWS Config."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.config.models import config_backends

from tests.fake_aws.wire import Answer, Call, refusal


def record(
    account_id: str,
    region: str,
    kind: str,
    resource_id: str,
    configuration: Mapping[str, Any],
    *,
    at: datetime,
) -> None:
    """Write down how a resource was. moto records next to nothing, so a test says what Config has seen."""
    item = {
        "configurationItemCaptureTime": at.timestamp(),
        "configurationItemStatus": "OK",
        "resourceType": kind,
        "resourceId": resource_id,
        "configuration": json.dumps(configuration),
    }
    _items(account_id, region).append(item)


def _items(account_id: str, region: str) -> list[dict[str, Any]]:
    backend = config_backends[account_id][region]
    if not hasattr(backend, "recorded_items"):
        backend.recorded_items = []
    found: list[dict[str, Any]] = backend.recorded_items
    return found


def before(call: Call) -> Answer | None:
    """What tests recorded, newest first unless asked otherwise. moto knows the history of few kinds."""
    if call.operation != "GetResourceConfigHistory":
        return None
    wanted = (call.params["resourceType"], call.params["resourceId"])
    items = [
        item
        for item in _items(call.account_id, call.region)
        if (item["resourceType"], item["resourceId"]) == wanted
    ]
    if not items:
        text = f"Resource {wanted[1]} of resourceType:{wanted[0]} is unknown or has not been discovered"
        return refusal(call, "ResourceNotDiscoveredException", text)
    if until := call.params.get("laterTime"):
        until = until if isinstance(until, datetime) else datetime.fromtimestamp(float(until), UTC)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        items = [item for item in items if item["configurationItemCaptureTime"] <= until.timestamp()]
    newest_first = call.params.get("chronologicalOrder", "Reverse") == "Reverse"
    items.sort(key=lambda item: item["configurationItemCaptureTime"], reverse=newest_first)
    found = {"configurationItems": items[: int(call.params.get("limit") or 10)]}
    return Answer(200, (("Content-Type", "application/x-amz-json-1.1"),), json.dumps(found).encode())
