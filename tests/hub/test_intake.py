"""A worker and its queue, in virtual time: what is held stays invisible, what is given back comes when it should."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest

from hub.errors import JournalUnwritable, NotNow, PutOff, SpokeError
from tests.hub.queue_model import (
    ACCOUNT,
    OTHER,
    Queue,
    Sent,
    Work,
    a_worker,
    refusal,
    settle_by_work,
    takes,
    until,
)
from tests.virtual_time import VirtualLoop, run

MESSAGES = 30
LEASE = 60.0


@pytest.fixture
def settle_by(monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], None]:
    """Messages are settled by what a test says, called with the finding's key."""

    return partial(settle_by_work, monkeypatch)


@pytest.mark.parametrize("concurrency", [1, 4, 64])
@pytest.mark.parametrize("accounts", [(ACCOUNT,), (ACCOUNT, OTHER)], ids=["one", "two"])
def test_everything_in_the_queue_is_worked_on_however_few_hands_there_are(
    concurrency: int, accounts: tuple[str, ...], settle_by: Callable[[Work], None]
) -> None:
    queue = Queue(*accounts, messages=MESSAGES)

    settle_by(takes(0.1))
    until(lambda: len(queue.deleted) == MESSAGES, a_worker(queue, concurrency=concurrency))


def test_what_takes_many_times_as_long_as_a_lease_is_given_to_nobody_else(
    settle_by: Callable[[Work], None],
) -> None:
    queue = Queue(ACCOUNT, OTHER, messages=12)

    settle_by(takes(10 * LEASE))
    until(lambda: len(queue.deleted) == 12, a_worker(queue), a_worker(queue))
    assert [each.receives for each in queue.sent] == [1] * 12


def test_thousands_of_messages_in_hand_stay_invisible_however_far_the_queue_is(
    settle_by: Callable[[Work], None],
) -> None:
    queue = Queue(ACCOUNT, messages=3_000, latency=0.15)

    settle_by(takes(10 * LEASE))
    until(lambda: bool(queue.deleted), a_worker(queue))
    assert max(each.receives for each in queue.sent) == 1
    assert min(each.receives for each in queue.sent) == 1, "all were read"


def test_heartbeats_of_thousands_leave_room_for_other_calls(settle_by: Callable[[Work], None]) -> None:
    queue = Queue(ACCOUNT, messages=3_000, latency=0.001)
    settle_by(takes(10 * LEASE))
    until(lambda: bool(queue.deleted), a_worker(queue))
    assert len(queue.beats) > 300, "each message's, several times"
    # Afterwards the worker stops and gives everything back at once, on purpose.
    in_a_second = Counter(int(at) for at in queue.beats if at < 1000 + 10 * LEASE)
    assert max(in_a_second.values()) <= 60, "300 calls take some ten seconds and not a quarter of one"


def test_a_message_that_is_put_off_during_a_heartbeat_does_not_come_sooner(
    settle_by: Callable[[Work], None],
) -> None:
    queue = Queue(ACCOUNT, messages=1_000, latency=0.15)
    queue.sent[-1].body = queue.sent[-1].body.replace(ACCOUNT, OTHER)
    put_off_at = 0.0

    async def work(key: str) -> None:
        nonlocal put_off_at
        if key == "999":
            loop = asyncio.get_running_loop()
            # Heartbeats go out every third of a lease from the worker's start, this message's last.
            await asyncio.sleep(1000 + LEASE / 3 + 0.2 - loop.time())
            put_off_at = loop.time()
            raise PutOff("AWS needs time", seconds=1000)
        await asyncio.sleep(10 * LEASE)

    settle_by(work)
    until(lambda: bool(queue.deleted), a_worker(queue))
    assert put_off_at
    assert queue.sent[-1].receives == 1
    assert queue.sent[-1].visible_at >= put_off_at + 1000


@pytest.mark.parametrize("error", [JournalUnwritable("away"), NotNow("held", seconds=30)], ids=repr)
def test_a_trouble_of_hours_brings_no_message_near_the_dead_letter_queue(
    error: Exception, settle_by: Callable[[Work], None]
) -> None:
    queue = Queue(ACCOUNT, messages=5)

    async def work(_key: str) -> None:
        if asyncio.get_running_loop().time() < 4 * 3600:
            raise error

    settle_by(work)
    until(lambda: len(queue.deleted) == 5, a_worker(queue))
    assert max(each.receives for each in queue.sent) < 15, "the queue of the stack allows 20"


def test_what_sqs_gives_again_at_the_moment_of_its_deletion_is_held_like_any_other(
    settle_by: Callable[[Work], None],
) -> None:
    queue = Queue(ACCOUNT, messages=8)
    queue.deleting = 3.0

    def given_again(sent: Sent) -> None:
        # One of SQS's servers is asked to delete what another gives out again.
        if sent.message_id == "0" and sent.receives == 1:
            sent.visible_at = 0.0

    queue.on_delete = given_again

    async def work(key: str) -> None:
        await asyncio.sleep(5 if key == "0" else 3 * LEASE)

    settle_by(work)
    until(lambda: len(queue.deleted) == 8, a_worker(queue, concurrency=1))
    assert [each.receives for each in queue.sent] == [2] + [1] * 7


