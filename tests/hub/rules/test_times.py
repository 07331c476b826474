"""Times are read as people write them; what is not one is told with what was probably meant."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.rules import times
from hub.rules.guard_model import Hours
from hub.rules.times import Misread

BERLIN = times.zone("Europe/Berlin")
WEEK = (0, 1, 2, 3, 4, 5, 6)


def misread(read: Any, text: str) -> str:
    with pytest.raises(Misread) as told:
        read(text)
    return f"{told.value.wrong}; {told.value.meant}"


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("30m", timedelta(minutes=30)),
        ("12h", timedelta(hours=12)),
        ("3d", timedelta(days=3)),
        ("2w", timedelta(weeks=2)),
        ("365d", timedelta(days=365)),
    ],
)
def test_a_duration_is_a_number_and_a_unit(text: str, length: timedelta) -> None:
    assert times.duration(text) == length


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("30", "as in 30m"), ("30s", "as in 30m"), ("1.5h", "as in 30m"), ("-3d", "as in 30m"),
        ("30 minutes", "did you mean '30m'?"), ("3 Days", "did you mean '3d'?"), ("1hour", "did you mean '1h'?"),
        ("0m", "no time at all"), ("366d", "longer than a year"), ("53w", "longer than a year"),
        ("999999999w", "longer than a year"), ("٣d", "as in 30m"),
    ],
)  # fmt: skip
def test_what_is_no_duration_is_told(text: str, told: str) -> None:
    assert told in misread(times.duration, text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("2026-02-30", "there is no day '2026-02-30'"), ("31.12.2026", "did you mean '2026-12-31'?"),
        ("2026/1/5", "did you mean '2026-01-05'?"), ("12/31/2026", "as in 2026-12-31"),
        ("31.13.2026", "as in 2026-12-31"), ("20261231", "as in 2026-12-31"), ("2026-W01-1", "as in 2026-12-31"),
        ("2206-01-01", "is in the year 2206"), ("0001-01-01", "is in the year 0001"), ("soon", "as in 2026-12-31"),
    ],
)  # fmt: skip
def test_what_is_no_day_is_told(text: str, told: str) -> None:
    assert told in misread(times.day, text)


@given(st.dates(date(2000, 1, 1), date(2199, 12, 31)))
def test_every_day_of_two_centuries_is_read_and_is_a_moment_too(day: date) -> None:
    assert times.day(str(day)) == day
    assert times.moment(str(day), UTC) == datetime.combine(day, time(), UTC)
    assert times.moment(str(day), UTC, ends=True) == datetime.combine(day, time(), UTC) + timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-12-20", "2026-12-19 23:00"),
        ("2026-07-20", "2026-07-19 22:00"),
        ("2026-12-20 18:00", "2026-12-20 17:00"),
        ("2026-12-20T18:00", "2026-12-20 17:00"),
        ("2026-12-20 18:00:00", "2026-12-20 17:00"),
        ("2026-12-20 24:00", "2026-12-20 23:00"),
        ("2026-12-20 18:00Z", "2026-12-20 18:00"),
        ("2026-12-20 18:00+05:30", "2026-12-20 12:30"),
        ("2026-12-20T18:00:00-0330", "2026-12-20 21:30"),
        # Half past two came twice on the one night and never on the other.
        ("2026-10-25 02:30", "2026-10-25 00:30"),
        ("2026-03-29 02:30", "2026-03-29 01:30"),
    ],
)
def test_a_moment_goes_by_the_clock_of_its_zone_or_by_its_own_offset(text: str, utc: str) -> None:
    assert times.moment(text, BERLIN) == datetime.fromisoformat(f"{utc}+00:00")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("now", "as in '2026-12-20 18:00'"), ("20.12.2026", "did you mean '2026-12-20'?"),
        ("2026-12-20 18", "did you mean '18:00'?"), ("2026-12-20 25:00", "no clock shows '25:00'"),
        ("2026-12-20 18:00:30", "as in 22:00"), ("2026-12-32 18:00", "there is no day '2026-12-32'"),
        ("2026-12-20 18:00+15:00", "no clock of this world"), ("2026-12-20 18:00+01:75", "no clock of this world"),
        ("2026-12-20 18:00 CET", "as in '2026-12-20 18:00'"),
    ],
)  # fmt: skip
def test_what_is_no_moment_is_told(text: str, told: str) -> None:
    assert told in misread(lambda text: times.moment(text, BERLIN), text)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Europe/Berln", "did you mean 'Europe/Berlin'?"), ("berlin", "did you mean 'Europe/Berlin'?"),
        ("America/New York", "did you mean 'America/New_York'?"), ("utc", "did you mean 'UTC'?"),
        ("../../etc/passwd", "as in Europe/Berlin"), ("+01:00", "as in Europe/Berlin"), ("localtime", "no time zone"),
    ],
)  # fmt: skip
def test_a_time_zone_nobody_knows_is_told(name: str, told: str) -> None:
    assert told in misread(times.zone, name)


def test_a_machine_without_time_zone_data_knows_utc_and_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(times, "_zones", frozenset)
    assert times.zone("UTC") is UTC
    assert "install the Python package tzdata" in misread(times.zone, "Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "days", "starts", "ends"),
    [
        ("Mon-Fri 22:00-06:00", (0, 1, 2, 3, 4), time(22), time(6)),
        ("Sat-Sun 00:00-24:00", (5, 6), time(), time()),
        ("Fri-Mon 1:00 - 2:30", (0, 4, 5, 6), time(1), time(2, 30)),
        ("Mon, wed,FRIDAY 22:00-24:00", (0, 2, 4), time(22), time()),
        ("Mon - Tue Sun 22:00–00:00", (0, 1, 6), time(22), time()),
        ("Mon-Sun 22:00-23:00", WEEK, time(22), time(23)),
        ("22:00-06:00", WEEK, time(22), time(6)),
    ],
)
def test_hours_are_days_and_a_stretch_of_each(
    text: str, days: tuple[int, ...], starts: time, ends: time
) -> None:
    assert times.hours(text) == Hours(days=days, starts=starts, ends=ends)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Mon", "as in 'Mon-Fri 22:00-06:00'"), ("always", "as in 'Mon-Fri 22:00-06:00'"),
        ("Mon 9-17", "did you mean '09:00'?"), ("Mon 9:00-17.30", "did you mean '17:30'?"),
        ("Mon 9:00-17h", "did you mean '17:00'?"), ("Mon 9:00-5pm", "as in 22:00"), ("Mon 9:00-77", "as in 22:00"),
        ("Mon 9:00-17.60", "as in 22:00"),
        ("Moonday 9:00-17:00", "there is no day 'Moonday'"), ("Tues 9:00-17:00", "did you mean 'Tue'?"),
        ("Mon-Mon 9:00-17:00", "write 'Mon'"), ("Mon- 9:00-17:00", "have no end"), ("-Mon 9:00-17:00", "no beginning"),
        ("Mon 24:00-17:00", "begins at 24:00"), ("Mon 09:00-9:00", "ends when it begins"),
        ("Mon 00:00-00:00", "the whole day is 00:00-24:00"), ("Mon 9:00-24:01", "no clock shows '24:01'"),
        ("Mon 9:60-10:00", "no clock shows '9:60'"),
    ],
)  # fmt: skip
def test_what_is_no_stretch_of_the_week_is_told(text: str, told: str) -> None:
    assert told in misread(times.hours, text)


_TEXTS = st.one_of(
    st.text(max_size=20),
    st.text("0123456789-:.TZ+ mhdwMonTueFri,", max_size=24),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{1,2}:[0-9]{2}(Z|[+-][0-9]{4})?)?", fullmatch=True),
    st.from_regex(r"([A-Z][a-z]{2}[-, ]){0,3} ?[0-9]{1,2}:[0-9]{2}-[0-9]{1,2}:[0-9]{2}", fullmatch=True),
)


@given(_TEXTS)
def test_whatever_is_written_it_is_a_time_or_told(text: str) -> None:
    for read in (times.duration, times.day, times.zone, times.hours, lambda text: times.moment(text, BERLIN)):
        told = None
        try:
            read(text)
        except Misread as misread:
            told = misread
        assert told is None or (told.wrong and told.meant)
