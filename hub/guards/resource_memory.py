"""What is remembered of one resource: when which bot fixed it, and what a person took back.

One note for each resource, ``resource/<lane>``. Two guards go by it (`flapping`, `taken_back`); they share a
`Recall`, so that it is read once for each change they are asked about. Whoever works on a resource holds its
lease; persons do not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.guards import Proposal
from hub.guards.rewriting import Read, damaged, named, rewrite
from hub.journals import Journal, Note
from hub.journals.wire import utc_text
from hub.model import Run

MOST_RECALLED = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A bot is kept off a resource until then, by whom and why. ``at`` is when that was said."""

    by: str
    because: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """By bot: when it fixed the resource, oldest first, and what keeps it off."""

    fixed: Mapping[str, tuple[datetime, ...]] = field(default_factory=dict)
    holds: Mapping[str, Hold] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is remembered, and the note it was read from."""

    memory: Memory
    read: Read


async def recalled(journal: Journal, lane: str) -> Recalled:
    """What is remembered of the resource of that lane (`hub.model.Step.lane`).

    Raises:
        JournalUnwritable: it cannot be read.
    """
    note = await journal.note(_name(lane))
    return Recalled(_read(note), Read(note))


async def remember(
    journal: Journal,
    lane: str,
    change: Callable[[Memory], Memory],
    *,
    until: datetime | None = None,
    read: Read | None = None,
) -> None:
    """Change what is remembered; nothing is written where nothing changes.

    Args:
        change: may be asked several times.
        until: how long at least it is to be remembered; None: as long as it was before.
        read: see `rewrite`.

    Raises:
        JournalUnwritable: it cannot be read or written.
    """
    name = _name(lane)

    def rewritten(note: Note | None) -> Note | None:
        was = _read(note)
        new = change(was)
        if new == was:
            return note
        if new == Memory():
            return None
        ends = max(each for each in (until, note.until if note else None) if each is not None)
        return Note(name=name, body=_body(new), until=ends)

    await rewrite(journal, name, rewritten, read=read)


class Recall:
    """Reads what is remembered once for each proposal, for all guards that ask about it or change it then."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._known: dict[str, tuple[Proposal, Recalled]] = {}

    async def of(self, proposal: Proposal) -> Memory:
        """
        Raises:
            JournalUnwritable: it cannot be read.
        """
        run_id = proposal.run.run_id
        asked, known = self._known.get(run_id, (None, None))
        # Another proposal of the same run is a later attempt: much may have happened since.
        if known is None or asked is not proposal:
            known = await recalled(self._journal, proposal.step.lane)
            self._known.pop(run_id, None)
            while len(self._known) >= MOST_RECALLED:
                del self._known[next(iter(self._known))]
            self._known[run_id] = (proposal, known)
        return known.memory

    async def remember(
        self, run: Run, lane: str, change: Callable[[Memory], Memory], *, until: datetime
    ) -> None:
        """See `remember`; of a run that was just judged nothing is read again.

        Raises:
            JournalUnwritable: it cannot be read or written.
        """
        _, known = self._known.pop(run.run_id, (None, None))
        await remember(self._journal, lane, change, until=until, read=known.read if known else None)


def _name(lane: str) -> str:
    return named("resource", lane)


def _body(memory: Memory) -> dict[str, Any]:
    return {
        "fixed": {bot: [utc_text(at) for at in times] for bot, times in memory.fixed.items()},
        "holds": {
            bot: {
                "by": hold.by,
                "because": hold.because,
                "at": utc_text(hold.at),
                "until": utc_text(hold.until),
            }
            for bot, hold in memory.holds.items()
        },
    }


def _read(note: Note | None) -> Memory:
    if note is None:
        return Memory()
    try:
        return Memory(
            fixed={
                bot: tuple(datetime.fromisoformat(at) for at in times)
                for bot, times in note.body["fixed"].items()
            },
            holds={
                bot: Hold(
                    by=str(said["by"]),
                    because=str(said["because"]),
                    at=datetime.fromisoformat(said["at"]),
                    until=datetime.fromisoformat(said["until"]),
                )
                for bot, said in note.body["holds"].items()
            },
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged(note.name, error) from error
