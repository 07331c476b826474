"""Which hubs understand a journal. The store keeps a note of it; every hub looks at start, and never again.

A change that older hubs merely pass over (one more fact of a run) raises `Schema.version` alone: old and new
workers then share a store while they are being replaced. A change that older hubs would misread comes in two
releases: one that can read it, then one that writes it and raises `Schema.needs`. From then on no older
hub starts on that store; one that is at work already refuses the records it cannot read, and leaves their
messages to the others. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub import __version__
from hub.errors import JournalUnwritable


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The form in which runs, leases and settlements are kept.

    Attributes:
        version: grows with every change of the form.
        needs: what a hub must know at least to read what is kept; records carry it.
        needs_hub: the first hub that knew that.
    """

    version: int
    needs: int
    needs_hub: str


SCHEMA = Schema(version=3, needs=1, needs_hub="0.1.0")
"""What this hub writes. 2: runs tell which rule decided, every guard's word and the calls that were made.
3: runs that wait keep what is needed to go on with them; there are notes and tallies beside runs."""


def admit(ours: Schema, noted: Schema | None) -> Schema | None:
    """What a hub has to note in a store in which ``noted`` is noted; None when nothing is to be changed.

    Raises:
        JournalUnwritable: what is kept there is too new for this hub.
    """
    if noted is None:
        return ours
    if noted.needs > ours.version:
        raise JournalUnwritable(
            f"a newer hub has brought it to schema {noted.version}, which hub {noted.needs_hub} and newer ones "
            f"read; this is hub {__version__}, which knows schema {ours.version}: update it"
        )
    if noted.version >= ours.version:
        return None
    kept = max(ours, noted, key=lambda schema: schema.needs)
    return Schema(version=ours.version, needs=kept.needs, needs_hub=kept.needs_hub)
