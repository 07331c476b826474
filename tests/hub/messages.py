"""CloudGuard messages as tests send them."""

from __future__ import annotations

import json
from typing import Any

from hub.model import Message


def finding(account_id: str, *actions: str, key: str = "key", **entity: Any) -> dict[str, Any]:
    """A failed finding; a bucket's unless ``entity`` says otherwise."""
    return {
        "status": "Failed",
        "reportTime": "2026-11-02T08:14:27.318Z",
        "findingKey": key,
        "rule": {"name": "a rule", "severity": "High", "complianceTags": ""},
        "account": {"id": account_id, "name": "workload", "vendor": "AWS"},
        "entity": {"type": "S3Bucket", "region": "", **entity},
        "remediationActions": list(actions),
    }


def message(account_id: str, *actions: str, key: str = "key", **entity: Any) -> Message:
    """The same as the flow gets it."""
    return Message(body=json.dumps(finding(account_id, *actions, key=key, **entity)))


def notification(body: str, *, message_id: str = "95df01b4-ee98-5cb9-9903-4c221d41eb5e") -> str:
    """An SNS notification as SQS delivers it."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": message_id,
            "TopicArn": "arn:aws:sns:us-east-1:111122223333:d9-findings",
            "Message": body,
            "Timestamp": "2026-11-02T08:14:28.021Z",
        }
    )
