"""``xmltodict.unparse`` for what moto's answers are made of: the same text in a fraction of the time."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import xmltodict  # type: ignore[import-untyped]  # moto's; it comes without types

_HEAD = '<?xml version="1.0" encoding="utf-8"?>\n'


class _Unusual(Exception):
    """Something xmltodict treats in a way of its own."""


def unparse(
    document: Mapping[str, Any],
    *,
    full_document: bool = True,
    pretty: bool = False,
    short_empty_elements: bool = False,
) -> str:
    """The document as XML. What is unusual is left to xmltodict itself, errors too."""
    if not pretty and len(document) == 1:
        found = [_HEAD if full_document else ""]
        try:
            (name, value), *_ = document.items()
            if type(value) is not list:
                _write(found, name, value, short=short_empty_elements)
                return "".join(found)
        except _Unusual:
            pass
    text: str = xmltodict.unparse(
        document, full_document=full_document, pretty=pretty, short_empty_elements=short_empty_elements
    )
    return text


@functools.lru_cache(maxsize=8192)
def _is_plain(name: object) -> bool:
    """Whether it is a name that xmltodict writes as it is."""
    return isinstance(name, str) and name.replace("_", "").replace("-", "").isalnum()


def _write(found: list[str], name: str, value: Any, *, short: bool) -> None:
    kind = type(value)
    if kind is list:
        for each in value:
            if type(each) is list:
                raise _Unusual
            _write(found, name, each, short=short)
        return
    if not _is_plain(name):
        raise _Unusual
    text = ""
    if kind is dict:
        head, children = f"<{name}", []
        for key, inner in value.items():
            if key == "#text" or (type(key) is str and key[:1] == "@"):
                if type(inner) is not str or not _is_plain(key[1:].replace(":", "")):
                    raise _Unusual
                if key == "#text":
                    text = inner
                else:
                    head += f" {key[1:]}={quoteattr(inner)}"
            elif type(inner) is not list or inner:
                children.append((key, inner))
        if children:
            found.append(f"{head}>")
            for key, inner in children:
                _write(found, key, inner, short=short)
            found.append(f"{escape(text)}</{name}>")
            return
    else:
        head = f"<{name}"
        if kind is str:
            text = value
        elif kind is bool:
            text = "true" if value else "false"
        elif kind is int or kind is float:
            text = str(value)
        elif value is not None:
            raise _Unusual
    if text:
        found.append(f"{head}>{escape(text)}</{name}>")
    else:
        found.append(f"{head}/>" if short else f"{head}></{name}>")
