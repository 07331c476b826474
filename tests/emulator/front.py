"""The emulator's front: AWS's distance, its meters and its bad days, before the fake AWS answers.

Connections are kept open as AWS keeps them, and waiting costs no thread: thousands of calls can be on
their way at once.
"""

from __future__ import annotations

import asyncio
import io
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field, replace
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.emulator.buckets import TokenBuckets
from tests.emulator.faults import Fault, Luck
from tests.emulator.staleness import Staleness
from tests.emulator.weather import Weather
from tests.fake_aws import wire
from tests.fake_aws.gate import Gate
from tests.fake_aws.principals import administered_account
from tests.fake_aws.request import Request, request_of
from tests.fake_aws.wire import Answer, Call

_THROTTLES = {"ec2": "RequestLimitExceeded", "iam": "Throttling", "s3": "SlowDown", "sts": "Throttling"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A call that was let through, as it can be made again. ``at`` is the second it arrived."""

    account_id: str
    region: str
    service: str
    operation: str
    params: Mapping[str, Any]
    at: float


@dataclass(slots=True)
class Counts:
    """What was asked since the weather last changed, administrators left out."""

    calls: Counter[str] = field(default_factory=Counter)
    throttled: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    accounts: Counter[str] = field(default_factory=Counter)
    last: dict[str, float] = field(default_factory=dict)  # account -> when its last call was answered

    def told(self) -> dict[str, Any]:
        return {
            "calls": dict(self.calls),
            "throttled": dict(self.throttled),
            "faults": dict(self.faults),
            "accounts": dict(self.accounts),
            "last": self.last,
        }


class Front:
    """An aiohttp handler around the fake AWS's gate."""

    def __init__(self, gate: Gate, weather: Weather | None = None) -> None:
        self.gate = gate
        self.recorded: list[Recorded] = []
        self._waiting = ThreadPoolExecutor(max_workers=64, thread_name_prefix="fake-aws-waiting")
        self.change(weather or Weather())

    def change(self, weather: Weather) -> None:
        """Another weather from now on; buckets are full again and counts start anew."""
        self.weather = weather
        self.counts = Counts()
        self.recorded.clear()
        self._buckets = TokenBuckets(weather.limits)
        self._luck = Luck(weather.rates, weather.seed, weather.spared)
        self._stale = Staleness(weather.stale)
        self.gate.enforce = weather.enforce

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One request, from its arrival to the answer."""
        environ = _environ(request, await request.read())
        asked = request_of(environ)
        call = wire.read(asked)
        if call is None:
            return _response(_page(self.gate, environ))
        if administered_account(call.access_key) is not None:
            return _response(await self._answer(call, asked))
        call = replace(call, account_id=self.gate.account_of(call))
        weather, arrived = self.weather, time.monotonic()
        self.counts.calls[call.name] += 1
        self.counts.accounts[call.account_id] += 1
        if weather.latency:
            await asyncio.sleep(weather.latency)
        answer = await self._felt(call, asked, arrived)
        self.counts.last[call.account_id] = time.monotonic()
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response(status=500)
        return _response(answer)

    async def _felt(self, call: Call, request: Request, arrived: float) -> Answer | None:
        """The answer, None for none."""
        if not self._buckets.take(
            call.account_id, call.region, call.service, call.operation, now=time.monotonic()
        ):
            self.counts.throttled[call.name] += 1
            return wire.refusal(
                call, _THROTTLES.get(call.service, "ThrottlingException"), "Rate exceeded", status=400
            )
        fault = self._luck.draw(call.name)
        if fault is not None:
            self.counts.faults[fault] += 1
        match fault:
            case Fault.ERROR:
                return wire.refusal(call, "InternalError", "We encountered an internal error", status=500)
            case Fault.RESET:
                return None
            case Fault.THROTTLE:
                code = _THROTTLES.get(call.service, "ThrottlingException")
                return wire.refusal(call, code, "Rate exceeded", status=400)
            case Fault.EXPIRED:
                return wire.refusal(call, "ExpiredToken", "The security token is expired", status=400)
        if self.weather.record:
            self.recorded.append(
                Recorded(call.account_id, call.region, call.service, call.operation, call.params, arrived)
            )
        answer = self._stale.seen(call, await self._answer(call, request), now=time.monotonic())
        if fault is Fault.LOST:
            return wire.refusal(call, "InternalError", "We encountered an internal error", status=500)
        return answer

    async def _answer(self, call: Call, request: Request) -> Answer:
        # A thread costs more than most answers; only what waits gets one.
        if call.name == "sqs:ReceiveMessage" and call.params.get("WaitTimeSeconds") != 0:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._waiting, self.gate.answer, call, request)
        return self.gate.answer(call, request)

    def told(self) -> dict[str, Any]:
        """Counts and what was recorded, as JSON."""
        return {**self.counts.told(), "recorded": [asdict(call) for call in self.recorded]}


def _page(application: Callable[..., Iterable[bytes]], environ: dict[str, Any]) -> Answer:
    """A page of the server's own, which is not signed."""
    found: list[Any] = []

    def started(line: str, headers: list[tuple[str, str]], *_: Any) -> Callable[[bytes], None]:
        found[:] = [line, headers]
        return lambda _data: None

    body = b"".join(application(environ, started))
    return Answer(int(found[0].split(" ", 1)[0]), tuple(found[1]), body)


def _environ(request: web.Request, body: bytes) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333)."""
    raw, _, query = request.raw_path.partition("?")
    host, _, port = request.host.partition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote(raw, "latin-1"),
        "QUERY_STRING": query,
        "RAW_URI": request.raw_path,
        "REQUEST_URI": request.raw_path,
        "SERVER_NAME": host,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    return environ


def _response(answer: Answer) -> web.Response:
    headers = [(name, value) for name, value in answer.headers if name.lower() not in _HOP_BY_HOP]
    return web.Response(status=answer.status, headers=headers, body=answer.body)


_HOP_BY_HOP = frozenset({"connection", "content-length", "transfer-encoding", "server", "date"})
