"""Times as people write them in a rules file: durations, days, moments, time zones, hours of the week. Pure."""

from __future__ import annotations

import difflib
import functools
import re
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo, available_timezones

from hub.rules.guard_model import Hours
from hub.rules.nodes import LONGEST_ECHO, did_you_mean, shown

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
LONGEST = timedelta(days=365)
YEARS = range(2000, 2200)

_FULL_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION = re.compile(r"([0-9]{1,9})([mhdw])")
_LONG_DURATION = re.compile(
    r"([0-9]{1,9})\s*(m|h|d|w)(?:in|inutes?|ins|ours?|rs?|ays?|eeks?)?", re.IGNORECASE
)
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_OTHER_DAY = re.compile(
    r"([0-9]{4})[-./]([0-9]{1,2})[-./]([0-9]{1,2})|([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})"
)
_MOMENT = re.compile(r"([0-9-]+)[T ]\s*([0-9][0-9:.]*)\s*(Z|[+-][0-9]{2}:?[0-9]{2})?")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_OTHER_CLOCK = re.compile(r"([0-9]{1,2})(?:[.h]?([0-5][0-9])|h)?")
_HOURS = re.compile(r"([^0-9]*)([0-9][^-–\s]*)\s*[-–]\s*([0-9]\S*)")

_AS_DURATION = "write a whole number and m, h, d or w, as in 30m, 12h, 3d or 2w"
_AS_DAY = "write year, month and day, as in 2026-12-31"
_AS_MOMENT = "write a day, as in 2026-12-20, or a day and a time, as in '2026-12-20 18:00'"
_AS_HOURS = "write days and hours, as in 'Mon-Fri 22:00-06:00' or 'Sat,Sun 00:00-24:00'"
_AS_ZONE = "write its IANA name, as in Europe/Berlin, or UTC"


class Misread(Exception):
    """A text is not what it should be. ``wrong`` says what is wrong, ``meant`` what was probably meant."""

    def __init__(self, wrong: str, meant: str = "") -> None:
        super().__init__(wrong, meant)
        self.wrong = wrong
        self.meant = meant


