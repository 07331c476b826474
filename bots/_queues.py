"""SQS queues: which one a finding means, and what it looks like."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone

QUEUE = ("arn:{partition}:sqs:*:{account}:*",)
GONE = ("AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist")
LONGEST_NAME = 80
_REGION = "(?P<region>[a-z]{2,}(-[a-z]+)+-[0-9])"
_OWN_NAME = "(?P<account>[0-9]{12})[:/](?P<name>[A-Za-z0-9_-]+([.]fifo)?)"
# Every host SQS has or had: sqs.eu-west-1.amazonaws.com, its FIPS and dual-stack sisters, the old ones.
_DOMAIN = r"(amazonaws\.com(\.cn)?|api\.aws|api\.amazonwebservices\.com\.cn)"
_FORMS = (
    re.compile(rf"arn:[a-z-]+:sqs:{_REGION}:{_OWN_NAME}"),
    re.compile(rf"https://sqs(-fips)?\.{_REGION}\.{_DOMAIN}/{_OWN_NAME}"),
    re.compile(rf"https://{_REGION}\.queue\.{_DOMAIN}/{_OWN_NAME}"),
    re.compile(rf"https://queue\.amazonaws\.com/{_OWN_NAME}(?P<region>)"),
    re.compile(r"(?P<region>)(?P<account>)(?P<name>[A-Za-z0-9_-]+([.]fifo)?)"),
)


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue that exists. ``home`` is the account in the queue's region, ``url`` is AWS's word."""

    home: Aws
    name: str
    url: str

    @property
    def arn(self) -> str:
        return arn_of(self.home, self.name)

    async def attributes(self) -> dict[str, str]:
        found = await self.home.call("sqs", "GetQueueAttributes", QueueUrl=self.url, AttributeNames=["All"])
        attributes: dict[str, str] = found["Attributes"]
        return attributes

    async def set(self, **attributes: str) -> None:
        await self.home.call("sqs", "SetQueueAttributes", QueueUrl=self.url, Attributes=attributes)


def arn_of(home: Aws, name: str) -> str:
    return f"arn:{home.partition}:sqs:{home.region}:{home.account_id}:{name}"


async def the_queue(aws: Aws, target: Target) -> Queue:
    """The queue a finding names by ARN, URL or name; the region of an ARN or a URL wins.

    No URL of a finding is ever called: it could lead anywhere.

    Raises:
        CannotFix: it names none, or one of another account.
        TargetGone: there is none.
    """
    found = next((match for form in _FORMS if (match := form.fullmatch(target.id))), None)
    if found is None or len(found["name"]) > LONGEST_NAME:
        raise CannotFix(f"{target.id[:80]!r} is neither the ARN nor the URL nor the name of an SQS queue")
    if found["account"] not in ("", aws.account_id):
        raise CannotFix(f"queue {target.id} belongs to account {found['account']}, not to {aws.account_id}")
    home = aws.at(found["region"] or ("us-east-1" if found["account"] else aws.region))
    queue = await queue_named(home, found["name"])
    if queue is None:
        raise TargetGone(f"queue {found['name']} does not exist in {home.region}")
    return queue


async def queue_named(home: Aws, name: str) -> Queue | None:
    """The account's own queue of that name in that region."""
    found = await home.find("sqs", "GetQueueUrl", absent=GONE, QueueName=name)
    return Queue(home, name, found["QueueUrl"]) if found else None


def dead_letters_of(name: str) -> str:
    """The name of a queue's dead-letter queue, of the same kind. Long names are cut and told apart by a hash."""
    base, fifo, _ = name.partition(".fifo")
    made = f"dlq-for-{base}"
    if len(made + fifo) > LONGEST_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        made = f"{made[: LONGEST_NAME - len(fifo) - len(digest) - 1]}-{digest}"
    return made + fifo


def document(attributes: dict[str, str], name: str) -> dict[str, Any]:
    """An attribute that holds JSON, {} if the queue has none."""
    found: dict[str, Any] = json.loads(attributes.get(name) or "{}")
    return found
