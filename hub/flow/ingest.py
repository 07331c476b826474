"""From what a queue, a topic or a file hands over to messages, one for every finding. Pure, but for
reading the stream that is given."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TextIO

from hub.errors import FindingUnreadable
from hub.flow.documents import Document, documents
from hub.model import Message

# A notification forwarded to another topic is a notification inside a notification.
MOST_ENVELOPES = 2
# An envelope escapes every quote of its content, so it can be twice as large as what it holds.
LONGEST_ENVELOPE = 4 * 1024 * 1024
_SQS = "aws:sqs"
_SNS = "aws:sns"


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A record of a Lambda event. ``record_id`` names it in the answer to SQS, ``receipt`` when it is
    to be put off; None and "" for SNS."""

    record_id: str | None
    receipt: str = ""
    message: Message


def unwrap(
    body: str, *, message_id: str = "", origin: str = "", nonce: str = "", again: bool = False
) -> Message:
    """What SQS or HTTPS delivered, without the SNS notification around it, if there is one.

    The notification's own id wins over ``message_id``: it stays the same when SNS delivers again.
    Anything else is left as it is, to be judged when the finding is read.
    """
    for _ in range(MOST_ENVELOPES):
        inside = _notification(body)
        if inside is None:
            break
        body, found_id = inside
        message_id = found_id or message_id
    return Message(body=body, message_id=message_id, origin=origin, nonce=nonce, again=again)


def from_lambda(event: object) -> tuple[Received, ...]:
    """Every record of an event that Lambda got from an SQS queue or an SNS topic.

    Raises:
        FindingUnreadable: it is no such event.
    """
    records = event.get("Records") if isinstance(event, Mapping) else None
    if not isinstance(records, list) or not records:
        raise FindingUnreadable(
            "this is no event from SQS or SNS: there are no Records in it; "
            "send findings to the hub's topic or queue, or give the hub a file of them with `hub run`"
        )
    return tuple(_received(record) for record in records)


def from_stream(stream: TextIO, *, name: str, nonce: str) -> Iterator[Message]:
    """Every finding of a file: one document, several one after another, one a line, or a list; each may
    be in an SNS notification or a Lambda event. Read as it is needed, never the whole file at once.

    A broken document becomes a message that holds its text, and reading goes on behind it.

    Raises:
        FindingUnreadable: the file is empty or no text.
    """
    for document in documents(stream, name=name):
        yield from _messages(document, f"{name} line {document.line}", nonce)


def _messages(document: Document, origin: str, nonce: str) -> Iterator[Message]:
    value = document.value
    if isinstance(value, dict) and "Records" in value:
        try:
            records = from_lambda(value)
        except FindingUnreadable:
            records = ()
        for number, record in enumerate(records, start=1):
            yield replace(record.message, origin=f"{origin} record {number}", nonce=nonce)
        if records:
            return
    yield unwrap(document.text, origin=origin, nonce=nonce)


def _notification(body: str) -> tuple[str, str] | None:
    """Text and id of the SNS notification that ``body`` is; None if it is none."""
    # Most bodies are findings, and parsing those twice would double the work.
    if '"Notification"' not in body or '"Message"' not in body or len(body) > LONGEST_ENVELOPE:
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict) or document.get("Type") != "Notification":
        return None
    inside, message_id = document.get("Message"), document.get("MessageId")
    if not isinstance(inside, str) or "TopicArn" not in document:
        return None
    return inside, message_id if isinstance(message_id, str) else ""


def _received(record: object) -> Received:
    found = record if isinstance(record, Mapping) else {}
    if found.get("eventSource") == _SQS and isinstance(found.get("body"), str):
        record_id = str(found.get("messageId", ""))
        queue = _last_part(found.get("eventSourceARN"))
        message = unwrap(
            found["body"],
            message_id=record_id,
            origin=f"queue {queue} message {record_id}".strip(),
            again=_received_before(found.get("attributes")),
        )
        return Received(record_id=record_id, receipt=str(found.get("receiptHandle") or ""), message=message)
    sns = found.get("Sns")
    if found.get("EventSource") == _SNS and isinstance(sns, Mapping) and isinstance(sns.get("Message"), str):
        message_id = str(sns.get("MessageId", ""))
        topic = _last_part(sns.get("TopicArn"))
        message = unwrap(
            sns["Message"], message_id=message_id, origin=f"topic {topic} message {message_id}".strip()
        )
        return Received(record_id=None, message=message)
    raise FindingUnreadable(
        "a record of the event comes neither from SQS (eventSource aws:sqs, with a body) nor from SNS "
        "(EventSource aws:sns, with Sns.Message); connect the function to the hub's queue or topic only"
    )


def _received_before(attributes: object) -> bool:
    count = attributes.get("ApproximateReceiveCount") if isinstance(attributes, Mapping) else None
    return count not in (None, "1", 1)


def _last_part(arn: object) -> str:
    return arn.rpartition(":")[2] if isinstance(arn, str) else ""
