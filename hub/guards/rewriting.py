"""Notes that several workers change at once: read, changed, and kept over that very version, or read again."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import quote

from hub.errors import JournalUnwritable
from hub.journals import Journal, Note
from hub.journals.wire import MAX_INDEX_BYTES

Change = Callable[[Note | None], Note | None]
"""What becomes of the note that is there: the very same (nothing is written), another one, or None (it is dropped)."""
TRIES = 8
"""Whoever loses a race lost it to somebody who got on, so this many in a row are not met by chance."""


def named(kind: str, rest: str) -> str:
    """The name ``kind/rest`` of a note or a number; a digest stands for what is too long or not printable."""
    name = f"{kind}/{rest}"
    raw = name.encode("utf-8", "surrogatepass")
    if len(raw) <= MAX_INDEX_BYTES and name.isprintable():
        return name
    return f"{kind}/sha256:{hashlib.sha256(raw).hexdigest()}"


def parts(*words: str) -> str:
    """Words as one text, from which no other words give the same."""
    return "/".join(quote(word, safe=" :=@", errors="surrogatepass") for word in words)


@dataclass(frozen=True, slots=True)
class Read:
    """What a note was when it was read; ``note`` is None if there was none."""

    note: Note | None


async def rewrite(
    journal: Journal, name: str, change: Change, *, tries: int = TRIES, read: Read | None = None
) -> Note | None:
    """Change a note whatever others do to it meanwhile.

    Args:
        change: may be asked several times; name and version of what it answers are seen to.
        tries: how many races may be lost in a row.
        read: what it was a moment ago, to save a read; if it has changed since, it is read again.

    Returns:
        The note as it is now.

    Raises:
        JournalUnwritable: the journal cannot be reached, or others were faster every time.
    """
    for _ in range(tries):
        there, read = read.note if read else await journal.note(name), None
        wanted = change(there)
        if wanted is there:
            return there
        if wanted is None:
            assert there is not None
            if await journal.drop(there):
                return None
            continue
        kept = await journal.keep(replace(wanted, name=name, version=there.version if there else 0))
        if kept is not None:
            return kept
    raise JournalUnwritable(f"others wrote the note {name[:200]!r} {tries} times while this worker wanted to")


def damaged(name: str, error: Exception) -> JournalUnwritable:
    """What to raise about a note that says something else than it should."""
    return JournalUnwritable(f"the note {name[:200]!r} is damaged: {type(error).__name__} {error}")
