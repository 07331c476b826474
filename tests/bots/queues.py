"""Queues for the tests of the bots that act on them."""

from __future__ import annotations

from typing import Any

from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin

NAME = "orders"
_MOVING = {"LastModifiedTimestamp", "CreatedTimestamp"}


def arn(admin: Admin, name: str = NAME, region: str = "us-east-1") -> str:
    return f"arn:aws:sqs:{region}:{admin.account_id}:{name}"


def plant(
    admin: Admin, *words: str, name: str = NAME, region: str = "us-east-1", **attributes: str
) -> Planted:
    """A queue with these attributes; the finding names it by its ARN."""
    admin.client("sqs", region).create_queue(QueueName=name, Attributes=attributes)
    url = f"https://sqs.{region}.amazonaws.com/{admin.account_id}/{name}"
    entity = {"id": arn(admin, name, region), "name": name, "queueUrl": url, "type": "SQS"}
    return Planted(entity=entity, words=words, notes={"region": region, "name": name})


def missing(admin: Admin) -> Planted:
    return Planted(entity={"id": arn(admin, "never-made"), "name": "never-made", "type": "SQS"})


def url(admin: Admin, name: str = NAME, region: str = "us-east-1") -> str:
    return str(admin.client("sqs", region).get_queue_url(QueueName=name)["QueueUrl"])


def attributes(admin: Admin, name: str = NAME, region: str = "us-east-1") -> dict[str, str]:
    sqs = admin.client("sqs", region)
    found = sqs.get_queue_attributes(QueueUrl=url(admin, name, region), AttributeNames=["All"])
    return {key: value for key, value in found["Attributes"].items() if key not in _MOVING}


def observe(admin: Admin, planted: Planted) -> Any:
    """The queue, its tags, and which other queues there are."""
    sqs, region, name = (
        admin.client("sqs", planted.notes["region"]),
        planted.notes["region"],
        planted.notes["name"],
    )
    others = sqs.list_queues().get("QueueUrls", ())
    return {
        "attributes": attributes(admin, name, region),
        "tags": sqs.list_queue_tags(QueueUrl=url(admin, name, region)).get("Tags", {}),
        "queues": sorted(each.rsplit("/", 1)[-1] for each in others),
    }
