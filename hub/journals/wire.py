"""How a run is written down: as JSON that carries its own version, readable by any later hub."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.errors import InternalError, JournalUnwritable
from hub.journals import Note
from hub.journals.schema import SCHEMA
from hub.model import Call, Decision, Outcome, PlannedCall, Run, Verdict

MAX_INDEX_BYTES = 900  # DynamoDB takes 1,024 bytes for a sort key, time and separator included
MAX_NOTE_BYTES = 300_000  # DynamoDB takes 400 kB an item, its keys included

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES = tuple(field.name for field in fields(Run))
_TUPLES = frozenset({"args", "notes"})
_TIMES = frozenset({"opened_at", "closed_at"})


def to_json(run: Run) -> dict[str, Any]:
    """The run as what `json.dumps` takes: times as ISO text in UTC, tuples as lists, ``v`` the schema
    a hub must know to read it."""
    record: dict[str, Any] = {"v": SCHEMA.needs}
    for name in _NAMES:
        value = getattr(run, name)
        if isinstance(value, datetime):
            value = utc_text(value)
        elif isinstance(value, Outcome):
            value = value.value
        elif name in _TUPLES:
            value = list(value)
        elif name in _LISTS and value is not None:
            value = [_LISTS[name][0](each) for each in value]
        record[name] = value
    return record


def from_json(record: Mapping[str, Any]) -> Run:
    """The run that `to_json` wrote. Names this hub does not know are left out: a newer hub may have
    added them.

    Raises:
        JournalUnwritable: a newer hub wrote it, or it is no record of a run.
    """
    _refuse_newer(record)
    values = {name: record[name] for name in _NAMES if name in record}
    try:
        for name, value in values.items():
            if name in _TUPLES:
                values[name] = tuple(value)
            elif name in _LISTS and value is not None:
                values[name] = tuple(_LISTS[name][1](each) for each in value)
            elif name in _TIMES and value is not None:
                values[name] = _aware(datetime.fromisoformat(value))
        if values.get("outcome") is not None:
            values["outcome"] = Outcome(values["outcome"])
        return Run(**values)
    except (TypeError, ValueError) as error:
        raise JournalUnwritable(f"a record of the journal is damaged: {error}") from error


def _call(written: Sequence[Any]) -> Call:
    # What a newer hub has added stands behind what this one knows.
    return Call(*written[: len(Call._fields)])


def _planned(written: Sequence[Any]) -> PlannedCall:
    return PlannedCall(*written[: len(PlannedCall._fields)])


def _word(verdict: Verdict) -> list[str | None]:
    times = (None if moment is None else utc_text(moment) for moment in (verdict.until, verdict.expires_at))
    return [verdict.guard, verdict.decision.value, verdict.why, *times]


def _verdict(written: Sequence[Any]) -> Verdict:
    guard, decision, why = written[:3]
    # Hubs of schema 2 kept no times.
    times = (None if text is None else _aware(datetime.fromisoformat(text)) for text in written[3:5])
    until, expires_at = (*times, None, None)[:2]
    return Verdict(guard=guard, decision=Decision(decision), why=why, until=until, expires_at=expires_at)


_LISTS: dict[str, tuple[Callable[[Any], list[Any]], Callable[[Any], Any]]] = {
    "verdicts": (_word, _verdict),
    "calls": (list, _call),
    "planned": (list, _planned),
}
"""Facts that are many: how one is written, as a list without names because there are hundreds, and read."""


def dumps(run: Run) -> str:
    """The run as ASCII text, so that its length is its size and no odd character can be refused.

    Raises:
        JournalUnwritable: ``before`` or ``after`` is not JSON, so it could not be read back.
    """
    try:
        return json.dumps(to_json(run), separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise JournalUnwritable(
            f"the state bot {run.bot} keeps cannot be written as JSON ({error}); the bot's snapshot is at fault"
        ) from error


def loads(text: str) -> Run:
    """The run that `dumps` wrote.

    Raises:
        JournalUnwritable: the text is damaged, or a newer hub wrote it.
    """
    return from_json(_object(text))


def note_text(note: Note) -> str:
    """What is kept of a note, as ASCII text: all but its time and version, which stores compare.

    Raises:
        JournalUnwritable: its body is not JSON, or too large.
    """
    record = {"v": SCHEMA.needs, "name": note.name, "shelf": note.shelf, "body": dict(note.body)}
    try:
        text = json.dumps(record, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise JournalUnwritable(f"note {note.name[:200]!r} cannot be written as JSON: {error}") from error
    if len(text) > MAX_NOTE_BYTES:
        raise JournalUnwritable(
            f"note {note.name[:200]!r} takes {len(text):,} bytes, and a journal holds {MAX_NOTE_BYTES:,} a note"
        )
    return text


def to_note(text: str, *, until: datetime, version: int) -> Note:
    """The note whose text `note_text` wrote.

    Raises:
        JournalUnwritable: the text is damaged, or a newer hub wrote it.
    """
    record = _object(text)
    _refuse_newer(record)
    try:
        name, shelf, body = record["name"], record["shelf"], record["body"]
    except KeyError as error:
        raise JournalUnwritable(f"a note of the journal is damaged: it has no {error}") from error
    return Note(name=name, shelf=shelf, body=body, until=until, version=version)


def utc_text(moment: datetime) -> str:
    """An aware time as text of fixed width, so that texts sort as the times do."""
    return _aware(moment).astimezone(UTC).isoformat(timespec="microseconds")


def microseconds(moment: datetime) -> int:
    """An aware time as microseconds since 1970, for stores that compare numbers."""
    return (_aware(moment) - _EPOCH) // timedelta(microseconds=1)


def from_microseconds(number: int) -> datetime:
    """The time that `microseconds` wrote."""
    return _EPOCH + timedelta(microseconds=number)


def index_text(text: str) -> str:
    """``text`` as a store can index it: findings may send texts that are too long for a key or are
    not valid Unicode; a digest stands for those."""
    raw = text.encode("utf-8", "surrogatepass")
    if len(raw) <= MAX_INDEX_BYTES and text.isprintable():
        return text
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _object(text: str) -> dict[str, Any]:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise JournalUnwritable(f"a record of the journal is damaged: {error}") from error
    if not isinstance(record, dict):
        raise JournalUnwritable("a record of the journal is damaged: it is no JSON object")
    return record


def _refuse_newer(record: Mapping[str, Any]) -> None:
    version = record.get("v")
    if not isinstance(version, int) or version < 1:
        raise JournalUnwritable("a record of the journal says no version; it was not written by a hub")
    if version > SCHEMA.version:
        raise JournalUnwritable(
            f"a newer hub wrote this record (schema {version}, this hub knows {SCHEMA.version}); update this hub"
        )


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise InternalError(f"the journal was given {moment.isoformat()}, a time without a zone")
    return moment
