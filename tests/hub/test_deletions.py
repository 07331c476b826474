"""A worker deletes what it settled: together where several wait, all of it, and nothing that failed is lost."""

from __future__ import annotations

import asyncio

import pytest

from tests.hub.queue_model import ACCOUNT, OTHER, Queue, a_worker, settle_by_work, takes, until


def test_messages_that_are_settled_at_the_same_time_are_deleted_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = Queue(ACCOUNT, OTHER, messages=60, latency=0.1)

    settle_by_work(monkeypatch, takes(1))
    worker = a_worker(queue, concurrency=40)
    until(lambda: len(queue.deleted) == 60, worker)
    assert sum(queue.deletions) == 60
    assert max(queue.deletions) == 10
    assert len(queue.deletions) < 20
    assert worker.tally.nothing_due == 60


def test_a_message_that_is_not_deleted_comes_again_and_its_neighbours_do_not(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    queue = Queue(ACCOUNT, messages=4, latency=0.1)
    queue.undeletable["2"] = "InternalError"
    worked: list[str] = []

    async def work(key: str) -> None:
        worked.append(key)
        await asyncio.sleep(1)

    settle_by_work(monkeypatch, work)
    worker = a_worker(queue, concurrency=16)
    until(lambda: len(queue.deleted) == 4, worker)
    assert sorted(worked) == ["0", "1", "2", "2", "3"]
    assert queue.deletions == [4, 1]
    [said] = [each for each in caplog.records if each.message == "message not deleted, it comes again"]
    assert said.__dict__["message_id"] == "2"
    assert "InternalError" in said.__dict__["error"]
    assert worker.tally.nothing_due == 4


def test_a_worker_that_is_told_to_stop_deletes_all_that_it_settled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue = Queue(ACCOUNT, OTHER, messages=60, latency=0.1)
    queue.deleting = 5.0
    settled: list[str] = []

    async def work(key: str) -> None:
        await asyncio.sleep(1)
        settled.append(key)

    settle_by_work(monkeypatch, work)
    until(lambda: len(settled) >= 30, a_worker(queue, concurrency=40))
    assert sorted(queue.deleted) == sorted(settled)
