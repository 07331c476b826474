"""Tells CloudGuard how each bot ended: the call its findings ask for with their logsHttpEndpoint fields.

A finding is untrusted, and here it names an address and a credential to send there. So the address
counts only if its host is in the settings, and nothing this call does can harm the message: failures
are logged and returned, never raised.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import aiohttp
from yarl import URL

from hub.flow.report import document
from hub.model import Feedback, Report

log = logging.getLogger(__name__)

MAX_ANSWER_BYTES = 65_536
# An endpoint that failed so often in a row is not asked about the rest of the report.
MAX_FAILURES_IN_A_ROW = 3


class FeedbackRefused(Exception):
    """Why a feedback call was not made or did not succeed. The text never holds the key."""


class FeedbackSink:
    """One POST for every entry of a report whose finding asks for it.

    Args:
        hosts: host names calls may go to, exactly as in the endpoint; empty: no calls at all.
            A loopback host may be called without TLS, every other one with https only.
        seconds: time limit of one call.
    """

    def __init__(self, hosts: Sequence[str], seconds: float) -> None:
        self._hosts = frozenset(host.casefold() for host in hosts)
        self._seconds = seconds

    @property
    def name(self) -> str:
        return "feedback"

    async def publish(self, report: Report) -> None:
        """Send; a failure must not make the message run again, so it is only logged."""
        await self.send(report)

    async def send(self, report: Report) -> tuple[str, ...]:
        """Send and say what went wrong, one text a failure; () when all is told or nothing was due."""
        feedback = report.finding.feedback
        if feedback is None or not report.runs:
            return ()
        try:
            failures = await self._send_all(report, feedback)
        except FeedbackRefused as refused:
            failures = [str(refused)]
        except Exception as error:  # noqa: BLE001 - whatever it is, the report itself is out and counts
            failures = [f"stopped with {type(error).__name__}"]
        if failures:
            log.warning(
                "feedback not delivered",
                extra={"report": report.report_id, "failures": failures[:MAX_FAILURES_IN_A_ROW]},
            )
        return tuple(failures)

    async def _send_all(self, report: Report, feedback: Feedback) -> list[str]:
        url = self._address(feedback.url)
        headers = _headers(feedback)
        told = document(report)
        entries = told["Rules violations found"]
        failures: list[str] = []
        in_a_row = 0
        async with aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=self._seconds),
            cookie_jar=aiohttp.DummyCookieJar(),
            # A small answer must stay small: nothing is unpacked.
            auto_decompress=False,
        ) as session:
            for number, entry in enumerate(entries):
                try:
                    await _post(session, url, _body(told, entry, feedback))
                    in_a_row = 0
                except FeedbackRefused as refused:
                    failures.append(f"run {entry['Run']}: {refused}")
                    in_a_row += 1
                if in_a_row == MAX_FAILURES_IN_A_ROW and number + 1 < len(entries):
                    failures.append(f"{len(entries) - number - 1} more entries were not tried")
                    break
        return failures

    def _address(self, text: str) -> URL:
        try:
            url = URL(text)
            host = (url.host or "").casefold()
            port_fits = url.port is not None
        except ValueError:
            raise FeedbackRefused("the finding's logsHttpEndpoint is not an address") from None
        if host not in self._hosts:
            raise FeedbackRefused(f"host {host[:100]!r} is not in HUB_FEEDBACK_HOSTS")
        if url.user is not None or url.password is not None or not port_fits:
            raise FeedbackRefused("the finding's logsHttpEndpoint is not a plain https address")
        if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(host)):
            raise FeedbackRefused("the finding's logsHttpEndpoint is not an https address")
        return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _headers(feedback: Feedback) -> dict[str, str]:
    key = feedback.key.get_secret_value()
    if not key.isascii() or not key.isprintable():
        raise FeedbackRefused("the finding's logsHttpEndpointKey cannot be sent as a header")
    return {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "x-api-key": key,
    }


def _body(told: Mapping[str, Any], entry: Mapping[str, Any], feedback: Feedback) -> bytes:
    """A Kinesis record in CloudGuard's form. Two of its keys have lost the blank the report's have."""
    line = {
        "logType": "feedback",
        "dome9AccountId": told["dome9AccountId"],
        "vendor": told["vendor"],
        "findingKey": told["findingKey"],
        "envCloudAccountId": told["Account id"],
        "executionId": told["executionId"],
        "remediationInfo": {
            "Rule": entry["Rule"],
            "ID": entry["ID"],
            "Name": entry["Name"],
            "Remediation": entry["Remediation"],
            "ExecutionStatus": entry["Execution status"],
            "BotMessage": entry["Bot message"],
        },
        # CloudBots writes its worker's local time, which on Lambda is UTC, without saying so.
        "executionTime": datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"),
    }
    data = base64.b64encode((json.dumps(line) + "\n").encode()).decode()
    record = {"Data": data, "PartitionKey": feedback.partition_key, "StreamName": feedback.stream}
    return json.dumps(record).encode()


async def _post(session: aiohttp.ClientSession, url: URL, body: bytes) -> None:
    """One call.

    Raises:
        FeedbackRefused: it was not accepted, or nobody can tell.
    """
    try:
        async with session.post(url, data=body, allow_redirects=False) as answer:
            if answer.status != 200:
                raise FeedbackRefused(f"the endpoint answered with status {answer.status}")
            raw = await _bounded(answer)
    except TimeoutError:
        raise FeedbackRefused("the endpoint did not answer in time") from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # The error's text may quote the request.
        raise FeedbackRefused(f"the endpoint could not be called ({type(error).__name__})") from None
    try:
        told = json.loads(raw)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or not told.get("SequenceNumber") or not told.get("ShardId"):
        raise FeedbackRefused("the endpoint's answer has no SequenceNumber and ShardId")


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    raw = b""
    async for chunk in answer.content.iter_chunked(MAX_ANSWER_BYTES):
        raw += chunk
        if len(raw) > MAX_ANSWER_BYTES:
            raise FeedbackRefused(f"the endpoint's answer is longer than {MAX_ANSWER_BYTES} bytes")
    return raw
