"""AWS Config."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from moto.config.models import config_backends
from moto.iam.models import SERVICE_NAME_CONVERSION

from tests.fake_aws.moto_gaps import s3
from tests.fake_aws.wire import Answer, Call, refusal

# moto spells Config's service-linked role with a small c.
SERVICE_NAME_CONVERSION["config"] = "Config"


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
    match call.operation:
        case "GetResourceConfigHistory":
            return _history(call)
        case "PutDeliveryChannel":
            return _cannot_deliver(call)
        case _:
            return None


def _history(call: Call) -> Answer:
    """What tests recorded, newest first unless asked otherwise. moto knows the history of few kinds."""
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


def _cannot_deliver(call: Call) -> Answer | None:
    """moto looks for no bucket and into no policy; AWS writes a test object first."""
    name = call.params["DeliveryChannel"]["s3BucketName"]
    found = s3.bucket(name)
    if found is None:
        return refusal(call, "NoSuchBucketException", f"Cannot find a S3 bucket with {name}", status=400)
    if not {"s3:GetBucketAcl", "s3:PutObject"} <= s3.allowed(found, "config.amazonaws.com"):
        text = f"Insufficient delivery policy to s3 bucket: {name}"
        return refusal(call, "InsufficientDeliveryPolicyException", text, status=400)
    return None
