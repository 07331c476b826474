"""No account waits for another one's backlog."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from hub.rota import Rota


def test_accounts_take_turns_however_long_one_line_is() -> None:
    rota: Rota[str] = Rota(each=100)
    for number in range(50):
        rota.add("noisy", f"noisy-{number}")
    rota.add("quiet", "quiet-0")
    rota.add("other", "other-0")
    assert [rota.take() for _ in range(4)] == [
        ("noisy", "noisy-0"),
        ("quiet", "quiet-0"),
        ("other", "other-0"),
        ("noisy", "noisy-1"),
    ]


def test_an_account_with_enough_at_work_waits_until_one_is_done() -> None:
    rota: Rota[int] = Rota(each=2)
    for number in range(5):
        rota.add("a", number)
    assert rota.ready == 2
    assert (rota.take(), rota.take(), rota.take()) == (("a", 0), ("a", 1), None)
    assert (len(rota), rota.ready) == (3, 0)
    rota.add("b", 9)
    assert rota.ready == 1
    rota.done("a")
    assert rota.ready == 2
    assert {rota.take(), rota.take()} == {("a", 2), ("b", 9)}


def test_what_is_left_can_be_taken_out() -> None:
    rota: Rota[int] = Rota(each=1)
    for account, number in (("a", 1), ("a", 2), ("b", 3)):
        rota.add(account, number)
    rota.take()
    assert sorted(rota.empty()) == [2, 3]
    assert (len(rota), rota.take()) == (0, None)
    rota.done("a")
    rota.add("a", 4)
    assert rota.take() == ("a", 4)


def test_the_longest_line_gives_up_its_latest_and_keeps_its_first() -> None:
    rota: Rota[int] = Rota(each=1)
    for number in range(5):
        rota.add("long", number)
    rota.add("short", 9)
    assert rota.shed(2) == [4, 3]
    assert rota.shed(100) == [2, 1]
    assert rota.shed(100) == []
    assert sorted(rota.empty()) == [0, 9]
    assert rota.shed(1) == []


_steps = st.lists(
    st.one_of(st.tuples(st.just("add"), st.sampled_from("abc")), st.just("take"), st.just("done"))
)


@given(_steps, st.integers(1, 3))
def test_nothing_is_lost_doubled_or_too_much_at_once(steps: list[object], each: int) -> None:
    rota: Rota[tuple[str, int]] = Rota(each)
    at_work: list[str] = []
    added: list[tuple[str, int]] = []
    taken: list[tuple[str, int]] = []
    for step in steps:
        if isinstance(step, tuple):
            thing = (str(step[1]), len(added))
            rota.add(thing[0], thing)
            added.append(thing)
        elif step == "take":
            if (found := rota.take()) is not None:
                at_work.append(found[0])
                taken.append(found[1])
                assert found[0] == found[1][0]
        elif at_work:
            rota.done(at_work.pop(0))
        assert max(Counter(at_work).values(), default=0) <= each
        assert len(rota) == len(added) - len(taken)
        waiting = {account for account, _ in set(added) - set(taken)}
        may = {account for account in waiting if Counter(at_work)[account] < each}
        assert bool(rota.ready) == bool(may)
    assert sorted(taken + rota.empty()) == sorted(added)
    for account in "abc":
        mine = [number for name, number in taken if name == account]
        assert mine == sorted(mine), "each account's in their order"
