"""Topics: what AWS checks of their policies, and the data protection moto does not know. Called by `sns`."""

from __future__ import annotations

import json
from typing import Any
from xml.sax.saxutils import escape

from moto.sns.models import sns_backends

from tests.fake_aws.wire import Answer, Call, refusal

LARGEST_POLICY = 30 * 1024  # bytes
LARGEST_BATCH = 262_144  # bytes


def topic(account_id: str, arn: str) -> Any:
    """moto's topic, None if there is none."""
    return sns_backends[account_id][arn.split(":")[3]].topics.get(arn)


def before(call: Call) -> Answer | None:
    match call.operation:
        case "GetDataProtectionPolicy":
            return _data_protection(call)
        case "SetTopicAttributes" if call.params.get("AttributeName") == "Policy":
            return _bad_policy(call)
        case "PublishBatch":
            return _too_long(call)
        case _:
            return None


def _data_protection(call: Call) -> Answer:
    """moto knows no data protection policies; a test sets ``data_protection`` of a `topic`."""
    arn = str(call.params["ResourceArn"])
    found = topic(call.account_id, arn)
    if found is None:
        return refusal(call, "NotFound", "Topic does not exist", status=404)
    text = escape(getattr(found, "data_protection", ""))
    body = (
        '<GetDataProtectionPolicyResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><GetDataProtectionPolicyResult>'
        f"<DataProtectionPolicy>{text}</DataProtectionPolicy></GetDataProtectionPolicyResult>"
        "<ResponseMetadata><RequestId>fake</RequestId></ResponseMetadata></GetDataProtectionPolicyResponse>"
    )
    return Answer(200, (("Content-Type", "text/xml"),), body.encode())


def _too_long(call: Call) -> Answer | None:
    """AWS takes as much in a batch as in one message, attributes included; moto looks at each by itself."""
    total = 0
    for entry in call.params["PublishBatchRequestEntries"]:
        total += len(entry["Message"].encode())
        for name, label in entry.get("MessageAttributes", {}).items():
            total += len(name) + len(label["DataType"]) + len(label["StringValue"].encode())
    if total <= LARGEST_BATCH:
        return None
    said = "The length of all the batch messages put together is more than the limit."
    return refusal(call, "BatchRequestTooLong", said, status=400)


def _bad_policy(call: Call) -> Answer | None:
    """AWS takes only policies in JSON with statements about this very topic; moto takes any, or crashes."""
    text = str(call.params.get("AttributeValue", ""))
    try:
        found = json.loads(text)["Statement"]
    except (ValueError, KeyError, TypeError):
        found = []
    statements = found if isinstance(found, list) else [found]
    named = [each.get("Resource") for each in statements]
    resources = [each for one in named for each in (one if isinstance(one, list) else [one])]
    if (
        not statements
        or len(text.encode()) > LARGEST_POLICY
        or set(resources) - {call.params["TopicArn"], "*"}
    ):
        return refusal(call, "InvalidParameter", "Invalid parameter: Policy", status=400)
    return None
