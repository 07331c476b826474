"""CloudGuard's feedback call, against an endpoint that may be slow, broken or a liar."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from hub.log import JsonLines
from hub.model import Outcome, Report
from hub.sinks.feedback import FeedbackSink
from tests.hub.sample_reports import KEY, a_report, a_run, wanting_feedback

LOOPBACK = "127.0.0.1"
ACCEPTED = {
    "SequenceNumber": "49590338271490256608559692538361571095921575989136588898",
    "ShardId": "shardId-0",
}
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(slots=True)
class Endpoint:
    """A server on loopback that remembers what it was sent and answers as told."""

    answer: Answer
    url: str = ""
    received: list[tuple[web.Request, Any]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    closing: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.received.append((request, await request.json()))
        self.arrived.set()
        return await self.answer(request)


async def accept(_request: web.Request) -> web.StreamResponse:
    return web.json_response(ACCEPTED)


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint(accept)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", endpoint.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    endpoint.url = f"http://{LOOPBACK}:{port}/remediation/feedback"
    yield endpoint
    endpoint.closing.set()
    await runner.cleanup()


def about(url: str, *runs: Any, key: str = KEY, **changes: Any) -> Report:
    return a_report(*(runs or (a_run(),)), feedback=wanting_feedback(url, key), **changes)


def sink(*hosts: str, seconds: float = 5.0) -> FeedbackSink:
    return FeedbackSink(hosts or (LOOPBACK,), seconds)


async def test_each_entry_is_one_kinesis_record_in_cloudguards_form(endpoint: Endpoint) -> None:
    runs = (
        a_run(1),
        a_run(2, bot="tag_ec2_resource", outcome=Outcome.DENIED, message="not allowed", entity_id=None),
    )
    report = about(endpoint.url, *runs, dome9_account_id="10001", execution_id="5f0d0a55")
    assert await sink().send(report) == ()
    lines = []
    for request, body in endpoint.received:
        assert (request.method, request.path) == ("POST", "/remediation/feedback")
        assert request.headers["x-api-key"] == KEY
        assert request.headers["Content-Type"] == "application/json"
        assert list(body) == ["Data", "PartitionKey", "StreamName"]
        assert (body["PartitionKey"], body["StreamName"]) == ("1", "remediation_feedback")
        text = base64.b64decode(body["Data"], validate=True).decode()
        assert text.endswith("}\n")
        assert text.count("\n") == 1
        lines.append(json.loads(text))
    for line in lines:
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", line.pop("executionTime"))
    common = {
        "logType": "feedback",
        "dome9AccountId": "10001",
        "vendor": "AWS",
        "findingKey": "5lIxe4s1b+rAiwGSEF5d4Q",
        "envCloudAccountId": "222233334444",
        "executionId": "5f0d0a55",
    }
    rule = {"Rule": "S3 bucket without versioning"}
    fixed = "versioning of bucket my-bucket is Off; changed, and read again: it is Enabled"
    assert lines == [
        common
        | {
            "remediationInfo": {
                **rule, "ID": "my-bucket", "Name": "my-bucket", "Remediation": "s3_enable_versioning",
                "ExecutionStatus": "passed", "BotMessage": fixed,
            }
        },
        common
        | {
            "remediationInfo": {
                **rule, "ID": None, "Name": "my-bucket", "Remediation": "tag_ec2_resource",
                "ExecutionStatus": "failed", "BotMessage": "not allowed",
            }
        },
    ]  # fmt: skip
    assert list(lines[0]) == [*common, "remediationInfo"]


async def test_the_key_is_in_the_header_only(endpoint: Endpoint) -> None:
    await sink().send(about(endpoint.url, a_run(message=f"denied, key {KEY}", entity_name=KEY)))
    [(_, body)] = endpoint.received
    line = base64.b64decode(body["Data"]).decode()
    assert KEY not in line
    assert "denied, key [secret removed]" in line


@pytest.mark.parametrize("hosts", [("another.example.invalid",), ("127.0.0.10",), ("127.0.0",), ("",)])
async def test_nothing_is_sent_to_a_host_that_is_not_allowed(
    endpoint: Endpoint, hosts: tuple[str, ...]
) -> None:
    [failure] = await sink(*hosts).send(about(endpoint.url))
    assert failure == "host '127.0.0.1' is not in HUB_FEEDBACK_HOSTS"
    assert endpoint.received == []


async def test_without_allowed_hosts_nothing_is_sent(endpoint: Endpoint) -> None:
    assert await FeedbackSink((), 5.0).send(about(endpoint.url)) != ()
    assert endpoint.received == []


@pytest.mark.parametrize(
    "url",
    [
        "https://feedback.example.invalid.evil.example/",
        "https://evil.example/?feedback.example.invalid",
        "https://evil.example#feedback.example.invalid",
        "https://feedback.example.invalid@evil.example/",
        "https://feedback.example.invalid\\@evil.example/",
        "https://sub.feedback.example.invalid/",
        "http://feedback.example.invalid/",
        "file://feedback.example.invalid/etc/passwd",
        "//feedback.example.invalid/",
        "https://user:word@feedback.example.invalid/",
        "https://feedback.example.invalid:port/",
        "https://[feedback.example.invalid/",
        "feedback.example.invalid",
        "http://169.254.169.254/latest/",
        "",
        "\ud800",
    ],
)
async def test_an_address_that_only_looks_allowed_is_refused_before_any_call(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(*_: Any, **__: Any) -> None:
        raise AssertionError("a call was made")

    monkeypatch.setattr("aiohttp.ClientSession.post", nobody)
    [failure] = await sink("feedback.example.invalid").send(about(url))
    assert "HUB_FEEDBACK_HOSTS" in failure or "address" in failure


async def test_the_host_is_compared_without_regard_to_case(endpoint: Endpoint) -> None:
    url = endpoint.url.replace(LOOPBACK, "LOCALHOST")
    assert await sink("LocalHost").send(about(url)) == ()
    assert len(endpoint.received) == 1


async def test_a_finding_that_asks_for_no_feedback_gets_none(endpoint: Endpoint) -> None:
    assert await sink().send(a_report(a_run())) == ()
    assert await sink().send(a_report(error="unreadable", feedback=wanting_feedback(endpoint.url))) == ()
    assert endpoint.received == []


async def test_a_slow_endpoint_is_given_up_after_the_time_limit(endpoint: Endpoint) -> None:
    async def hang(_request: web.Request) -> web.StreamResponse:
        await endpoint.closing.wait()
        return web.json_response(ACCEPTED)

    endpoint.answer = hang
    async with asyncio.timeout(2):
        [failure] = await sink(seconds=0.2).send(about(endpoint.url))
    assert "did not answer in time" in failure


async def test_an_answer_that_never_ends_is_given_up_after_the_time_limit(endpoint: Endpoint) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"{")
        await endpoint.closing.wait()
        return response

    endpoint.answer = drip
    async with asyncio.timeout(2):
        [failure] = await sink(seconds=0.2).send(about(endpoint.url))
    assert "did not answer in time" in failure


@pytest.mark.parametrize("status", [201, 204, 400, 403, 429, 500, 503])
async def test_another_status_than_200_is_a_failure(endpoint: Endpoint, status: int) -> None:
    async def fail(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=json.dumps(ACCEPTED) if status != 204 else None)

    endpoint.answer = fail
    [failure] = await sink().send(about(endpoint.url))
    assert failure.endswith(f"answered with status {status}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(endpoint: Endpoint, status: int) -> None:
    async def redirect(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    endpoint.answer = redirect
    [failure] = await sink().send(about(endpoint.url))
    assert failure.endswith(f"answered with status {status}")
    assert [request.path for request, _ in endpoint.received] == ["/remediation/feedback"]


@pytest.mark.parametrize(
    "lie",
    [
        b"", b"OK", b"{}", b"[]", b'"SequenceNumber ShardId"', b'{"SequenceNumber": "1"}', b'{"ShardId": "1"}',
        b'{"SequenceNumber": "", "ShardId": ""}', b"[" * 60_000, b"\xff\xfe\x00", b'{"SequenceNumber": 1, "Sh',
    ],
)  # fmt: skip
async def test_an_answer_without_sequence_number_and_shard_is_a_failure(
    endpoint: Endpoint, lie: bytes
) -> None:
    async def answer(_request: web.Request) -> web.StreamResponse:
        return web.Response(body=lie, content_type="application/json")

    endpoint.answer = answer
    [failure] = await sink().send(about(endpoint.url))
    assert "no SequenceNumber and ShardId" in failure


async def test_a_huge_answer_is_not_read_to_its_end(endpoint: Endpoint) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" " * 65_536)

    endpoint.answer = flood
    [failure] = await sink().send(about(endpoint.url))
    assert "longer than 65536 bytes" in failure


async def test_a_packed_answer_is_not_unpacked(endpoint: Endpoint) -> None:
    async def bomb(_request: web.Request) -> web.StreamResponse:
        packed = gzip.compress(json.dumps(ACCEPTED).encode())
        return web.Response(body=packed, headers={"Content-Encoding": "gzip"})

    endpoint.answer = bomb
    [failure] = await sink().send(about(endpoint.url))
    assert "no SequenceNumber and ShardId" in failure
    assert endpoint.received[0][0].headers["Accept-Encoding"] == "identity"


async def test_an_answer_cut_off_in_the_middle_is_a_failure(endpoint: Endpoint) -> None:
    async def cut(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(json.dumps(ACCEPTED).encode())
        assert request.transport is not None
        request.transport.close()
        return response

    endpoint.answer = cut
    [failure] = await sink().send(about(endpoint.url))
    assert "could not be called" in failure


async def test_an_endpoint_nobody_listens_at_is_a_failure() -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        url = f"http://{LOOPBACK}:{taken.getsockname()[1]}/"
        [failure] = await sink().send(about(url))
    assert "could not be called" in failure


async def test_one_refused_entry_does_not_keep_the_others_back(endpoint: Endpoint) -> None:
    async def second_fails(_request: web.Request) -> web.StreamResponse:
        return web.json_response(ACCEPTED, status=500 if len(endpoint.received) == 2 else 200)

    endpoint.answer = second_fails
    assert await sink().send(about(endpoint.url, *(a_run(n) for n in range(1, 6)))) == (
        "run 00000000000000000002: the endpoint answered with status 500",
    )
    assert len(endpoint.received) == 5


async def test_a_dead_endpoint_is_not_asked_about_every_entry(endpoint: Endpoint) -> None:
    async def fail(_request: web.Request) -> web.StreamResponse:
        return web.Response(status=500)

    endpoint.answer = fail
    failures = await sink().send(about(endpoint.url, *(a_run(n) for n in range(100))))
    assert len(endpoint.received) == 3
    assert failures[-1] == "97 more entries were not tried"


@pytest.mark.parametrize("key", ["broken\r\nX-Other: header", "Schlüssel-mit-ü", "zero-\0-byte"])
async def test_a_key_that_would_break_the_header_is_not_sent(endpoint: Endpoint, key: str) -> None:
    [failure] = await sink().send(about(endpoint.url, key=key))
    assert failure == "the finding's logsHttpEndpointKey cannot be sent as a header"
    assert endpoint.received == []


async def test_a_failure_is_logged_without_the_key_and_never_raised(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    async def echo(request: web.Request) -> web.StreamResponse:
        return web.Response(status=403, text=request.headers["x-api-key"], reason=KEY)

    endpoint.answer = echo
    report = about(endpoint.url, a_run(message=KEY))
    await sink().publish(report)
    [record] = caplog.records
    line = json.loads(JsonLines().format(record))
    assert (line["level"], line["message"], line["report"]) == (
        "WARNING", "feedback not delivered", report.report_id
    )  # fmt: skip
    assert line["failures"] == ["run 00000000000000000001: the endpoint answered with status 403"]
    assert KEY not in json.dumps(line)


async def test_even_a_defect_of_the_sink_does_not_reach_the_message(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError(KEY)

    monkeypatch.setattr("hub.sinks.feedback.document", broken)
    assert await sink().send(about(endpoint.url)) == ("stopped with ZeroDivisionError",)


async def test_a_worker_that_stops_does_not_wait_for_feedback(endpoint: Endpoint) -> None:
    async def hang(_request: web.Request) -> web.StreamResponse:
        await endpoint.closing.wait()
        return web.json_response(ACCEPTED)

    endpoint.answer = hang
    task = asyncio.create_task(sink(seconds=60).send(about(endpoint.url)))
    await endpoint.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
