"""Policies that buckets, topics and queues carry themselves, as they stand in the fake AWS at that moment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from moto.s3.models import s3_backends
from moto.sns.models import sns_backends
from moto.sqs.models import sqs_backends

from tests.fake_aws.wire import Call


@dataclass(frozen=True, slots=True)
class Carried:
    """What the thing a call is about says itself; "" when it says nothing."""

    document: str
    owner: str


def carried(call: Call) -> Carried | None:
    """None when the call is about no such thing, or about one there is not."""
    match call.service:
        case "s3" if call.operation != "CreateBucket":
            # Making a bucket is no call to the one that has the name already.
            return _bucket(str(call.params.get("Bucket", "")))
        case "sns":
            return _topic(str(call.params.get("TopicArn", "")))
        case "sqs":
            return _queue(str(call.params.get("QueueUrl", "")), call.region)
    return None


def _bucket(name: str) -> Carried | None:
    if name not in s3_backends.bucket_accounts:
        return None
    partition, owner = s3_backends.bucket_accounts[name]
    document = s3_backends[owner][partition].get_bucket(name).policy
    return Carried(document.decode() if document else "", owner)


def _topic(arn: str) -> Carried | None:
    parts = arn.split(":")
    if len(parts) != 6:
        return None
    topic = sns_backends[parts[4]][parts[3]].topics.get(arn)
    return Carried(str(topic.policy), parts[4]) if topic else None


def _queue(url: str, region: str) -> Carried | None:
    _, _, path = url.partition("://")
    _, _, path = path.partition("/")
    owner, _, name = path.partition("/")
    queue: Any = sqs_backends[owner][region].queues.get(name) if name else None
    if queue is None:
        return None
    policy = queue.policy or ""
    return Carried(policy if isinstance(policy, str) else json.dumps(policy), owner)
