"""Where two states of a resource differ, for people."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.flow.differences import Difference, differences, in_words

NAMES = st.text("abc", min_size=1, max_size=3)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=200)
STATES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)
LONGEST = 1500


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"status": "Off"}, {"status": "Enabled"}, [("status", "Off", "Enabled")]),
        ({"a": {"b": [1, {"c": 2}]}}, {"a": {"b": [1, {"c": 3}]}}, [("a.b[1].c", 2, 3)]),
        ({"a": 1}, {"b": 2}, [("a", 1, None), ("b", None, 2)]),
        ({"a": [1, 2]}, {"a": [1]}, [("a", [1, 2], [1])]),
        ({"a": {"b": 1}}, {"a": [1]}, [("a", {"b": 1}, [1])]),
        ([1, 2], [1, 3], [("[1]", 2, 3)]),
        (None, {"a": 1}, [("", None, {"a": 1})]),
        ({"a": [{"b": 1}] * 2}, {"a": [{"b": 1}] * 2}, []),
    ],
)
def test_each_place_that_differs_is_told_with_its_path(
    before: Any, after: Any, expected: list[tuple[str, Any, Any]]
) -> None:
    assert list(differences(before, after)) == [Difference(*each) for each in expected]


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ({"status": "Off"}, {"status": "Enabled"}, 'status: "Off" becomes "Enabled"'),
        (
            {"port": 22, "on": True},
            {"port": None, "on": False},
            "port: 22 becomes nothing; on: true becomes false",
        ),
        ("x", "y", 'it: "x" becomes "y"'),
        ({"who": "Zoë\n"}, {"who": ""}, 'who: "Zoë\\n" becomes ""'),
        ({"a": 1}, {"a": 1}, "nothing"),
        (
            dict.fromkeys("abcde", 0),
            dict.fromkeys("abcde", 1),
            "; ".join(f"{name}: 0 becomes 1" for name in "abcde"),
        ),
        (
            dict.fromkeys("abcdefg", 0),
            dict.fromkeys("abcdefg", 1),
            "; ".join([*(f"{name}: 0 becomes 1" for name in "abcde"), "and more"]),
        ),
        ({"a": "x" * 200}, {"a": 1}, f'a: "{"x" * 78}… becomes 1'),
        ({"x" * 200: 0}, {"x" * 200: 1}, f"{'x' * 119}…: 0 becomes 1"),
    ],
)
def test_differences_are_told_in_few_words(before: Any, after: Any, words: str) -> None:
    assert in_words(before, after) == words


@given(STATES)
def test_equal_values_have_no_differences(state: Any) -> None:
    assert list(differences(state, state)) == []
    assert in_words(state, state) == "nothing"


@given(STATES, STATES)
def test_every_path_leads_to_values_that_differ(before: Any, after: Any) -> None:
    for found in differences(before, after):
        assert found.before != found.after
        assert (_at(before, found.path), _at(after, found.path)) == (found.before, found.after)


@given(STATES, STATES)
def test_there_and_back_are_told_alike(before: Any, after: Any) -> None:
    there = {(each.path, repr(each.before), repr(each.after)) for each in differences(before, after)}
    back = {(each.path, repr(each.after), repr(each.before)) for each in differences(after, before)}
    assert there == back


@given(
    st.dictionaries(st.text(max_size=300), LEAVES, max_size=12),
    st.dictionaries(st.text(max_size=300), STATES, max_size=12),
)
def test_words_stay_few_however_much_differs(before: Any, after: Any) -> None:
    assert len(in_words(before, after)) <= LONGEST
    assert len(in_words({"deep": before}, {"deep": after})) <= LONGEST


def test_the_longest_words_are_still_few() -> None:
    many = {f"{number}{'x' * 500}": "y" * 500 for number in range(9)}
    assert len(in_words(many, dict.fromkeys(many, "z" * 500))) in range(LONGEST - 100, LONGEST + 1)


def _at(state: Any, path: str) -> Any:
    """What is at the path; None if nothing is."""
    for name, index in re.findall(r"([abc]+)|\[(\d+)\]", path):
        state = state.get(name) if name else state[int(index)]
    return state