def duration(text: str) -> timedelta:
    """A length of time: 30m, 12h, 3d, 2w; at most a year.

    Raises:
        Misread: it is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        meant = _LONG_DURATION.fullmatch(text)
        hint = f"did you mean '{meant[1]}{meant[2].lower()}'?" if meant else _AS_DURATION
        raise Misread(f"duration {shown(text)} is not understood", hint)
    length = int(found[1]) * timedelta(**{_UNITS[found[2]]: 1}) if len(found[1]) < 7 else timedelta.max
    if not length:
        raise Misread(f"duration {shown(text)} is no time at all", _AS_DURATION)
    if length > LONGEST:
        raise Misread(f"duration {shown(text)} is longer than a year", f"the longest is {LONGEST.days}d")
    return length


def day(text: str) -> date:
    """A day: 2026-12-31.

    Raises:
        Misread: it is none.
    """
    if (found := _DAY.fullmatch(text)) is not None:
        return _date(text, found[1], found[2], found[3])
    meant = _AS_DAY
    if (other := _OTHER_DAY.fullmatch(text)) is not None:
        parts = (other[1], other[2], other[3]) if other[1] else (other[6], other[5], other[4])
        try:
            meant = f"did you mean '{_date(text, *parts)}'?"
        except Misread:
            meant = _AS_DAY
    raise Misread(f"day {shown(text)} is not understood", meant)


def _date(text: str, year: str, month: str, day_of_month: str) -> date:
    if int(year) not in YEARS:
        raise Misread(f"{shown(text)} is in the year {year}", f"years are {YEARS[0]} to {YEARS[-1]}")
    try:
        return date(int(year), int(month), int(day_of_month))
    except ValueError:
        raise Misread(f"there is no day {shown(text)}", "look at the calendar") from None


def moment(text: str, zone: tzinfo, *, ends: bool = False) -> datetime:
    """A moment, in UTC: a day, or a day and a time of the zone's clock or with an offset of its own.

    Of times that a change of the clocks skips or repeats, the clock before the change counts.

    Args:
        ends: a day without a time means its end, not its beginning.

    Raises:
        Misread: it is none.
    """
    if _DAY.fullmatch(text) or _OTHER_DAY.fullmatch(text):
        found, at, offset = day(text), time(), None
        if ends:
            found += timedelta(days=1)
    elif (parts := _MOMENT.fullmatch(text)) is not None:
        found, offset = day(parts[1]), parts[3]
        at, next_day = _clock(re.sub(r"(?<=:[0-9]{2}):00$", "", parts[2]))
        found += timedelta(days=next_day)
    else:
        raise Misread(f"{shown(text)} is not understood as a time", _AS_MOMENT)
    return datetime.combine(found, at, _offset(offset) if offset else zone).astimezone(UTC)


def _offset(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 14 or minutes > 59:
        raise Misread(f"no clock of this world is {text} from UTC", "leave it out and give the zone")
    offset = timedelta(hours=hours, minutes=minutes)
    return timezone(-offset if text.startswith("-") else offset)


def zone(name: str) -> tzinfo:
    """A time zone by its IANA name. UTC is known everywhere, others where the machine has time zone data.

    Raises:
        Misread: there is none of this name.
    """
    if name == "UTC":
        return UTC
    known = _zones()
    if name in known:
        return ZoneInfo(name)
    if not known:
        raise Misread(
            f"time zone {shown(name)} cannot be looked up, this machine has no time zone data",
            "install the Python package tzdata, or give hours in UTC",
        )
    folded = {each.rpartition("/")[2].casefold(): each for each in sorted(known, reverse=True)}
    folded |= {each.casefold(): each for each in known}
    close = difflib.get_close_matches(
        name[:LONGEST_ECHO].casefold().replace(" ", "_"), folded, n=1, cutoff=0.75
    )
    hint = f"did you mean {folded[close[0]]!r}?" if close else _AS_ZONE
    raise Misread(f"there is no time zone {shown(name)}", hint)


@functools.cache
def _zones() -> frozenset[str]:
    # "localtime" is another zone on another machine.
    return frozenset(available_timezones()) - {"localtime", "Factory"}


def hours(text: str) -> Hours:
    """A stretch of the week: 'Mon-Fri 22:00-06:00'. Without days it is every day; days may go around (Sat-Mon).

    Raises:
        Misread: it is none.
    """
    found = _HOURS.fullmatch(text)
    if found is None:
        raise Misread(f"{shown(text)} is not understood as days and hours", _AS_HOURS)
    starts, too_late = _clock(found[2])
    if too_late:
        raise Misread(f"{shown(text)} begins at 24:00", "write 00:00 of the next day")
    ends, whole_day = _clock(found[3])
    if starts == ends and not whole_day:
        raise Misread(f"{shown(text)} ends when it begins", "the whole day is 00:00-24:00")
    return Hours(days=_days(found[1]), starts=starts, ends=ends)


def _clock(text: str) -> tuple[time, bool]:
    """A time, and whether it is 24:00, the beginning of the next day."""
    found = _CLOCK.fullmatch(text)
    if found is None:
        meant = "write hours and minutes, as in 22:00"
        if (other := _OTHER_CLOCK.fullmatch(text)) is not None and int(other[1]) < 24:
            meant = f"did you mean '{int(other[1]):02}:{other[2] or '00'}'?"
        raise Misread(f"time {shown(text)} is not understood", meant)
    hour, minute = int(found[1]), int(found[2])
    if (hour, minute) == (24, 0):
        return time(), True
    if hour > 23 or minute > 59:
        raise Misread(f"no clock shows {shown(text)}", "the last times of a day are 23:59 and 24:00")
    return time(hour, minute), False


def _days(text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for piece in re.split(r"[\s,]+", re.sub(r"\s*[-–]\s*", "-", text.strip().rstrip(","))):
        first, dash, last = piece.partition("-")
        if not piece:
            return tuple(range(7))
        if dash and not (first and last):
            raise Misread(f"days {shown(piece)} have no {'end' if first else 'beginning'}", _AS_HOURS)
        starts = _weekday(first)
        ends = _weekday(last) if dash else starts
        if dash and starts == ends:
            raise Misread(f"days {shown(piece)} are a single one", f"write {DAYS[starts]!r}")
        found |= {(starts + step) % 7 for step in range((ends - starts) % 7 + 1)}
    return tuple(sorted(found))


def _weekday(text: str) -> int:
    folded = text.casefold()
    if folded in _FULL_DAYS:
        return _FULL_DAYS.index(folded)
    if text.capitalize() in DAYS:
        return DAYS.index(text.capitalize())
    raise Misread(f"there is no day {shown(text)}", did_you_mean(text[:3], DAYS))
