"""Keeps secrets out of what is published, and odd values out of JSON. Pure.

The hub never puts a secret into a report on purpose; this is the second fence, for texts that come
from elsewhere: AWS's error messages, entity names, snapshots.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import quote, quote_plus

REMOVED = "[secret removed]"
# Shorter texts are no credentials, and removing every "a" would leave no report.
SHORTEST_KEY = 8
MAX_DEPTH = 40
MAX_NUMBER_BITS = 1024  # Python writes no decimal numbers beyond 4,300 digits

# What neither XML nor SQS lets through: control characters but tab and line breaks, halves of
# surrogate pairs, and the two noncharacters at the end of the first plane.
_UNSENDABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_LABELLED = re.compile(
    r"""(?ix)
    \b ( (?: aws [_\-\s]? )? (?: secret [_\-\s]? access [_\-\s]? key | secret [_\-\s]? key
       | (?: session | security ) [_\-\s]? token | x-amz-(?: security-token | signature )
       | x-api-key | logsHttpEndpointKey ) )
    ( \\* ["']? \s* [=:] \s* \\* ["']? )
    [^\s"'\\,;&<>)\]}]{8,}
    """
)
# Every session token STS has handed out so far begins with one of these.
_SESSION_TOKEN = re.compile(
    r"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz|FQoGZXIvYXdz|AQoDYXdz|AQoEXAMPLE)[A-Za-z0-9/+=%]{20,}"
)
_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_FORTY = re.compile(r"(?<![A-Za-z0-9/+=])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])")
# 40 random characters change their kind (upper, lower, digit) about 25 times, 14 times or less in one
# of a thousand; words in CamelCase and paths change theirs about ten times.
_RANDOM_CHANGES = 15


def redactor(key: str | None) -> Callable[[str], str]:
    """A function that takes ``key`` and whatever looks like an AWS secret out of a text.

    Access key *ids* stay: bots about access keys name their resource with them.
    """
    known = _spellings(key) if key else None

    def redact(text: str) -> str:
        if known is not None:
            text = known.sub(REMOVED, text)
        text = _PRIVATE_KEY.sub(REMOVED, text)
        text = _LABELLED.sub(lambda found: f"{found[1]}{found[2]}{REMOVED}", text)
        text = _SESSION_TOKEN.sub(REMOVED, text)
        return _FORTY.sub(lambda found: REMOVED if _reads_random(found[0]) else found[0], text)

    return redact


def plain(value: Any, redact: Callable[[str], str], depth: int = 0) -> Any:
    """``value`` as JSON takes it, every text in it redacted and free of unsendable characters."""
    match value:
        case None | bool():
            return value
        case int():
            return int(value) if value.bit_length() <= MAX_NUMBER_BITS else "a number too long to show"
        case float():
            return float(value) if math.isfinite(value) else str(value)
        case str():
            return redact(_sendable(value))
    if depth >= MAX_DEPTH:
        return "nested too deep to show"
    match value:
        case Mapping():
            return {
                plain(_as_text(name), redact): plain(each, redact, depth + 1) for name, each in value.items()
            }
        case list() | tuple():
            return [plain(each, redact, depth + 1) for each in value]
        case _:
            return plain(str(value), redact)


def _sendable(text: str) -> str:
    return _UNSENDABLE.sub("\ufffd", text)


def _as_text(name: object) -> str:
    return name if isinstance(name, str) else str(plain(name, str))


def _spellings(key: str) -> re.Pattern[str] | None:
    """The key as it stands and as JSON, Python, URLs and base64 would spell it."""
    if len(key) < SHORTEST_KEY:
        return None
    forms = {json.dumps(key)[1:-1], json.dumps(key, ensure_ascii=False)[1:-1], repr(key)[1:-1]}
    forms |= {key, _sendable(key)}
    # What arrives inside a text of JSON that is itself inside JSON is escaped twice.
    forms |= {json.dumps(form)[1:-1] for form in tuple(forms)}
    raw = key.encode("utf-8", "surrogatepass")
    forms |= {quote(raw, safe=""), quote(raw), quote_plus(raw)}
    for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            # At each of the three places of a base64 group the key gives other letters; those that
            # it shares with its neighbours are left out.
            encoded = alphabet(b"\0" * offset + raw).decode()
            first, last = (0, 2, 3)[offset], len(encoded) - (0, 3, 2)[(len(raw) + offset) % 3]
            forms.add(encoded[first:last])
    long_first = sorted((form for form in forms if len(form) >= SHORTEST_KEY), key=len, reverse=True)
    return re.compile("|".join(re.escape(form) for form in long_first), re.IGNORECASE)


def _reads_random(text: str) -> bool:
    if text.islower() or text.isupper():
        return False  # a digest in hexadecimal
    kinds = [("u" if c.isupper() else "l" if c.islower() else "d" if c.isdigit() else "s") for c in text]
    changes = sum(a != b for a, b in pairwise(kinds))
    return changes >= _RANDOM_CHANGES
