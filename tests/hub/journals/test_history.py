"""What every journal must find again, in which order: the second half of the contract."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hub.journals import Journal, Query
from hub.model import Outcome
from tests.hub.journals.stores import NOON, Store, a_run, listed

OTHER = "333344445555"


@pytest.fixture
async def history(journal: Journal) -> Journal:
    """Six runs over five months, the newest first in name."""
    opened = [
        a_run("6", opened_at=NOON, finding_key="f1", account_id=OTHER, session="s6"),
        a_run("5", opened_at=NOON - timedelta(seconds=1), finding_key="f1", bot="lambda_tag"),
        a_run("4", opened_at=NOON - timedelta(hours=13), finding_key="f2"),
        a_run("3", opened_at=NOON - timedelta(days=40), finding_key="f1"),
        a_run("2", opened_at=NOON - timedelta(days=41), finding_key="f2", account_id=OTHER),
        a_run("1", opened_at=NOON - timedelta(days=130), finding_key="f1", bot="lambda_tag"),
    ]
    # Written in another order than they were opened in.
    for run in sorted(opened, key=lambda run: run.bot + run.run_id):
        await journal.open(run)
    for run, outcome in zip(opened[1:], (Outcome.FIXED, Outcome.DENIED) * 2, strict=False):
        await journal.close(replace(run, outcome=outcome, closed_at=NOON))
    return journal


async def test_the_whole_history_comes_newest_first(history: Journal) -> None:
    assert await listed(history) == ["6", "5", "4", "3", "2", "1"]


async def test_listed_runs_are_whole(history: Journal) -> None:
    assert [run.before async for run in history.runs(Query(limit=2))] == [{"status": "Off"}] * 2


async def test_a_run_that_a_dead_worker_left_open_is_listed(history: Journal) -> None:
    assert [run.run_id async for run in history.runs(Query()) if run.outcome is None] == ["6", "1"]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"finding_key": "f1"}, ["6", "5", "3", "1"]),
        ({"account_id": OTHER}, ["6", "2"]),
        ({"bot": "lambda_tag"}, ["5", "1"]),
        ({"outcome": Outcome.FIXED}, ["5", "3"]),
        ({"session": "s6"}, ["6"]),
        ({"since": NOON - timedelta(hours=13)}, ["6", "5", "4"]),
        ({"since": NOON - timedelta(days=41)}, ["6", "5", "4", "3", "2"]),
        ({"since": NOON + timedelta(days=365)}, []),
        ({"finding_key": "f1", "account_id": OTHER}, ["6"]),
        ({"finding_key": "f1", "since": NOON - timedelta(days=50)}, ["6", "5", "3"]),
        ({"account_id": OTHER, "outcome": Outcome.DENIED}, ["2"]),
        ({"finding_key": "f2", "bot": "s3_enable_versioning", "outcome": Outcome.DENIED}, ["4", "2"]),
        ({"limit": 2}, ["6", "5"]),
        ({"outcome": Outcome.DENIED, "limit": 1}, ["4"]),
        ({"limit": 0}, []),
        ({"finding_key": "f"}, []),
        ({"finding_key": ""}, []),
        ({"bot": "no_such_bot"}, []),
        ({"session": ""}, []),
    ],
    ids=str,
)
async def test_filters_narrow_the_history(
    history: Journal, filters: dict[str, object], found: list[str]
) -> None:
    assert await listed(history, **filters) == found


@pytest.mark.parametrize(
    "key", ["", "k" * 5000, "lone \ud800", "nul\0", "tab\t", "schlüssel/日本", "finding#f1"]
)
async def test_whatever_the_key_of_a_finding_its_runs_are_found_by_it(journal: Journal, key: str) -> None:
    await journal.open(a_run("odd", finding_key=key, account_id=key, bot=key, session=key))
    await journal.open(a_run("even", finding_key="f1"))
    for name in ("finding_key", "account_id", "bot", "session"):
        assert await listed(journal, **{name: key}) == ["odd"], name


async def test_runs_opened_at_the_same_moment_come_in_a_steady_order(journal: Journal) -> None:
    for run_id in ("b", "c", "a"):
        await journal.open(a_run(run_id))
    assert await listed(journal) == ["c", "b", "a"]


async def test_hundreds_of_runs_come_whole_and_in_order_across_pages(store: Store) -> None:
    journal = await store.worker()
    ids = [f"{i:03}" for i in range(310)]
    gate = asyncio.Semaphore(16)

    async def write(i: int) -> None:
        bot = "lambda_tag" if i % 100 == 0 else "s3_enable_versioning"
        async with gate:
            await journal.open(a_run(ids[i], opened_at=NOON - timedelta(hours=310 - i), bot=bot))

    await asyncio.gather(*(write(i) for i in range(310)))
    newest = ids[::-1]
    assert await listed(journal, limit=1000) == newest
    assert await listed(journal, limit=301) == newest[:301]
    assert await listed(journal, finding_key="finding-1", limit=250) == newest[:250]
    # Rare matches: many pages are read for few rows.
    assert await listed(journal, bot="lambda_tag", limit=3) == ["300", "200", "100"]


async def test_writing_goes_on_while_somebody_reads_the_history(store: Store) -> None:
    reader, writer = await store.worker(), await store.worker()
    for i in range(3):
        await writer.open(a_run(f"{i}", opened_at=NOON + timedelta(seconds=i)))
    seen = []
    async for run in reader.runs(Query()):
        await writer.close(replace(run, outcome=Outcome.FIXED, closed_at=NOON))
        seen.append(run.run_id)
    assert seen == ["2", "1", "0"]
    assert await listed(reader, outcome=Outcome.FIXED) == ["2", "1", "0"]
