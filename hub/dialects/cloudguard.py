"""Findings as Check Point CloudGuard (formerly Dome9) sends them, format "JSON - Full entity".

CloudGuard publishes no schema. Messages from before 2018 write their keys in PascalCase; fields came and
went over the years, so nearly everything may be absent or null. What has to be bent to be understood is
said in the finding's notes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import SecretStr

from hub.dialects.cloudguard_actions import Actions, actions
from hub.errors import FindingUnreadable
from hub.model import Feedback, Finding

UNKNOWN = "N.A"
# A message that is mostly nonsense must not become a report that is mostly notes.
MOST_NOTES = 20
_MARKS = ("rule", "account", "entity", "findingKey", "reportTime", "remediationActions")
_ENTITY_KEYS = ("id", "name", "region", "type", "arn", "accountNumber", "dome9Id")
_FEEDBACK = (
    "logsHttpEndpoint",
    "logsHttpEndpointKey",
    "logsHttpEndpointStreamName",
    "logsHttpEndpointStreamPartitionKey",
)
_Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CloudGuard:
    """The dialect; see `hub.dialects.Dialect`."""

    name: str = "cloudguard"

    def recognises(self, document: _Json) -> bool:
        return sum(_has(document, mark) for mark in _MARKS) >= 2

    def account_in(self, document: _Json) -> str:
        return _account_id(_object(document, "account"))

    def read(self, document: _Json, *, occurrence: str) -> Finding:
        account = _object(document, "account")
        account_id = _account_id(account)
        rule = _object(document, "rule")
        passed = _text(document, "status").strip().casefold() == "passed"
        # A rule that passes again still carries its bots; nothing of them is due.
        asked = (
            Actions((), ())
            if passed
            else actions(_field(rule, "complianceTags"), _field(document, "remediationActions"))
        )
        event_time, time_notes = _event_time(document)
        feedback, feedback_notes = _feedback(document)
        entity = _entity(document)
        return Finding(
            dialect=self.name,
            occurrence=occurrence,
            key=_text(document, "findingKey") or UNKNOWN,
            passed=passed,
            account_id=account_id,
            account_name=_text(account, "name"),
            vendor=_text(account, "vendor"),
            region=_region(entity),
            rule=_text(rule, "name"),
            rule_id=_text(rule, "ruleId"),
            ruleset=_text(_loose(document, "bundle"), "name"),
            severity=_text(rule, "severity"),
            rule_document=rule,
            entity=entity,
            actions=asked.actions,
            report_time=_text(document, "reportTime") or UNKNOWN,
            event_time=event_time,
            execution_id=_text(document, "executionId") or None,
            dome9_account_id=_text(document, "dome9AccountId") or None,
            feedback=feedback,
            notes=_at_most(asked, time_notes + feedback_notes),
        )


def _at_most(asked: Actions, others: tuple[str, ...]) -> tuple[str, ...]:
    notes = tuple(dict.fromkeys(others + asked.notes))
    if len(notes) <= MOST_NOTES:
        return notes
    return (*notes[: MOST_NOTES - 1], f"and {len(notes) - MOST_NOTES + 1} more remarks of this kind")


def _pascal(key: str) -> str:
    return key[:1].upper() + key[1:]


def _has(found: _Json, key: str) -> bool:
    return key in found or _pascal(key) in found


def _field(found: _Json, key: str) -> Any:
    return found[key] if key in found else found.get(_pascal(key))


def _object(document: _Json, key: str) -> _Json:
    value = _field(document, key)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise FindingUnreadable(
            f"{key} must be a JSON object and is {_kind(value)}; send the finding as CloudGuard wrote it"
        )
    return value


def _loose(document: _Json, key: str) -> _Json:
    """The object of that key; anything else counts as absent."""
    value = _field(document, key)
    return value if isinstance(value, Mapping) else {}


def _text(found: _Json, key: str) -> str:
    """The field as text; numbers become theirs, everything else counts as absent."""
    value = _field(found, key)
    if isinstance(value, str):
        return value
    return str(value) if _is_number(value) else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _account_id(account: _Json) -> str:
    value = _field(account, "id")
    # A number that lost its leading zeros stays too short, and is refused when the finding is planned:
    # filling it up again would be guessing whose account to change.
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        text = str(value).strip()
        if text:
            return text
        value = None
    found = "it is missing" if value is None else f"it is {_kind(value)}"
    raise FindingUnreadable(
        f"account.id must be a text of 12 digits, {found}; without it nobody knows which account is meant"
    )


def _entity(document: _Json) -> _Json:
    entity = dict(_object(document, "entity"))
    for key in _ENTITY_KEYS:
        if key not in entity and _pascal(key) in entity:
            entity[key] = entity.pop(_pascal(key))
    return entity


def _region(entity: _Json) -> str:
    value = entity.get("region")
    if value is None:
        return ""
    # Anything but text is kept in a form that no region has: guessing would work in a wrong region.
    return value if isinstance(value, str) else json.dumps(value)[:80]


def _event_time(document: _Json) -> tuple[str | None, tuple[str, ...]]:
    """When the watched event happened, as written by CloudGuard's log rules."""
    fields = _field(document, "additionalFields")
    for field in fields if isinstance(fields, list) else ():
        if not isinstance(field, Mapping) or _text(field, "name") != "logic_data":
            continue
        data = _field(field, "value")
        if isinstance(data, str):
            try:
                data = json.loads(data)
            except (ValueError, RecursionError):
                return None, ("logic_data is not JSON, so the time of the event is not known",)
        text = data.get("alertWindowStartTime") if isinstance(data, Mapping) else None
        if text is None:
            continue
        if isinstance(text, str) and _is_time(text):
            return text, ()
        return None, ("alertWindowStartTime of logic_data is no ISO 8601 time and was left out",)
    return None, ()


def _is_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _feedback(document: _Json) -> tuple[Feedback | None, tuple[str, ...]]:
    values = [_field(document, key) for key in _FEEDBACK]
    if not any(values):
        return None, ()
    url, key, stream, partition_key = (value if isinstance(value, str) else "" for value in values)
    if url and key and stream and partition_key:
        return Feedback(url=url, key=SecretStr(key), stream=stream, partition_key=partition_key), ()
    return None, (f"no feedback can be sent: it takes {', '.join(_FEEDBACK)}, all as texts",)


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case list():
            return "a list"
        case _:
            return "an object"
