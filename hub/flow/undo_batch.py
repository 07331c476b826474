"""Takes back many runs: those about one resource the newest first, different resources side by side.

Nothing is kept about a batch: what has been taken back is marked so, and a batch that was cut off goes on when the
same is asked for again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bots._catalogue import BrokenBot, UnknownBot
from hub.abreast import abreast
from hub.errors import HubError, JournalUnwritable
from hub.flow.kit import Kit
from hub.flow.undo import Wish, undo
from hub.flow.way_back import why_not
from hub.journals import Query
from hub.model import Outcome, Report, Run


@dataclass(frozen=True, slots=True)
class Chosen:
    """The runs of a batch, newest first, and those of them that cannot be taken back, with the reason."""

    runs: tuple[Run, ...]
    left: tuple[tuple[Run, str], ...]


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of one run. ``report`` is None if it was not tried; ``why`` says why."""

    run: Run
    report: Report | None
    why: str = ""


async def choose(kit: Kit, query: Query) -> Chosen:
    """The runs that match and changed something which is not taken back yet.

    Raises:
        JournalUnwritable: the journal could not be read.
    """
    runs, left = [], []
    async for run in kit.journal.runs(query):
        changed = run.changed or (run.outcome is None and run.before is not None)
        if not changed or run.undo_of is not None or run.undone_by is not None:
            continue
        try:
            why = why_not(run, kit.catalogue.bot_named(run.bot))
        except (UnknownBot, BrokenBot) as error:
            why = str(error)
        if why:
            left.append((run, why))
        else:
            runs.append(run)
    return Chosen(tuple(runs), tuple(left))


async def undo_all(
    kit: Kit, runs: Sequence[Run], wish: Wish, on_undone: Callable[[Undone], Awaitable[None]]
) -> None:
    """Take back every run.

    Args:
        runs: newest first, as `choose` gives them.
        on_undone: told of each as it ends.

    Raises:
        JournalUnwritable: what came of one could not be recorded; ask for the same again. No other is begun then, and
            those under way have come to their end.
    """
    lanes: defaultdict[tuple[str, str, str], list[Run]] = defaultdict(list)
    for run in runs:
        lanes[run.account_id, run.target_type, run.target_id].append(run)

    unrecorded: list[JournalUnwritable] = []

    async def lane(one_resource: list[Run]) -> None:
        stopped = ""
        for run in one_resource:
            if unrecorded:
                return
            try:
                done = Undone(run, None, stopped) if stopped else await _undone(kit, run, wish)
            except JournalUnwritable as error:
                unrecorded.append(error)
                return
            if not stopped and (done.report is None or done.report.outcomes != (Outcome.RESTORED,)):
                stopped = f"not tried: run {run.run_id} changed the same resource later and is not taken back"
            await on_undone(done)

    await abreast(lanes.values(), lane, hands=kit.settings.concurrency)
    if unrecorded:
        raise unrecorded[0]


async def _undone(kit: Kit, run: Run, wish: Wish) -> Undone:
    try:
        return Undone(run, await undo(kit, run.run_id, wish))
    except JournalUnwritable:
        raise
    except HubError as error:
        return Undone(run, None, str(error))
