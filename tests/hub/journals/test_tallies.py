"""What every journal must do with tallies: nothing is lost or counted twice, and numbers end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from hub.errors import InternalError
from hub.journals import Journal
from tests.hub.journals.stores import NOON, Store

HOUR = timedelta(hours=1)


async def test_a_tally_begins_at_nothing_and_counts_what_is_added_and_given_back(store: Store) -> None:
    one, two = await store.worker(), await store.worker()
    assert await one.tally("changes", 0, until=NOON + HOUR) == 0
    assert await one.tally("changes", 1, until=NOON + HOUR) == 1
    assert await two.tally("changes", 5, until=NOON + HOUR) == 6
    assert await one.tally("changes", -2, until=NOON + HOUR) == 4
    assert await one.tally("changes", -4, until=NOON + HOUR) == 0
    assert await one.tally("changes", -1, until=NOON + HOUR) == -1
    assert await two.tally("changes", 0, until=NOON + HOUR) == -1


async def test_different_names_are_counted_apart(journal: Journal) -> None:
    assert [await journal.tally(f"changes/{n}", n, until=NOON + HOUR) for n in (1, 2, 3)] == [1, 2, 3]


async def test_what_many_add_at_once_is_all_counted_and_nobody_sees_anothers_number(store: Store) -> None:
    workers = [await store.worker(), await store.worker()]
    numbers = await asyncio.gather(
        *(workers[i % 2].tally("changes", 1, until=NOON + HOUR) for i in range(40))
    )
    assert sorted(numbers) == list(range(1, 41))


async def test_the_first_writing_says_when_it_ends_and_it_begins_anew_from_then_on(store: Store) -> None:
    journal = await store.worker()
    await journal.tally("changes", 2, until=NOON + HOUR)
    store.clock.forward(1800)
    assert await journal.tally("changes", 1, until=NOON + 9 * HOUR) == 3
    store.clock.forward(1799.999999)
    assert await journal.tally("changes", 0, until=NOON + 9 * HOUR) == 3
    store.clock.forward(0.000001)
    assert await journal.tally("changes", 0, until=NOON + 3 * HOUR) == 0
    assert await journal.tally("changes", 1, until=NOON + 2 * HOUR) == 1
    store.clock.forward(3599.999999)
    assert await journal.tally("changes", 1, until=NOON + 9 * HOUR) == 2
    store.clock.forward(0.000001)
    assert await journal.tally("changes", 1, until=NOON + 9 * HOUR) == 1


async def test_many_that_count_on_after_its_end_begin_it_anew_once(store: Store) -> None:
    workers = [await store.worker(), await store.worker()]
    await workers[0].tally("changes", 7, until=NOON + HOUR)
    store.clock.forward(3600)
    numbers = await asyncio.gather(
        *(workers[i % 2].tally("changes", 1, until=NOON + 2 * HOUR) for i in range(20))
    )
    assert sorted(numbers) == list(range(1, 21))


async def test_reading_decides_nothing_about_the_end(store: Store) -> None:
    journal = await store.worker()
    assert await journal.tally("changes", 0, until=NOON + timedelta(seconds=1)) == 0
    assert await journal.tally("changes", 1, until=NOON + HOUR) == 1
    store.clock.forward(60)
    assert await journal.tally("changes", 0, until=NOON + HOUR) == 1


async def test_a_tally_whose_end_is_past_already_counts_nothing_but_the_last(journal: Journal) -> None:
    assert [await journal.tally("changes", n, until=NOON) for n in (1, 2, 3, 0)] == [1, 2, 3, 0]


async def test_it_counts_on_for_days(store: Store) -> None:
    journal = await store.worker()
    for day in range(6):
        assert await journal.tally("changes", 1, until=NOON + 24 * 30 * HOUR) == day + 1
        store.clock.forward(40_000)


@pytest.mark.parametrize("name", ["", "x" * 5000, "lone \ud800", "nul\0", "schlüssel/日本"])
async def test_whatever_its_name_a_tally_counts(journal: Journal, name: str) -> None:
    assert await journal.tally(name, 2, until=NOON + HOUR) == 2
    assert await journal.tally(name + "x", 1, until=NOON + HOUR) == 1
    assert await journal.tally(name, 0, until=NOON + HOUR) == 2


async def test_a_time_without_a_zone_is_a_defect(journal: Journal) -> None:
    for add in (1, 0):
        with pytest.raises(InternalError, match="without a zone"):
            await journal.tally("changes", add, until=NOON.replace(tzinfo=None))
