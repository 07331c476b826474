"""Publishes reports to an SNS topic, as one message with attributes that subscriptions can filter on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hub.aws.accounts import HubIdentity, spoke_error
from hub.aws.errors import from_botocore, outcome_of, told_apart
from hub.batching import AT_ONCE, Batcher
from hub.errors import InternalError, SettingsWrong, SpokeError
from hub.flow.report import as_json, attributes, document, shortened, text
from hub.model import Outcome, Report
from hub.settings import OutputMode

SUBJECT = "RemediationLog"
# Of a message and of all in a batch; SNS counts the message and its attributes: names, types and values.
LIMIT_BYTES = 262_144
TOPIC = re.compile(
    r"arn:[a-z0-9-]+:sns:(?P<region>[a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}(?P<fifo>\.fifo)?"
)
# What SNS takes for a subject: ASCII without control characters, not beginning with a blank.
SUBJECT_FORM = re.compile(r"[!-~][ -~]{0,98}")
GROUP = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True, slots=True)
class _Entry:
    """A message as SNS takes it, alone or in a batch."""

    report_id: str
    fields: dict[str, Any]
    size: int


class SnsSink:
    """One topic. The client stays open from `start` to `stop`. Reports that wait go out together.

    Args:
        identity: who publishes.
        topic_arn: a standard topic or a FIFO one, in any region.
        output_mode: JSON, or text for readers of the old text form.
        subject: what mailboxes show.

    Raises:
        SettingsWrong: the ARN is no topic's, or SNS would refuse the subject.
    """

    def __init__(
        self, identity: HubIdentity, topic_arn: str, output_mode: OutputMode, *, subject: str = SUBJECT
    ) -> None:
        topic = TOPIC.fullmatch(topic_arn)
        if topic is None:
            raise SettingsWrong(f"HUB_REPORT_TOPIC_ARN {topic_arn[:200]!r} is not the ARN of an SNS topic")
        if SUBJECT_FORM.fullmatch(subject) is None:
            raise SettingsWrong("the subject of reports must be 1 to 99 printable ASCII characters")
        self._identity = identity
        self._topic_arn = topic_arn
        self._region = topic["region"]
        self._fifo = topic["fifo"] is not None
        self._form = as_json if output_mode is OutputMode.JSON else text
        self._subject = subject
        self._stack = AsyncExitStack()
        self._batcher: Batcher[_Entry, None] | None = None

    @property
    def name(self) -> str:
        return f"topic {self._topic_arn}"

    async def start(self) -> None:
        """Open the client."""
        if self._batcher is not None:
            return
        opening = self._identity.client("sns", self._region)
        client = await self._stack.enter_async_context(opening)
        self._batcher = Batcher(
            partial(self._send, client),
            # Reports about one finding must not overtake each other.
            at_once=1 if self._fifo else AT_ONCE,
            most_bytes=LIMIT_BYTES,
            size=lambda entry: entry.size,
        )

    async def stop(self) -> None:
        """Close the client when everything is out; `start` opens a new one."""
        batcher, self._batcher = self._batcher, None
        if batcher is not None:
            await batcher.close()
        await self._stack.aclose()

    async def publish(self, report: Report) -> None:
        """Publish, shortened to what SNS takes. The report's id tells doubles apart.

        Raises:
            SpokeError: SNS refused or could not be reached; the text names the topic.
        """
        if self._batcher is None:
            raise InternalError("a report was published before the SNS sink was started")
        await self._batcher.do(self._entry(report))

    async def _send(self, client: Any, entries: Sequence[_Entry]) -> Sequence[SpokeError | None]:
        # Both calls need the right to sns:Publish, and that is what an error names.
        of = {"service": "sns", "operation": "Publish", "region": self._region}
        try:
            if len(entries) == 1:
                await client.publish(TopicArn=self._topic_arn, **entries[0].fields)
                return [None]
            numbered = [{"Id": str(number), **entry.fields} for number, entry in enumerate(entries)]
            answer = await client.publish_batch(TopicArn=self._topic_arn, PublishBatchRequestEntries=numbered)
            told = told_apart(answer, len(entries), **of)
        except (ClientError, BotoCoreError) as error:
            refused = from_botocore(error, **of)
            if len(entries) > 1 and outcome_of(refused) is Outcome.FAILED:
                # One of them may be why. In turn, so that none overtakes another.
                return [each for entry in entries for each in await self._send(client, [entry])]
            told = [refused for _ in entries]
        return [
            None if each is None else spoke_error(each, self._doing(entry))
            for each, entry in zip(told, entries, strict=True)
        ]

    def _doing(self, entry: _Entry) -> str:
        return f"report {entry.report_id} could not be published to {self._topic_arn}"

    def _entry(self, report: Report) -> _Entry:
        labels = {
            name: {"DataType": "String.Array" if name == "bots" else "String", "StringValue": value}
            for name, value in attributes(report).items()
        }
        taken = len(self._subject) + sum(
            len(name) + len(label["DataType"]) + len(label["StringValue"].encode())
            for name, label in labels.items()
        )
        told = shortened(document(report), LIMIT_BYTES - taken, form=self._form)
        message = self._form(told)
        fields: dict[str, Any] = {
            "Subject": self._subject,
            "Message": message,
            "MessageAttributes": labels,
        }
        if self._fifo:
            fields["MessageGroupId"] = _group(told["findingKey"])
            fields["MessageDeduplicationId"] = report.report_id
        return _Entry(report.report_id, fields, taken + len(message.encode()))


def _group(finding_key: str) -> str:
    """Reports about one finding keep their order; SNS takes up to 128 printable characters."""
    if GROUP.fullmatch(finding_key):
        return finding_key
    return hashlib.sha256(finding_key.encode()).hexdigest()
