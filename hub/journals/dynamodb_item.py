"""A run as a DynamoDB item and back: index attributes beside the record, large records packed."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hub.errors import JournalUnwritable
from hub.journals.dynamodb_table import KEY, ORDER, TTL
from hub.journals.schema import SCHEMA, Schema
from hub.journals.wire import dumps, index_text, loads, utc_text
from hub.model import Run

Item = dict[str, Any]

PLAIN_BYTES = 300_000  # a longer record is packed
OPEN_BYTES = 300_000  # no open run may be larger: its outcome must fit in later
CLOSED_BYTES = 390_000  # DynamoDB's limit is 400 KB for the item, names and index attributes included
SHORT_MESSAGE = 4_000  # characters


def run_key(run_id: str) -> Item:
    return {KEY: {"S": f"run#{index_text(run_id)}"}}


def lease_key(name: str) -> Item:
    return {KEY: {"S": f"lease#{index_text(name)}"}}


def settled_key(occurrence: str) -> Item:
    return {KEY: {"S": f"settled#{index_text(occurrence)}"}}


def note_key(name: str) -> Item:
    return {KEY: {"S": f"note#{index_text(name)}"}}


def tally_key(name: str) -> Item:
    return {KEY: {"S": f"tally#{index_text(name)}"}}


def shelf_shard(shelf: str) -> str:
    """What stands where runs have their month; no month looks like it."""
    return f"shelf#{index_text(shelf)}"


SCHEMA_KEY: Item = {KEY: {"S": "schema"}}


def schema_item(schema: Schema) -> Item:
    """The table's note of its schema. It never expires."""
    return {
        **SCHEMA_KEY,
        "v": {"N": str(schema.version)},
        "needs": {"N": str(schema.needs)},
        "needs_hub": {"S": schema.needs_hub},
    }


def schema_of(item: Mapping[str, Any]) -> Schema:
    """The schema that `schema_item` wrote.

    Raises:
        JournalUnwritable: the item is damaged.
    """
    try:
        return Schema(
            version=int(item["v"]["N"]), needs=int(item["needs"]["N"]), needs_hub=item["needs_hub"]["S"]
        )
    except (KeyError, ValueError) as error:
        raise JournalUnwritable(f"item {item.get(KEY)} of the journal is damaged: {error!r}") from error


def to_item(run: Run, *, keep: timedelta) -> Item:
    """The item of a run that expires ``keep`` after it was opened.

    A run that is too large goes without the list of its calls, and a closed one at last without its
    ``after``, which no undo strictly needs. It says so: the change was made, and losing its record
    would be worse.

    Raises:
        JournalUnwritable: what must be kept does not fit into an item.
    """
    limit = OPEN_BYTES if run.outcome is None else CLOSED_BYTES
    body = _body(run)
    if _size(body) > limit and run.calls:
        run = replace(run, calls=(), calls_left_out=run.calls_left_out + len(run.calls))
        body = _body(run)
    if _size(body) > limit and run.outcome is not None:
        left_out = "the state after the change was too large for the journal and is left out"
        notes = run.notes if run.after is None else (*run.notes, left_out)
        run = replace(run, after=None, message=run.message[:SHORT_MESSAGE], notes=notes)
        body = _body(run)
    if _size(body) > limit:
        raise JournalUnwritable(
            f"the state of {run.target_id[:200]} takes {_size(body)} bytes packed, and a DynamoDB journal "
            f"holds {limit} a run; fix this resource by hand or keep the journal in SQLite"
        )
    item: Item = {
        **run_key(run.run_id),
        "v": {"N": str(SCHEMA.needs)},
        "fence": {"N": str(run.fence)},
        "finding": {"S": f"finding#{index_text(run.finding_key)}"},
        "account": {"S": f"account#{index_text(run.account_id)}"},
        "month": {"S": month(run.opened_at)},
        ORDER: {"S": f"{utc_text(run.opened_at)}#{index_text(run.run_id)}"},
        TTL: {"N": str(int((run.opened_at + keep).timestamp()))},
        **body,
    }
    # Left out where empty, so that a missing outcome says "open" to a condition.
    filters = {"bot": run.bot, "session": run.session, "outcome": run.outcome.value if run.outcome else ""}
    item.update({name: {"S": index_text(value)} for name, value in filters.items() if value})
    if run.undone_by:
        item["undone_by"] = {"S": run.undone_by}
    return item


def from_item(item: Mapping[str, Any]) -> Run:
    """The run that `to_item` wrote.

    Raises:
        JournalUnwritable: the item is damaged or of a newer hub.
    """
    try:
        packed = item.get("packed")
        text = gzip.decompress(packed["B"]).decode("ascii") if packed else item["record"]["S"]
    except (KeyError, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise JournalUnwritable(f"item {item.get(KEY)} of the journal is damaged: {error}") from error
    run = loads(text)
    # The one fact that comes after closing is an attribute of its own: noting it rewrites nothing.
    return replace(run, undone_by=item["undone_by"]["S"]) if "undone_by" in item else run


def month(moment: datetime) -> str:
    """The shard of the time index. A month keeps far below what one partition of an index takes in
    (1,000 small writes a second) and needs few queries for a year."""
    return utc_text(moment)[:7]


def months_back(newest: datetime, oldest: datetime) -> list[str]:
    """Every shard from ``newest`` back to ``oldest``."""
    year, number = (int(part) for part in month(newest).split("-"))
    last = month(oldest)
    found: list[str] = []
    while (shard := f"{year:04}-{number:02}") >= last:
        found.append(shard)
        year, number = (year, number - 1) if number > 1 else (year - 1, 12)
    return found


def _body(run: Run) -> Item:
    text = dumps(run)
    if len(text) <= PLAIN_BYTES:
        return {"record": {"S": text}}
    return {"packed": {"B": gzip.compress(text.encode("ascii"), mtime=0)}}


def _size(body: Item) -> int:
    return sum(len(value) for typed in body.values() for value in typed.values())
