"""A request as moto wants it, read once for everybody who looks at it.

werkzeug's own request works most of this out again at every look. What is unusual is left to it.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import io
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl

from moto.core import request as moto_request
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.exceptions import BadRequestKeyError

# Hosts that need no translation, and no taking away of a port that goes without saying.
_PLAIN_HOST = re.compile(r"[a-z0-9][a-z0-9.-]*(:(?!80$|443$)[1-9]\d*)?")
_FORM = "application/x-www-form-urlencoded"


@functools.lru_cache(maxsize=1024)
def _key(name: str) -> str:
    """Under which key WSGI has a header."""
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


@functools.lru_cache(maxsize=1024)
def _name(key: str) -> str | None:
    """The header WSGI has under a key; None for other things."""
    if key in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        return key.replace("_", "-").title()
    if key.startswith("HTTP_") and key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
        return key[5:].replace("_", "-").title()
    return None


class _Once:
    """Worked out at the first look. Unlike werkzeug's, it is not even called at the second."""

    def __init__(self, work_out: Callable[[Any], Any]) -> None:
        self._work_out = work_out
        self._name = work_out.__name__

    def __get__(self, request: Any, _: type) -> Any:
        found = request.__dict__[self._name] = self._work_out(request)
        return found


class _Headers(moto_request.EnvironHeaders):  # type: ignore[misc]
    """Headers as WSGI has them."""

    def _get_key(self, key: str) -> str:
        if not isinstance(key, str):
            raise BadRequestKeyError(key)
        found: str = self.environ[_key(key)]
        return found

    def get(self, key: str, default: Any = None, **more: Any) -> Any:
        return super().get(key, default, **more) if more else self.environ.get(_key(key), default)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and _key(key) in self.environ

    def __iter__(self) -> Iterator[tuple[str, str]]:
        kept = self.environ.get(moto_request.PRESERVED_HEADER_NAMES_ENVIRON_KEY) or {}
        for key, value in self.environ.items():
            name = _name(key)
            if name is not None and (value or key.startswith("HTTP_")):
                yield kept.get(key, name), value


class Request(moto_request.Request):  # type: ignore[misc]
    """Its body is in memory. Made by `request_of`."""

    from_wsgi_server = True
    parsed: tuple[Any, dict[str, Any]] | None = None  # the operation and its parameters, once known

    def __init__(self, environ: dict[str, Any]) -> None:
        super().__init__(environ)
        self.headers = _Headers(environ)

    @_Once
    def raw_path(self) -> Any:
        return super().raw_path

    @_Once
    def host(self) -> Any:
        host = self.environ.get("HTTP_HOST", "")
        return host if _PLAIN_HOST.fullmatch(host) else super().host

    @_Once
    def raw_url(self) -> Any:
        environ = self.environ
        if environ["SCRIPT_NAME"] or not _PLAIN_HOST.fullmatch(environ.get("HTTP_HOST", "")):
            return super().raw_url
        query = environ["QUERY_STRING"]
        return f"{environ['wsgi.url_scheme']}://{self.host}{self.raw_path}{'?' if query else ''}{query}"

    @_Once
    def args(self) -> Any:
        return super().args if self.environ["QUERY_STRING"] else ImmutableMultiDict()

    @_Once
    def values(self) -> Any:
        if self.environ["QUERY_STRING"] or self.method not in ("POST", "PUT", "PATCH"):
            return super().values
        return self.form

    @_Once
    def data(self) -> Any:
        return self.get_data(parse_form_data=True)

    @_Once
    def form(self) -> Any:
        self._load_form_data()
        return self.__dict__["form"]

    @_Once
    def stream(self) -> Any:
        return self.environ["wsgi.input"]  # holds the body and nothing else

    def unpack(self) -> None:
        """Clients pack the larger requests of some services; to be done before anybody reads it."""
        if self.environ.pop("HTTP_CONTENT_ENCODING", "") == "gzip":
            body = gzip.decompress(self.environ["wsgi.input"].read())
            self.environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}

    def _load_form_data(self) -> None:
        if "form" in self.__dict__:
            return
        kind = self.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            super()._load_form_data()
            return
        form = ImmutableMultiDict[str, str]()
        if kind == _FORM:
            # What is no text is no form, either.
            with contextlib.suppress(ValueError):
                text = self.stream.read().decode()
                form = ImmutableMultiDict(
                    parse_qsl(text, keep_blank_values=True, errors="werkzeug.url_quote")
                )
        self.__dict__.update(stream=self.stream, form=form, files=ImmutableMultiDict())


def request_of(environ: dict[str, Any]) -> Request:
    """The request, its body at hand in memory."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    body: bytes = stream.read(int(length)) if length else b""
    if not length and environ.get("wsgi.input_terminated"):
        body = stream.read()
        environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)
    return Request(environ)
