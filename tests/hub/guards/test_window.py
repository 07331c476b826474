"""Changes wait for windows and for the end of freezes, by the clock on the wall of each window's zone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.guards.hours import LOOK_AHEAD, is_open, next_opening
from hub.guards.window import Windows
from hub.model import AccountFacts, Decision, Verdict
from hub.rules.guard_model import Freeze, Hours, Where, Window
from tests.hub.guards.steps import ACCOUNT, NOTHING_KNOWN, NOW, a_proposal, a_step, in_force, word

ALWAYS = Hours(days=tuple(range(7)), starts=time(0), ends=time(0))
NIGHTS = Hours(days=(0, 1, 2, 3), starts=time(22), ends=time(4))
HERE, ELSEWHERE, IN_PROD = Where(accounts=(ACCOUNT,)), Where(accounts=("111122223333",)), Where(ous=("Prod",))
HOUR = timedelta(hours=1)


def window(*hours: Hours, zone: str = "UTC", where: Where = HERE, line: int = 5) -> Window:
    return Window(line=line, comment="as agreed", where=where, hours=hours, zone=zone)


def freeze(starts: datetime, ends: datetime, where: Where = HERE, line: int = 9) -> Freeze:
    return Freeze(line=line, comment="year end", where=where, starts=starts, ends=ends)


async def judged(
    *windows: Window,
    freezes: tuple[Freeze, ...] = (),
    now: datetime = NOW,
    facts: AccountFacts = NOTHING_KNOWN,
) -> Verdict | None:
    guard = Windows(in_force(windows=windows, freezes=freezes))
    proposal = a_proposal(a_step(facts=facts), now=now)
    await guard.ended(proposal.step, proposal.run)
    return await guard.judge_change(proposal)


@pytest.mark.parametrize(
    ("windows", "decision"),
    [
        ((), None),
        ((window(where=ELSEWHERE),), None),
        ((window(ALWAYS),), None),
        ((window(),), Decision.WAIT),
        ((window(), window(ALWAYS)), None),
        # What cannot be known matters where it would make a difference.
        ((window(ALWAYS, where=IN_PROD),), None),
        ((window(where=IN_PROD),), Decision.UNREACHABLE),
        ((window(where=IN_PROD), window(ALWAYS, where=IN_PROD)), Decision.UNREACHABLE),
        ((window(where=IN_PROD), window(ALWAYS)), None),
        ((window(ALWAYS, where=IN_PROD), window()), Decision.UNREACHABLE),
        ((window(where=IN_PROD), window()), Decision.WAIT),
    ],
)
async def test_a_change_is_made_while_one_window_that_fits_is_open(
    windows: tuple[Window, ...], decision: Decision | None
) -> None:
    assert word(await judged(*windows)) is decision


async def test_a_change_that_waits_is_asked_again_when_the_first_window_opens() -> None:
    # Sunday noon; in Berlin the clock shows an hour more.
    night = window(NIGHTS, zone="Europe/Berlin", line=7)
    later = window(Hours(days=(2,), starts=time(9), ends=time(10)))
    found = await judged(later, night)
    assert found == Verdict(
        decision=Decision.WAIT,
        guard="window",
        why="changes are made here only within windows, and none is open; the next opens 2026-11-30 22:00 "
        "Europe/Berlin: windows (rules.yaml line 7): as agreed; it is asked again by itself then",
        until=datetime(2026, 11, 30, 21, tzinfo=UTC),
    )
    assert found.until is not None
    assert await judged(later, night, now=found.until) is None


@pytest.mark.parametrize(
    ("freezes", "until"),
    [
        ((), None),
        ((freeze(NOW - HOUR, NOW + HOUR),), NOW + HOUR),
        (
            (freeze(NOW - HOUR, NOW + HOUR), freeze(NOW, NOW + 3 * HOUR), freeze(NOW, NOW + 2 * HOUR)),
            NOW + 3 * HOUR,
        ),
        ((freeze(NOW - HOUR, NOW),), None),
        ((freeze(NOW + HOUR, NOW + 2 * HOUR),), None),
        ((freeze(NOW - HOUR, NOW + HOUR, ELSEWHERE),), None),
        ((freeze(NOW - HOUR, NOW, IN_PROD),), None),
        ((freeze(NOW - HOUR, NOW + HOUR), freeze(NOW, NOW + 2 * HOUR, IN_PROD)), NOW + HOUR),
    ],
)
async def test_a_change_waits_for_the_end_of_all_freezes_that_fit(
    freezes: tuple[Freeze, ...], until: datetime | None
) -> None:
    found = await judged(window(ALWAYS), freezes=freezes)
    assert (found and found.until) == until
    assert found is None or (found.decision is Decision.WAIT and "rules.yaml line 9): year end" in found.why)


async def test_a_freeze_that_cannot_be_judged_holds_the_change_while_it_lasts() -> None:
    found = await judged(freezes=(freeze(NOW, NOW + HOUR, IN_PROD),))
    assert found is not None
    assert found.decision is Decision.UNREACHABLE
    assert "the OUs of account 222233334444 could not be looked up" in found.why
    known = AccountFacts(ous=("Dev",), tags={})
    assert await judged(freezes=(freeze(NOW, NOW + HOUR, IN_PROD),), facts=known) is None


async def test_after_a_freeze_the_window_counts() -> None:
    frozen = freeze(NOW - HOUR, NOW + HOUR)
    night = window(NIGHTS)
    first = await judged(night, freezes=(frozen,))
    assert first is not None
    assert first.until == frozen.ends
    then = await judged(night, freezes=(frozen,), now=frozen.ends)
    assert then is not None
    assert then.until == datetime(2026, 11, 30, 22, tzinfo=UTC)


async def test_a_window_of_a_region_is_asked_about_where_the_look_found_the_resource() -> None:
    closed = window(where=Where(regions=("eu-west-1",)))
    guard = Windows(in_force(windows=(closed,)))
    assert (
        word(await guard.judge_change(a_proposal(a_step(region="us-east-1"), region="eu-west-1")))
        is Decision.WAIT
    )
    assert await guard.judge_change(a_proposal(a_step(region="us-east-1"))) is None


def test_a_window_without_hours_never_opens_and_is_asked_about_again_all_the_same() -> None:
    assert not is_open(window(), NOW)
    assert next_opening(window(), NOW) == NOW + LOOK_AHEAD


@pytest.mark.parametrize(("hour", "opened"), [(21, False), (22, True), (27, True), (28, False)])
@pytest.mark.parametrize("day", range(7))
def test_hours_past_midnight_belong_to_the_day_on_which_they_began(day: int, hour: int, opened: bool) -> None:
    night = window(Hours(days=(day,), starts=time(22), ends=time(4)))
    monday = datetime(2026, 11, 30, tzinfo=UTC)
    assert is_open(night, monday + timedelta(days=day, hours=hour)) is opened


def opening(zone: str, day: int, starts: str, ends: str, now: str) -> str:
    """When hours open next, as a clock in UTC tells."""
    hours = Hours(days=(day,), starts=time.fromisoformat(starts), ends=time.fromisoformat(ends))
    found = next_opening(window(hours, zone=zone), datetime.fromisoformat(now).replace(tzinfo=UTC))
    return f"{found:%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("zone", "day", "starts", "ends", "now", "opens"),
    [
        ("Europe/Berlin", 6, "03:00", "04:00", "2026-03-28T12:00", "2026-03-29 01:00"),
        # The hour from two to three is left out that night.
        ("Europe/Berlin", 6, "02:30", "04:00", "2026-03-28T12:00", "2026-03-29 01:00"),
        ("Europe/Berlin", 6, "02:00", "03:00", "2026-03-28T12:00", "2026-04-05 00:00"),
        # And comes twice in autumn.
        ("Europe/Berlin", 6, "02:30", "04:00", "2026-10-24T12:00", "2026-10-25 00:30"),
        ("Europe/Berlin", 6, "02:00", "02:30", "2026-10-25T00:40", "2026-10-25 01:00"),
        ("Europe/Berlin", 6, "01:30", "02:30", "2026-10-25T00:40", "2026-10-25 01:00"),
        ("Europe/Berlin", 6, "02:30", "02:45", "2026-10-25T00:50", "2026-10-25 01:30"),
        # Cairo leaves out the hour after midnight; Lord Howe Island moves its clock by half an hour.
        ("Africa/Cairo", 4, "00:00", "02:00", "2026-04-23T12:00", "2026-04-23 22:00"),
        ("Australia/Lord_Howe", 6, "02:15", "03:00", "2026-10-03T12:00", "2026-10-03 15:30"),
        # Samoa went over the date line and left out a Friday.
        ("Pacific/Apia", 4, "09:00", "10:00", "2011-12-29T00:00", "2012-01-05 19:00"),
    ],
)
def test_daylight_saving_moves_opens_and_shuts_windows(
    zone: str, day: int, starts: str, ends: str, now: str, opens: str
) -> None:
    assert opening(zone, day, starts, ends, now) == opens


def shown_within(each: Window, moment: datetime) -> bool:
    """By hand: whether the clock shows a time of hours that began on one of their days."""
    shown = moment.astimezone(each.clock).replace(tzinfo=None)
    for hours in each.hours:
        for day in (shown.date(), shown.date() - timedelta(days=1)):
            begins = datetime.combine(day, hours.starts)
            ends = datetime.combine(day, hours.ends)
            ends += timedelta(days=0 if ends > begins else 1)
            if day.weekday() in hours.days and begins <= shown < ends:
                return True
    return False


TIMES = st.builds(time, st.integers(0, 23), st.sampled_from((0, 15, 30, 59)))
HOURS = st.builds(
    Hours, days=st.sets(st.integers(0, 6), min_size=1, max_size=7).map(tuple), starts=TIMES, ends=TIMES
)
ZONES = st.sampled_from(
    (
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Cairo",
        "Africa/Casablanca",
        "Asia/Kolkata",
    )
)
# Days on which some of these clocks are put forward or back, and any others.
MOMENTS = st.one_of(
    st.sampled_from(
        ("2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2026-04-05", "2026-10-04", "2026-04-24")
    )
    .map(datetime.fromisoformat)
    .flatmap(lambda day: st.integers(-3 * 1440, 1440).map(lambda minutes: day + timedelta(minutes=minutes))),
    st.integers(-600 * 1440, 600 * 1440).map(lambda minutes: NOW + timedelta(minutes=minutes)),
).map(lambda at: at.replace(tzinfo=UTC))


@given(st.lists(HOURS, min_size=1, max_size=3), ZONES, MOMENTS)
def test_a_window_opens_when_a_walk_from_minute_to_minute_finds_it_open(
    hours: list[Hours], zone: str, now: datetime
) -> None:
    each = window(*hours, zone=zone)
    assert is_open(each, now) == shown_within(each, now)
    if is_open(each, now):
        return
    walked = now
    while not shown_within(each, walked):
        walked += timedelta(minutes=1)
    assert next_opening(each, now) == walked


@given(HOURS, ZONES, MOMENTS, st.integers(1, 59_999_999))
async def test_whoever_waits_finds_the_window_open_then(
    hours: Hours, zone: str, now: datetime, microseconds: int
) -> None:
    each = window(hours, zone=zone)
    found = await judged(each, now=now + timedelta(microseconds=microseconds))
    if found is not None:
        assert found.until is not None
        assert found.until > now
        assert await judged(each, now=found.until) is None
        assert await judged(replace(each, hours=()), now=found.until) is not None
