"""From a message's text to a finding in the hub's words. Pure; whatever the text, it gives a finding or
says why there is none."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from hub.dialects import Dialect
from hub.dialects.cloudguard import CloudGuard
from hub.errors import FindingUnreadable, UnknownDialect
from hub.flow.redaction import redactor
from hub.model import Finding, Message

DIALECTS: tuple[Dialect, ...] = (CloudGuard(),)
# Four times what SNS carries and as much as SQS does.
MAX_BYTES = 1024 * 1024
MAX_DEPTH = 100
LONGEST_ECHO = 80
_LONGEST_KEY = 200
_TOO_DEEP = f"the message is nested deeper than {MAX_DEPTH} levels, which no finding needs"
# Texts with one of these words in them are not quoted at all: half a credential that lost its label
# would get past every filter.
_SECRETIVE = re.compile(r"logsHttp|api.?key|access.?key|secret|token|passw|private key", re.IGNORECASE)


def normalise(message: Message) -> Finding:
    """The finding a message holds.

    Raises:
        FindingUnreadable: it holds none, is too large or lacks what is indispensable.
        UnknownDialect: it is JSON of a kind the hub does not know.
    """
    value, dialect = _recognised(message)
    return dialect.read(value, occurrence=_digest(_canonical(value), message.nonce))


def account_in(message: Message) -> str:
    """The account a message is about, "" where it cannot be read. For whose turn it is, not for access."""
    try:
        value, dialect = _recognised(message)
        return dialect.account_in(value)
    except FindingUnreadable:
        return ""


def _recognised(message: Message) -> tuple[dict[str, Any], Dialect]:
    """
    Raises:
        FindingUnreadable, UnknownDialect: see `normalise`.
    """
    value = _parsed(message.body)
    if not isinstance(value, dict):
        raise UnknownDialect(
            f"the message is JSON, but not an object as findings are; it begins with {_begin(message.body)}. "
            "Send one finding per message"
        )
    for dialect in DIALECTS:
        if dialect.recognises(value):
            return value, dialect
    known = ", ".join(dialect.name for dialect in DIALECTS)
    raise UnknownDialect(
        f"the message is JSON, but no finding format the hub knows ({known}): its keys are {_keys(value)}. "
        'For CloudGuard choose the notification format "JSON - Full entity"'
    )


def salvage(message: Message, error: str) -> Finding:
    """What can be told for sure about a message that `normalise` refused with ``error``.

    Its occurrence is another one than the finding's would be, so that a finding reported as unreadable
    today is still settled when a later hub can read it.
    """
    try:
        value = _parsed(message.body)
    except FindingUnreadable:
        value = None
    found = value if isinstance(value, dict) else {}
    account_id = _told(_inside(found, "account", "Account"), "id", "Id")
    return Finding(
        dialect="unreadable",
        occurrence=_digest(error, message.body, message.nonce),
        key=_told(found, "findingKey", "FindingKey") or "N.A",
        passed=False,
        account_id=account_id if re.fullmatch("[0-9]{12}", account_id) else "",
        rule=_told(_inside(found, "rule", "Rule"), "name", "Name"),
        report_time=_told(found, "reportTime", "ReportTime") or "N.A",
    )


def _parsed(body: str) -> Any:
    # Characters are counted first: what is too long already is not copied to be measured.
    if len(body) > MAX_BYTES or len(body.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise FindingUnreadable(
            f"the message has more than {MAX_BYTES:,} bytes, which no finding needs; "
            "send each finding as a message of its own"
        )
    if not body.strip():
        raise FindingUnreadable("the message is empty; send one finding as JSON")
    try:
        value = json.loads(body.removeprefix("\ufeff"), parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise FindingUnreadable(
            f"the message is not JSON ({error.msg}, line {error.lineno} column {error.colno}); "
            f"it begins with {_begin(body)}. Send the finding as JSON, unchanged"
        ) from None
    except RecursionError:
        raise FindingUnreadable(_TOO_DEEP) from None
    except ValueError:
        raise FindingUnreadable(
            "the message holds a number that JSON does not have or that is thousands of digits long; "
            "send the finding as JSON, unchanged"
        ) from None
    if _deeper_than(value, MAX_DEPTH):
        raise FindingUnreadable(_TOO_DEEP)
    return value


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        level = [inner for outer in level for inner in _contents(outer) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _contents(value: Any) -> Iterable[Any]:
    match value:
        case dict():
            return value.values()
        case list():
            return value
        case _:
            return ()


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def _digest(*parts: str) -> str:
    """The length of each part goes first, so that no two lists of parts run together into one text."""
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _begin(body: str) -> str:
    if _SECRETIVE.search(body):
        return "something that may hold a secret"
    text = redactor(None)(body[: 4 * LONGEST_ECHO]).strip()
    return ascii(text[: LONGEST_ECHO // 2] + "…" if len(text) > LONGEST_ECHO // 2 else text)[:LONGEST_ECHO]


def _keys(value: Mapping[str, Any]) -> str:
    names = ascii(", ".join(sorted(value))[:LONGEST_ECHO])
    return names[:LONGEST_ECHO] if value else "none"


def _inside(found: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    return next((value for key in keys if isinstance(value := found.get(key), dict)), {})


def _told(found: Mapping[str, Any], *keys: str) -> str:
    """The first of these fields that is a short plain text, else ""."""
    for key in keys:
        value = found.get(key)
        if isinstance(value, str) and len(value) <= _LONGEST_KEY and value.isprintable():
            return value.strip()
    return ""
