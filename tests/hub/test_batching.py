"""Items go out at once while they can, together when they must wait, and each caller gets its own outcome."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.aws.errors import told_apart
from hub.batching import AT_ONCE, MOST, Batcher
from hub.errors import InternalError
from tests.virtual_time import VirtualLoop, run


class Post:
    """What requests travel by: each is on its way until a test lets it arrive."""

    def __init__(self, *, seconds: float | None = None) -> None:
        self.requests: list[list[int]] = []
        self.ended = 0
        self.most_at_once = 0
        self.broken_off = 0
        self._seconds = seconds
        self._arrives: list[asyncio.Future[Exception | None]] = []
        self._on_the_way = 0

    async def send(self, items: Sequence[int]) -> list[int | Exception]:
        arrives: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self.requests.append(list(items))
        self._arrives.append(arrives)
        self._on_the_way += 1
        self.most_at_once = max(self.most_at_once, self._on_the_way)
        try:
            if self._seconds is not None:
                await asyncio.sleep(self._seconds)
                arrives.set_result(None)
            error = await arrives
        except asyncio.CancelledError:
            self.broken_off += 1
            raise
        finally:
            self._on_the_way -= 1
        if error is not None:
            raise error
        self.ended += 1
        return [ValueError(item) if item < 0 else item * 10 for item in items]

    def arrive(self, number: int, error: Exception | None = None) -> None:
        self._arrives[number].set_result(error)


async def turns() -> None:
    """Let everything happen that waits for nothing from outside."""
    for _ in range(10):
        await asyncio.sleep(0)


def calls(batcher: Batcher[int, int], *items: int) -> list[asyncio.Task[int]]:
    return [asyncio.create_task(batcher.do(item)) for item in items]


async def test_a_lone_item_goes_out_at_once_and_alone() -> None:
    post = Post()
    batcher = Batcher(post.send)
    for item in range(AT_ONCE):
        calls(batcher, item)
        await turns()
    assert post.requests == [[item] for item in range(AT_ONCE)]
    for number in range(AT_ONCE):
        post.arrive(number)
    await batcher.close()


async def test_what_comes_while_all_requests_are_on_their_way_goes_out_together_when_one_ends() -> None:
    post = Post()
    batcher = Batcher(post.send, at_once=1)
    [first] = calls(batcher, 0)
    await turns()
    others = calls(batcher, *range(1, 13))
    await turns()
    assert post.requests == [[0]]
    post.arrive(0)
    assert await first == 0
    await turns()
    assert post.requests == [[0], list(range(1, 11))], "no more than ten"
    post.arrive(1)
    await turns()
    assert post.requests[2:] == [[11, 12]]
    post.arrive(2)
    assert await asyncio.gather(*others) == [item * 10 for item in range(1, 13)]


async def test_items_that_come_in_one_turn_of_the_loop_go_out_together() -> None:
    post = Post()
    batcher = Batcher(post.send)
    waiting = calls(batcher, *range(25))
    await turns()
    assert post.requests == [list(range(10)), list(range(10, 20)), list(range(20, 25))]
    for number in range(3):
        post.arrive(number)
    assert await asyncio.gather(*waiting) == [item * 10 for item in range(25)]


async def test_an_item_that_fails_fails_alone() -> None:
    batcher = Batcher(Post(seconds=0).send)
    found = await asyncio.gather(*calls(batcher, 1, -2, 3), return_exceptions=True)
    assert [found[0], found[2]] == [10, 30]
    assert isinstance(found[1], ValueError)
    assert found[1].args == (-2,)


async def test_a_request_that_fails_fails_for_everybody_in_it_and_nobody_else() -> None:
    post = Post()
    batcher = Batcher(post.send, at_once=1)
    [first] = calls(batcher, 0)
    await turns()
    second = calls(batcher, 1, 2)
    await turns()
    post.arrive(0)
    await turns()
    third = calls(batcher, 3)
    post.arrive(1, OSError("no network"))
    await turns()
    post.arrive(2)
    assert await first == 0
    found = await asyncio.gather(*second, return_exceptions=True)
    assert [str(each) for each in found] == ["no network"] * 2
    assert await third[0] == 30


async def test_outcomes_that_do_not_fit_the_items_are_a_defect_and_nobody_waits_for_ever() -> None:
    async def send(_items: Sequence[int]) -> list[int | Exception]:
        return [1]

    found = await asyncio.gather(*calls(Batcher(send), 1, 2), return_exceptions=True)
    assert [type(each) for each in found] == [InternalError, InternalError]


async def test_what_is_larger_than_a_request_takes_together_goes_in_turn() -> None:
    post = Post(seconds=0)
    batcher = Batcher(post.send, at_once=1, most_bytes=10, size=lambda item: item)
    await asyncio.gather(*calls(batcher, 4, 6, 1, 25, 9, 1, 1))
    assert post.requests == [[4, 6], [1], [25], [9, 1], [1]]


async def test_a_caller_that_is_cancelled_takes_nothing_from_the_others() -> None:
    post = Post()
    batcher = Batcher(post.send, at_once=1)
    staying, leaving = calls(batcher, 0, 1)
    await turns()
    never_left, after = calls(batcher, 2, 3)
    await turns()
    leaving.cancel()
    never_left.cancel()
    await turns()
    assert leaving.cancelled()
    assert never_left.cancelled()
    assert post.broken_off == 0
    post.arrive(0)
    assert await staying == 0
    await turns()
    assert post.requests == [[0, 1], [3]]
    post.arrive(1)
    assert await after == 30


async def test_a_request_nobody_waits_for_is_broken_off_and_its_last_caller_sees_it_end() -> None:
    post = Post()
    batcher = Batcher(post.send, at_once=1)
    one, two = calls(batcher, 0, 1)
    await turns()
    [after] = calls(batcher, 2)
    await turns()
    one.cancel()
    await turns()
    assert post.broken_off == 0
    two.cancel()
    with pytest.raises(asyncio.CancelledError):
        await two
    assert post.broken_off == 1
    await turns()
    assert post.requests == [[0, 1], [2]], "those who wait do not wait in vain"
    post.arrive(1)
    assert await after == 20
    await turns()
    assert len(batcher) == 0


async def test_no_error_is_left_that_nobody_looked_at() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: complaints.append(context))
    post = Post()
    batcher = Batcher(post.send)
    staying, leaving, late = calls(batcher, 0, -1, -2)
    await turns()
    leaving.cancel()
    await turns()
    post.arrive(0, OSError("no network"))
    await asyncio.sleep(0)  # the outcomes are there, and their callers have not had a turn yet
    late.cancel()
    with pytest.raises(OSError, match="no network"):
        await staying
    await turns()
    assert late.done()
    del staying, leaving, late, post
    gc.collect()
    assert complaints == []


async def test_closing_waits_for_what_waits_and_nothing_is_kept() -> None:
    post = Post(seconds=0)
    batcher = Batcher(post.send, at_once=1)
    waiting = calls(batcher, *range(35))
    await turns()
    assert post.ended < 4
    await batcher.close()
    assert post.ended == 4
    assert all(task.done() for task in waiting)
    await batcher.close()


class Thing:
    """Something whose end can be seen."""


async def test_nothing_is_kept_of_what_was_sent_failed_or_given_up() -> None:
    async def send(things: Sequence[Thing]) -> list[Exception | None]:
        await asyncio.sleep(0)
        return [None, *(OSError() for _ in things[1:])]

    batcher = Batcher(send, at_once=1)
    things = [Thing() for _ in range(30)]
    seen = [weakref.ref(thing) for thing in things]
    callers = [asyncio.create_task(batcher.do(thing)) for thing in things]
    await asyncio.sleep(0)
    callers[5].cancel()
    callers[25].cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    await asyncio.sleep(0)
    assert len(batcher) == 0
    del things, callers
    gc.collect()
    assert [thing for thing in seen if thing() is not None] == []


@given(
    items=st.lists(
        st.tuples(st.integers(-50, 50), st.integers(0, 3), st.sampled_from([None, None, 0, 1, 2])),
        max_size=60,
    ),
    at_once=st.integers(1, 4),
    seconds=st.integers(0, 3),
)
def test_each_gets_its_own_outcome_once_and_no_request_is_larger_than_it_may_be(
    items: list[tuple[int, int, int | None]], at_once: int, seconds: int
) -> None:
    """Of items: what, how long after the one before it comes, and after how long its caller gives up."""
    post = Post(seconds=seconds)

    async def scene() -> None:
        batcher = Batcher(post.send, at_once=at_once, most_bytes=100, size=abs)
        callers = []
        for item, later, patience in items:
            if later:
                await asyncio.sleep(later / 2)
            callers.append(asyncio.create_task(asyncio.wait_for(batcher.do(item), patience)))
        found = await asyncio.gather(*callers, return_exceptions=True)
        await batcher.close()
        assert len(batcher) == 0
        for (item, _, patience), outcome in zip(items, found, strict=True):
            if isinstance(outcome, TimeoutError):
                assert patience is not None
            elif item < 0:
                assert isinstance(outcome, ValueError)
                assert outcome.args == (item,)
            else:
                assert outcome == item * 10
        sent = [item for request in post.requests for item in request]
        patient = [item for item, _, patience in items if patience is None]
        assert all(sent.count(item) <= [each for each, _, _ in items].count(item) for item in sent)
        rest = iter(sent)
        assert all(item in rest for item in patient), "in the order they came"

    run(VirtualLoop(), scene())
    assert all(1 <= len(request) <= MOST for request in post.requests)
    assert all(len(request) == 1 or sum(map(abs, request)) <= 100 for request in post.requests)
    assert post.most_at_once <= at_once


def test_the_entries_of_an_answer_are_told_apart() -> None:
    answer = {
        "Successful": [{"Id": "1"}],
        "Failed": [
            {"Id": "0", "Code": "InvalidParameter", "Message": "too long", "SenderFault": True},
            {"Id": "2", "Code": "InternalError", "SenderFault": False},
        ],
    }
    told = told_apart(answer, 4, service="sns", operation="Publish", region="us-east-1")
    assert [str(each) for each in told] == [
        "sns Publish in us-east-1: InvalidParameter: too long",
        "None",
        "sns Publish in us-east-1: InternalError: AWS gave no reason",
        "sns Publish in us-east-1: InternalError: AWS said nothing about this entry",
    ]
    assert [each and each.status for each in told] == [400, None, 500, 500]
