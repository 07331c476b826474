"""Requests as clients of AWS would send them, not sent."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from botocore.awsrequest import AWSPreparedRequest


class _NotSent(Exception):
    """Thrown in place of sending."""


def captured(client: Any, operation: str, /, **params: Any) -> AWSPreparedRequest:
    """What the client would send."""
    found: list[AWSPreparedRequest] = []

    def instead(request: AWSPreparedRequest, **_: Any) -> None:
        found.append(request)
        raise _NotSent

    client.meta.events.register_last("before-send", instead)
    try:
        getattr(client, operation)(**params)
    except _NotSent:
        pass
    finally:
        client.meta.events.unregister("before-send", instead)
    (request,) = found
    return request


def body_of(request: AWSPreparedRequest) -> bytes:
    """Its body, whatever the client made it of."""
    body = request.body or b""
    if isinstance(body, str):
        return body.encode()
    return bytes(body) if isinstance(body, (bytes, bytearray)) else bytes(body.read())


def headers_of(request: AWSPreparedRequest) -> dict[str, str]:
    """Its headers as text; botocore mixes bytes in."""
    return {str(k): v.decode() if isinstance(v, bytes) else str(v) for k, v in request.headers.items()}


def as_bytes(request: AWSPreparedRequest) -> bytes:
    """As it goes over the wire."""
    url, body = urlsplit(request.url), body_of(request)
    headers = {**headers_of(request), "Host": url.netloc, "Content-Length": str(len(body))}
    lines = [f"{request.method} {url.path}{'?' if url.query else ''}{url.query} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
