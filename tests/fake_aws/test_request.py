"""A request read once is what moto's own request is, unusual ones too."""

from __future__ import annotations

import io
from typing import Any

import pytest
from moto.moto_server.werkzeug_app import BackendRequest

from tests.fake_aws.request import request_of


def _environ(
    body: bytes = b"", *, method: str = "POST", path: str = "/", query: str = "", **more: str
) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "RAW_URI": f"{path}{'?' if query else ''}{query}",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "HTTP_HOST": "127.0.0.1:4566",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        **more,
    }


_FORM = "application/x-www-form-urlencoded; charset=utf-8"
_PARTS = b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nvalue\r\n--x--\r\n'


@pytest.mark.parametrize(
    "given",
    [
        {"body": b"Action=A&Tag.1=%C3%A4+b&Empty=&Twice=1&Twice=2", "CONTENT_TYPE": _FORM},
        {"body": b"Action=A", "CONTENT_TYPE": "Application/X-WWW-Form-Urlencoded"},
        {"body": b"Action=A", "query": "Version=1&Action=B", "CONTENT_TYPE": _FORM},
        {"body": b"Action=%FF", "CONTENT_TYPE": _FORM},
        {"body": b"\xff=1", "CONTENT_TYPE": _FORM},
        {"body": b'{"a": 1}', "CONTENT_TYPE": "application/x-amz-json-1.1", "HTTP_X_AMZ_TARGET": "A.B"},
        {"body": b"\x00\xff", "method": "PUT", "path": "/bucket/a%20b"},
        {"body": _PARTS, "CONTENT_TYPE": "multipart/form-data; boundary=x"},
        {"method": "GET", "query": "list-type=2&prefix=a%2Fb"},
        {"method": "DELETE", "query": "versionId=null"},
        {"method": "HEAD", "HTTP_HOST": "Bucket.S3.amazonaws.com"},
        {"HTTP_HOST": "127.0.0.1:80"},
        {"HTTP_HOST": "[::1]:4566"},
        {"SCRIPT_NAME": "/below"},
        {"CONTENT_TYPE": "", "HTTP_X_EMPTY": ""},
    ],
    ids=str,
)
def test_it_says_what_motos_own_says(given: dict[str, Any]) -> None:
    ours, theirs = request_of(_environ(**given)), BackendRequest(_environ(**given))
    for _ in range(2):
        for name in ("data", "host", "raw_path", "raw_url", "url", "method", "content_type", "mimetype"):
            assert getattr(ours, name) == getattr(theirs, name), name
        for name in ("args", "form", "values", "files"):
            assert list(getattr(ours, name).items(multi=True)) == list(
                getattr(theirs, name).items(multi=True)
            )
        assert ours.values.get("Action") == theirs.values.get("Action")
        assert ours.stream.read() == theirs.stream.read()
    assert list(ours.headers) == list(theirs.headers)
    for name in ("Content-Type", "content-length", "HOST", "x-amz-target", "X-Empty", "none"):
        assert ours.headers.get(name) == theirs.headers.get(name)
        assert ours.headers.get(name, "otherwise") == theirs.headers.get(name, "otherwise")
        assert (name in ours.headers) == (name in theirs.headers)


def test_a_length_may_be_looked_up_as_a_number() -> None:
    assert request_of(_environ(b"123")).headers.get("Content-Length", type=int) == 3


def test_headers_with_underscores_keep_their_names() -> None:
    kept = {"moto.preserved_header_names": {"HTTP_X_AMZ_META_A_B": "x-amz-meta-a_b"}}
    more: dict[str, Any] = {"HTTP_X_AMZ_META_A_B": "1", **kept}
    names = [name for name, _ in request_of(_environ(**more)).headers]
    assert "x-amz-meta-a_b" in names
    assert names == [name for name, _ in BackendRequest(_environ(**more)).headers]