def test_of_a_message_given_twice_the_latest_receipt_counts(settle_by: Callable[[Work], None]) -> None:
    queue = Queue(ACCOUNT, messages=10)

    async def work(key: str) -> None:
        await asyncio.sleep(5 if key == "0" else 10 * LEASE)

    async def stopped() -> list[Sent]:
        worker = a_worker(queue, grace_seconds=0.0)
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(1)
        for each in queue.sent:
            # A server of SQS that had not heard of the first time gives it again.
            each.visible_at = 0.0
        await asyncio.sleep(2)
        assert [each.receives for each in queue.sent] == [2] * 10
        await asyncio.sleep(7)
        worker.stop()
        await running
        return queue.visible()

    settle_by(work)
    assert len(run(VirtualLoop(), stopped())) == 9, "all others are free at once"
    assert queue.deleted == ["0"]


def test_messages_on_their_way_to_a_worker_that_stops_are_given_back_too(
    settle_by: Callable[[Work], None],
) -> None:
    queue = Queue(ACCOUNT, messages=200, latency=0.4)

    async def stopped() -> list[Sent]:
        worker = a_worker(queue, concurrency=64, grace_seconds=0.0)
        running = asyncio.create_task(worker.run())
        # The first ten have arrived.
        await asyncio.sleep(0.5)
        assert sum(each.receives for each in queue.sent) == 70, "60 are on their way"
        worker.stop()
        await running
        return queue.visible()

    settle_by(takes(10 * LEASE))
    assert len(run(VirtualLoop(), stopped())) == 200


LASTING = [("AccessDenied", 403), ("AWS.SimpleQueueService.NonExistentQueue", 400)]
PASSING = [("RequestThrottled", 400), ("OverLimit", 403), ("ExpiredToken", 403), ("InternalError", 500)]


@pytest.mark.parametrize(("code", "status"), PASSING)
@pytest.mark.parametrize("call", [1, 4], ids=["first", "among others"])
def test_a_queue_in_passing_trouble_is_asked_again(
    code: str, status: int, call: int, settle_by: Callable[[Work], None]
) -> None:
    queue = Queue(ACCOUNT, OTHER, messages=200, latency=0.05, refusals={call: refusal(code, status)})

    settle_by(takes(0.1))
    until(lambda: len(queue.deleted) == 200, a_worker(queue, concurrency=64))


@pytest.mark.parametrize(("code", "status"), LASTING)
@pytest.mark.parametrize("call", [1, 4], ids=["first", "among others"])
def test_a_worker_that_may_not_read_its_queue_says_so_and_ends(
    code: str, status: int, call: int, settle_by: Callable[[Work], None]
) -> None:
    queue = Queue(ACCOUNT, OTHER, messages=200, latency=0.05, refusals={call: refusal(code, status)})

    settle_by(takes(0.1))
    with pytest.raises(SpokeError, match=code):
        run(VirtualLoop(), asyncio.wait_for(a_worker(queue, concurrency=64).run(), timeout=3600))


def test_a_worker_reads_no_more_than_it_has_hands_for(settle_by: Callable[[Work], None]) -> None:
    queue = Queue(*(f"{number:012}" for number in range(100)), messages=1_000, latency=0.05)

    settle_by(takes(10 * LEASE))
    until(lambda: bool(queue.deleted), a_worker(queue, concurrency=16))
    read = sum(each.receives for each in queue.sent)
    assert read <= 16 + 16 + 2 * 10, "at work, ready, and what two calls may bring too much"


@pytest.mark.parametrize("grace", [0.0, 10.0])
def test_a_worker_that_is_stopped_gives_everything_back_within_its_grace_period(
    grace: float, settle_by: Callable[[Work], None]
) -> None:
    queue = Queue(ACCOUNT, messages=3_000, latency=0.15)
    ends = 0.0

    async def work(key: str) -> None:
        await asyncio.sleep(100 if key == "0" else 10_000)

    async def stopped() -> list[Sent]:
        nonlocal ends
        worker = a_worker(queue, grace_seconds=grace)
        running = asyncio.create_task(worker.run())
        await asyncio.sleep(95)
        worker.stop()
        began = asyncio.get_running_loop().time()
        await running
        ends = asyncio.get_running_loop().time() - began
        return queue.visible()

    settle_by(work)
    free = run(VirtualLoop(), stopped())
    assert ends < max(grace, 7.0) + 1.0, "3,000 messages in calls of ten and 150 ms each take six seconds"
    finished = 1 if grace else 0
    assert len(queue.deleted) == finished, "what could be finished was"
    assert len(free) == 3_000 - finished, "and the rest is visible at once"


def test_a_worker_whose_heart_stops_ends_and_gives_back_what_it_held(
    settle_by: Callable[[Work], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = Queue(ACCOUNT, messages=20)
    broken = asyncio.Event()

    async def work(_key: str) -> None:
        await asyncio.Event().wait()

    async def beat(_self: object) -> None:
        await asyncio.sleep(30)
        broken.set()
        raise ZeroDivisionError

    settle_by(work)
    monkeypatch.setattr("hub.intake.Intake.beat", beat)

    async def ended() -> list[Sent]:
        with pytest.raises(ZeroDivisionError):
            await a_worker(queue, grace_seconds=1.0).run()
        return queue.visible()

    assert len(run(VirtualLoop(), asyncio.wait_for(ended(), timeout=3600))) == 20
    assert broken.is_set()
