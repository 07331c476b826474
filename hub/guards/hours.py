"""When windows are open, by the clock on the wall of their zone, whatever daylight saving does to it.

A window is open while that clock shows one of its hours. So hours that the clock leaves out in spring do not
open it, or open it later; and hours that it shows twice in autumn open it twice. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo

from hub.rules.guard_model import Hours, Window

# Hours come back every week, and the clock may leave out one week's.
LOOK_AHEAD = timedelta(days=15)
# No zone moves its clock twice within so short a time.
_STRIDE = timedelta(hours=6)
_DAY = timedelta(days=1)


def is_open(window: Window, moment: datetime) -> bool:
    """Whether changes may be made at that (aware) moment."""
    shown = moment.astimezone(window.clock).replace(tzinfo=None)
    return any(_holds(hours, shown) for hours in window.hours)


def next_opening(window: Window, now: datetime) -> datetime:
    """The first moment after ``now`` at which a window that is closed is open, in UTC.

    Where it does not open within `LOOK_AHEAD`, the end of that.
    """
    after = now.astimezone(UTC)
    end = after + LOOK_AHEAD
    return min(
        (each for each in _candidates(window, after, end) if after < each < end and is_open(window, each)),
        default=end,
    )


def _holds(hours: Hours, shown: datetime) -> bool:
    """Whether a clock that shows this is within hours that began today or yesterday."""
    today, at = shown.weekday(), shown.time()
    if hours.starts < hours.ends:
        return today in hours.days and hours.starts <= at < hours.ends
    return (today in hours.days and hours.starts <= at) or ((today - 1) % 7 in hours.days and at < hours.ends)


def _candidates(window: Window, after: datetime, end: datetime) -> Iterator[datetime]:
    """Moments of which the first that is open is when the window opens: the clock shows when hours start, or jumps."""
    clock = window.clock
    day = (after.astimezone(clock) - _DAY).date()
    last = (end.astimezone(clock) + _DAY).date()
    while day <= last:
        for hours in window.hours:
            if day.weekday() in hours.days:
                for fold in (0, 1):  # a clock that is put back shows the start twice
                    yield datetime.combine(day, hours.starts, clock).replace(fold=fold).astimezone(UTC)
        day += _DAY
    yield from _jumps(clock, after, end)


def _jumps(clock: tzinfo, after: datetime, end: datetime) -> Iterator[datetime]:
    """When the clock is put forward or back."""
    at = after
    while at < end:
        then = at + _STRIDE
        if _offset(clock, at) != _offset(clock, then):
            yield _jump(clock, at, then)
        at = then


def _jump(clock: tzinfo, before: datetime, then: datetime) -> datetime:
    """To the second: the first moment with the later offset."""
    while then - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(then - before) // timedelta(seconds=2))
        if _offset(clock, middle) == _offset(clock, before):
            before = middle
        else:
            then = middle
    return then.replace(microsecond=0)


def _offset(clock: tzinfo, at: datetime) -> timedelta | None:
    return at.astimezone(clock).utcoffset()
