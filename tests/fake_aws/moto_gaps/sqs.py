"""SQS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.sqs.models import sqs_backends

from tests.fake_aws.moto_gaps import _queues
from tests.fake_aws.wire import Answer, Call, refusal, with_body

_queues.take_turns()


def inside(account_id: str, name: str, region: str = "us-east-1") -> Any:
    """moto's own queue; None if there is none."""
    return sqs_backends[account_id][region].queues.get(name)


def _queue(call: Call) -> Any:
    name = call.params.get("QueueName") or str(call.params.get("QueueUrl", "")).rsplit("/", 1)[-1]
    return inside(call.account_id, name, call.region)


def before(call: Call) -> Answer | None:
    asked: Mapping[str, str] = call.params.get("Attributes") or {}
    queue = _queue(call)
    if call.operation == "SetQueueAttributes" and queue is not None and "Policy" not in asked:
        queue.kept_policy = queue.policy
    if call.operation == "SetQueueAttributes" and asked.get("RedrivePolicy"):
        return _no_dead_letter_queue(call, json.loads(asked["RedrivePolicy"])["deadLetterTargetArn"])
    return None


def _no_dead_letter_queue(call: Call, arn: str) -> Answer | None:
    """AWS wants a dead-letter queue of the same kind that lets the queue in; moto looks at neither."""
    source, target = _queue(call), inside(call.account_id, arn.rsplit(":", 1)[-1], call.region)
    reason = ""
    if target is None:
        reason = "Dead letter target does not exist."
    elif target.fifo_queue != source.fifo_queue:
        reason = "Dead-letter queue must be same type of queue as the source."
    elif not _lets_in(getattr(target, "redrive_allow_policy", None), source.queue_arn):
        reason = "Queue does not have permission to use this dead-letter queue."
    if not reason:
        return None
    text = f"Value for parameter RedrivePolicy is invalid. Reason: {reason}"
    return refusal(call, "InvalidParameterValue", text, status=400)


def _lets_in(policy: str | None, source: str) -> bool:
    found = json.loads(policy) if policy else {"redrivePermission": "allowAll"}
    permission = found["redrivePermission"]
    return permission == "allowAll" or (permission == "byQueue" and source in found["sourceQueueArns"])


def after(call: Call, answer: Answer) -> Answer:
    queue = _queue(call)
    asked: Mapping[str, str] = call.params.get("Attributes") or {}
    if call.operation in ("CreateQueue", "SetQueueAttributes"):
        # moto forgets the policy when another attribute is set,
        if call.operation == "SetQueueAttributes" and "Policy" not in asked:
            queue.policy = queue.kept_policy
        # and this attribute always.
        if "RedriveAllowPolicy" in asked:
            queue.redrive_allow_policy = asked["RedriveAllowPolicy"]
        # One kind of encryption ends the other; moto keeps both.
        if asked.get("KmsMasterKeyId"):
            queue.sqs_managed_sse_enabled = False
        elif asked.get("SqsManagedSseEnabled") == "true":
            queue.kms_master_key_id = None
    if call.operation == "GetQueueAttributes" and getattr(queue, "redrive_allow_policy", None):
        found = json.loads(answer.body)
        found["Attributes"]["RedriveAllowPolicy"] = queue.redrive_allow_policy
        return with_body(answer, found)
    return answer
