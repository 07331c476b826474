"""Makes a report fit where it is sent, and says what was left out. Pure.

What is given up, in this order: the snapshots and planned calls of the largest entries; the ends of long
texts; all of an entry but what it is about and how it ended; what it is about; at last whole entries, the
well ones first, counted.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

SMALLEST_LIMIT = 4096
ENTRIES = "Rules violations found"
LEFT_OUT = "Entries left out"
PLANNED = "Planned calls"
SNAPSHOTS = ("Before", "After", PLANNED)
ESSENTIALS = (
    "Rule", "ID", "Name", "Remediation", "Execution status", "Bot message", "Outcome", "Changed", "Run",
)  # fmt: skip
# Written by the hub, short, and of no use when cut.
NEVER_CUT = frozenset({"Execution status", "Outcome", "Run", "Report id", "Undo", "Undo of"})
# How long a text may stay, tried by halving: steps of a half keep a report more than half full.
TEXT_BYTES = (192, 256, 384, 512, 768, 1024, 1536, 2048, 3072, 4096, 8192, 16384, 32768, 65536)
ESSENTIAL_BYTES = (12, 24, 48, 64, 96, 128, 192, 256, 384, 512)
STATUS_ONLY = ("Execution status", "Bot message", "Outcome", "Run")
HEAD_BYTES = 128  # a text of the report itself is never cut below this
CUT = "…"
# Which entries stay when not all can.
KEEP_FIRST = ("failed", "pending", "dry run", "skipped", "passed")

Document = dict[str, Any]


def _json(told: Mapping[str, Any]) -> str:
    return json.dumps(told, ensure_ascii=False)


def shortened(
    told: Mapping[str, Any], limit_bytes: int, *, form: Callable[[Document], str] = _json
) -> Document:
    """A copy of a report's document whose ``form`` has at most ``limit_bytes`` bytes of UTF-8.

    Entries that lost something say so in their message and name the command that shows everything.

    Raises:
        ValueError: ``limit_bytes`` is below 4,096, where not even an empty report would fit.
    """
    if limit_bytes < SMALLEST_LIMIT:
        raise ValueError(f"a report cannot be cut to {limit_bytes} bytes; the least is {SMALLEST_LIMIT}")

    def fits(candidate: Document) -> bool:
        return len(form(candidate).encode()) <= limit_bytes

    lean = _without_snapshots(told, limit_bytes, form)
    if fits(lean):
        return lean
    stages: tuple[tuple[Callable[[int], Document], Sequence[int]], ...] = (
        (lambda cap: _cut_texts(lean, cap), TEXT_BYTES),
        (lambda cap: _only(ESSENTIALS, lean, cap), ESSENTIAL_BYTES),
    )
    for make, caps in stages:
        if (best := _mildest(make, caps, fits)) is not None:
            return best
    bare = _only(STATUS_ONLY, lean, 0)
    return bare if fits(bare) else _fewer(bare, fits)


def _mildest(
    make: Callable[[int], Document], caps: Sequence[int], fits: Callable[[Document], bool]
) -> Document | None:
    """What the largest cap makes that fits; None if not even the smallest does."""
    best = None
    low, high = 0, len(caps)
    while low < high:
        middle = (low + high) // 2
        candidate = make(caps[middle])
        if fits(candidate):
            best, low = candidate, middle + 1
        else:
            high = middle
    return best


def _without_snapshots(told: Mapping[str, Any], limit: int, form: Callable[[Document], str]) -> Document:
    """A copy in which Before, After and planned calls went, largest first, until it fits or none are left."""
    entries = list(told[ENTRIES])
    weights = {index: len(_json(_snapshots(entry)).encode()) for index, entry in enumerate(entries)}
    by_weight = sorted((index for index in weights if _snapshots(entries[index])), key=weights.__getitem__)
    lean = {**told, ENTRIES: entries}
    excess = len(form(lean).encode()) - limit
    while excess > 0 and by_weight:
        while excess > 0 and by_weight:
            index = by_weight.pop()
            excess -= weights[index]
            entries[index] = _marked({**entries[index], **dict.fromkeys(_snapshots(entries[index]))})
        excess = len(form(lean).encode()) - limit
    return lean


def _snapshots(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: entry[name] for name in SNAPSHOTS if entry.get(name) is not None}


def _marked(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry with a message that says where the full text is."""
    message = str(entry.get("Bot message", ""))
    mark = f"(shortened; full text: hub history {entry.get('Run', 'RUN')})"
    if mark in message:
        return dict(entry)
    return {**entry, "Bot message": f"{message} ... {mark}"}


def _cut_texts(told: Document, cap: int) -> Document:
    cut = {name: _cut(name, value, cap) for name, value in told.items() if name != ENTRIES}
    return {**told, **cut, ENTRIES: [_cut_entry(entry, cap) for entry in told[ENTRIES]]}


def _cut_entry(entry: Mapping[str, Any], cap: int) -> dict[str, Any]:
    cut = {name: _cut(name, value, cap) for name, value in entry.items()}
    return cut if cut == entry else _marked(cut)


def _cut(name: str, value: Any, cap: int) -> Any:
    if name in NEVER_CUT:
        return value
    if isinstance(value, str):
        return _first_bytes(value, cap)
    if isinstance(value, list):
        kept: list[Any] = []
        room = cap
        for number, element in enumerate(value):
            shown = _first_bytes(element, max(room, 16)) if isinstance(element, str) else element
            room -= len(_json({"": shown}).encode())
            if room < 0 and number:
                return [*kept, f"{CUT} {len(value) - number} more"]
            kept.append(shown)
        return kept
    return value


def _only(names: tuple[str, ...], told: Document, cap: int) -> Document:
    """Entries with nothing but these keys."""
    entries = []
    for entry in told[ENTRIES]:
        few = {name: _cut(name, entry[name], cap) for name in names if name in entry}
        entries.append(_marked(few) if cap else {**few, "Bot message": "(shortened)"})
    return {**_cut_texts({**told, ENTRIES: []}, max(cap, HEAD_BYTES)), ENTRIES: entries}


def _fewer(told: Document, fits: Callable[[Document], bool]) -> Document:
    """As many entries as fit, the ones somebody must look at first; the rest is counted by status."""
    entries = told[ENTRIES]
    order = sorted(range(len(entries)), key=lambda index: _rank(entries[index]))

    def with_first(count: int) -> Document:
        kept = [entries[index] for index in sorted(order[:count])]
        rest = Counter(str(entries[index].get("Execution status")) for index in order[count:])
        return {
            **told, ENTRIES: kept, LEFT_OUT: len(entries) - count, "Statuses left out": dict(rest)
        }  # fmt: skip

    fitting, too_many = 0, len(entries)
    while too_many - fitting > 1:
        middle = (fitting + too_many) // 2
        if fits(with_first(middle)):
            fitting = middle
        else:
            too_many = middle
    return with_first(fitting)


def _rank(entry: Mapping[str, Any]) -> int:
    status = entry.get("Execution status")
    return KEEP_FIRST.index(status) if status in KEEP_FIRST else len(KEEP_FIRST)


def _first_bytes(value: str, cap: int) -> str:
    raw = value.encode()
    if len(raw) <= cap:
        return value
    return raw[: max(cap - len(CUT.encode()), 0)].decode(errors="ignore") + CUT
