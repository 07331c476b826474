"""Publishes reports to an SNS topic, as one message with attributes that subscriptions can filter on."""

from __future__ import annotations

import hashlib
import re
from contextlib import AsyncExitStack
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from hub.aws.accounts import HubIdentity, spoke_error
from hub.aws.errors import from_botocore
from hub.errors import InternalError, SettingsWrong
from hub.flow.report import as_json, attributes, document, shortened, text
from hub.model import Report
from hub.settings import OutputMode

SUBJECT = "RemediationLog"
LIMIT_BYTES = 262_144  # SNS counts the message and its attributes: names, types and values
TOPIC = re.compile(
    r"arn:[a-z0-9-]+:sns:(?P<region>[a-z0-9-]+):[0-9]{12}:[A-Za-z0-9_-]{1,256}(?P<fifo>\.fifo)?"
)
# What SNS takes for a subject: ASCII without control characters, not beginning with a blank.
SUBJECT_FORM = re.compile(r"[!-~][ -~]{0,98}")
GROUP = re.compile(r"[!-~]{1,128}")


class SnsSink:
    """One topic. The client stays open from `start` to `stop`.

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
        self._client: Any = None

    @property
    def name(self) -> str:
        return f"topic {self._topic_arn}"

    async def start(self) -> None:
        """Open the client."""
        if self._client is None:
            opening = self._identity.client("sns", self._region)
            self._client = await self._stack.enter_async_context(opening)

    async def stop(self) -> None:
        """Close the client; `start` opens a new one."""
        self._client = None
        await self._stack.aclose()

    async def publish(self, report: Report) -> None:
        """Publish, shortened to what SNS takes. The report's id tells doubles apart.

        Raises:
            SpokeError: SNS refused or could not be reached; the text names the topic.
        """
        if self._client is None:
            raise InternalError("a report was published before the SNS sink was started")
        try:
            await self._client.publish(**self._request(report))
        except (ClientError, BotoCoreError) as error:
            told = from_botocore(error, service="sns", operation="Publish", region=self._region)
            doing = f"report {report.report_id} could not be published to {self._topic_arn}"
            raise spoke_error(told, doing) from error

    def _request(self, report: Report) -> dict[str, Any]:
        labels = {
            name: {"DataType": "String.Array" if name == "bots" else "String", "StringValue": value}
            for name, value in attributes(report).items()
        }
        taken = len(self._subject) + sum(
            len(name) + len(label["DataType"]) + len(label["StringValue"].encode())
            for name, label in labels.items()
        )
        told = shortened(document(report), LIMIT_BYTES - taken, form=self._form)
        request: dict[str, Any] = {
            "TopicArn": self._topic_arn,
            "Subject": self._subject,
            "Message": self._form(told),
            "MessageAttributes": labels,
        }
        if self._fifo:
            request["MessageGroupId"] = _group(told["findingKey"])
            request["MessageDeduplicationId"] = report.report_id
        return request


def _group(finding_key: str) -> str:
    """Reports about one finding keep their order; SNS takes up to 128 printable characters."""
    if GROUP.fullmatch(finding_key):
        return finding_key
    return hashlib.sha256(finding_key.encode()).hexdigest()
