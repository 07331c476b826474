"""However many workers ask, end, crash and take up others' runs, no more goes on than a budget allows."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from bots._bot import Risk
from hub.model import Decision, Outcome
from tests.hub.guards.changes import Day
from tests.hub.guards.steps import a_step, word
from tests.hub.guards.test_budget import guard, hourly

WORKERS = 3


@given(
    changes=st.integers(0, 4),
    destructive=st.integers(0, 3),
    events=st.lists(
        st.tuples(
            st.integers(0, WORKERS - 1),
            st.integers(0, 7),
            st.sampled_from(["ask", "ask", "ask", "changed", "unchanged", "plan", "crash", "an hour"]),
            st.booleans(),
        ),
        max_size=60,
    ),
)
def test_no_order_of_events_lets_more_through_than_allowed(
    changes: int, destructive: int, events: list[tuple[int, int, str, bool]]
) -> None:
    """Workers ask, end, end again, crash and take up others' runs: what is under way or done is never too much."""

    async def played() -> None:
        day = Day()
        entries = (hourly(changes), hourly(changes + 1, name="other", destructive=destructive, each=("bot",)))
        workers = [guard(day, *entries) for _ in range(WORKERS)]
        going: dict[
            int, tuple[bool, int]
        ] = {}  # run: whether it is destructive, and in which hour it was let through
        done: list[tuple[bool, int]] = []
        hour = 0
        for worker, run, event, hard in events:
            kind, since = going.get(run, (hard, hour))
            step = a_step(risk=Risk.DESTRUCTIVE if kind else Risk.ADDITIVE)
            match event:
                case "ask":
                    going.pop(run, None)
                    if await day.judged(workers[worker], str(run), step=step) is None:
                        going[run] = (kind, hour)
                case "plan":
                    await day.judged(workers[worker], str(run), step=step, only_asked=True)
                case "crash":
                    workers[worker] = guard(day, *entries)
                case "an hour":
                    day.later(hours=1)
                    hour += 1
                case "unchanged":
                    if going.pop(run, None):
                        await day.end(workers[worker], str(run), Outcome.DENIED, step=step)
                case "changed":
                    if going.pop(run, None):
                        done.append((kind, since))
                        await day.end(workers[worker], str(run), step=step)
            made = [hurts for hurts, when in (*going.values(), *done) if when == hour]
            assert len(made) <= changes
            assert sum(made) <= destructive
            assert all(number >= 0 for number, _ in day.journal._tallies.values())

    asyncio.run(played())


async def test_however_many_ask_at_once_no_more_go_on() -> None:
    day = Day()
    day.journal.gives_way = True
    entries = (hourly(5), hourly(3, name="other", each=()))
    said = await asyncio.gather(*(day.judged(guard(day, *entries), f"r{n}") for n in range(40)))
    assert said.count(None) <= 3
    assert {word(each) for each in said} <= {None, Decision.WAIT}
