"""moto's answers without Flask around them: its handlers are found and called as its server does.

moto's own server makes a Flask application per service and matches some two hundred patterns of host names
for every request, which costs more than many answers. `test_moto_costs` compares the two.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError
from moto import backends
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.base_backend import BackendDict
from moto.moto_server.utilities import RegexConverter
from moto.moto_server.werkzeug_app import (
    DEFAULT_SERVICE_REGION,
    HTTP_METHODS,
    DomainDispatcherApplication,
    create_backend_app,
)
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Response

from tests.fake_aws.request import Request
from tests.fake_aws.wire import Answer


class _Response(Response):
    default_mimetype = "text/html"  # as Flask's


@dataclass(slots=True)
class Moto:
    """Answers requests. What is not signed (moto's own pages) goes to moto's own server."""

    server: DomainDispatcherApplication = field(
        default_factory=lambda: DomainDispatcherApplication(create_backend_app)
    )
    _handlers: dict[tuple[str, str, str], Callable[..., Any]] = field(default_factory=dict)

    def __call__(self, request: Request) -> Answer:
        environ = request.environ
        try:
            handler = self._handler(request)
            return _called(handler, request)
        except HTTPException as error:
            return _answer(error.get_response(environ), request)

    def _handler(self, request: Request) -> Callable[..., Any]:
        """
        Raises:
            HTTPException: there is no such path or method.
        """
        environ = request.environ
        path = environ["PATH_INFO"]
        at = (self.server.infer_service_region_host(environ, path) or _DEFAULT_HOST, request.method, path)
        found = self._handlers.get(at)
        if found is None:
            paths = _paths_of(self.server.get_backend_for_host(at[0]))
            found, _ = paths.bind_to_environ(environ, subdomain="").match()
            if len(self._handlers) > _MOST_PATHS:
                self._handlers.clear()
            self._handlers[at] = found
        return found


_DEFAULT_HOST = "{}.{}.amazonaws.com".format(*DEFAULT_SERVICE_REGION)
_MOST_PATHS = 10_000


@functools.cache
def _paths_of(service: str) -> Map:
    """Handlers by path, as `create_backend_app` registers them with Flask."""
    of_accounts = backends.get_backend(service)
    if isinstance(of_accounts, BackendDict):
        regions = of_accounts[DEFAULT_ACCOUNT_ID]
        backend = regions["us-east-1"] if "us-east-1" in regions else regions["aws"]
    else:
        backend = of_accounts["global"]
    rules = [
        Rule(path, endpoint=handler, methods=HTTP_METHODS, strict_slashes=False)
        for path, handler in backend.flask_paths.items()
        if path
    ]
    return Map(rules, converters={"regex": RegexConverter})


def _called(handler: Callable[..., Any], request: Request) -> Answer:
    try:
        result = handler(request, request.raw_url, dict(request.headers))
    except ClientError as error:
        result = 400, {}, error.response["Error"]["Message"]
    status, headers, content = result if len(result) == 3 else (200, {}, result)
    if request.method != "HEAD" and (plain := _plain_answer(status, headers, content)) is not None:
        return plain
    response = _Response(response=content, status=status, headers=headers)
    if request.method == "HEAD" and "content-length" in headers:
        response.headers["Content-Length"] = headers["content-length"]
    return _answer(response, request)


def _answer(response: Any, request: Request) -> Answer:
    chunks, status, headers = response.get_wsgi_response(request.environ)
    return Answer(int(status.split(" ", 1)[0]), tuple(headers), b"".join(chunks))


# werkzeug has something to say about these.
_NOT_PLAIN = frozenset({"content-length", "location", "content-location"})


def _plain_answer(status: Any, headers: Any, content: Any) -> Answer | None:
    """What werkzeug would make of it; None where that is more than to write it down."""
    if type(headers) is not dict or type(status) is not int or status in (204, 304) or status < 200:
        return None
    body = content.encode() if isinstance(content, str) else content
    if type(body) is not bytes:
        return None
    found, is_typed = [], False
    for name, value in headers.items():
        text = value if type(value) is str else str(value) if type(value) is int else None
        low = name.lower()
        if text is None or low in _NOT_PLAIN or "\n" in text or "\r" in text:
            return None
        is_typed = is_typed or low == "content-type"
        found.append((name, text))
    if not is_typed:
        found.append(("Content-Type", "text/html; charset=utf-8"))
    found.append(("Content-Length", str(len(body))))
    return Answer(status, tuple(found), body)
