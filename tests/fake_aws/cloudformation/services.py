"""Calls of other services on an account's behalf, as CloudFormation makes them: in this process, unasked."""

from __future__ import annotations

import functools
import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from werkzeug.test import create_environ

from tests.fake_aws.admin import Admin

# Nobody listens there: requests are served before they are sent.
_INSIDE = "http://127.0.0.1:9"


class _Body(io.BytesIO):
    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


def service(name: str, account_id: str, region: str) -> Any:
    """A client of a service with all rights in that account."""
    _wire(name, region)
    return Admin(account_id, _INSIDE, region).client(name)


@functools.cache
def _wire(name: str, region: str) -> None:
    # The clients of all accounts share their events.
    client = Admin("000000000000", _INSIDE, region).client(name)
    client.meta.events.register("before-send", _serve)


@functools.cache
def _gate() -> Any:
    from tests.fake_aws.gate import Gate  # which knows of the gaps, and they of this

    return Gate()


def _serve(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
    url = urlsplit(request.url)
    body = request.body.read() if hasattr(request.body, "read") else request.body
    headers = {
        name: value.decode() if isinstance(value, bytes) else str(value)
        for name, value in request.headers.items()
    }
    environ = create_environ(
        path=url.path,
        base_url=f"{url.scheme}://{url.netloc}",
        query_string=url.query,
        method=request.method,
        headers=headers,
        data=body or b"",
    )
    environ["RAW_URI"] = environ["REQUEST_URI"] = f"{url.path}?{url.query}" if url.query else url.path
    answer: dict[str, Any] = {}

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        answer["status"], answer["headers"] = int(status.split(" ", 1)[0]), dict(headers)

    content = b"".join(_gate()(environ, start))
    return AWSResponse(request.url, answer["status"], answer["headers"], _Body(content))
