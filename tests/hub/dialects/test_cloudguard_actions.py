"""Which bots a finding asks for, from its two sources."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.dialects.cloudguard_actions import actions

POLICY = '{"Version":"2012-10-17","Statement":[]}'


def asked(tags: Any = None, remediations: Any = None) -> list[list[str]]:
    return [[action.bot, *action.args] for action in actions(tags, remediations).actions]


def notes(tags: Any = None, remediations: Any = None) -> str:
    return "\n".join(actions(tags, remediations).notes)


@pytest.mark.parametrize(
    ("tags", "bots"),
    [
        ("AUTO: bot p1 p2", [["bot", "p1", "p2"]]),
        ("CIS 4.1|AUTO: bot p1| AUTO: other |pci", [["bot", "p1"], ["other"]]),
        ("AUTO:bot", [["bot"]]),
        ("auto: bot", [["bot"]]),
        ("Auto:  bot   p1", [["bot", "p1"]]),
        ('AUTO: bot "a b"', [["bot", "a b"]]),
        ("CIS AUTO: bot", []),
        ("AUTOMATION: bot", []),
        ("AUTO bot", []),
        ("", []),
        (None, []),
        ("CIS 4.1|HIPAA", []),
    ],
)
def test_compliance_tags_that_begin_with_auto_name_bots(tags: str | None, bots: list[list[str]]) -> None:
    found = actions(tags, None)
    assert [[action.bot, *action.args] for action in found.actions] == bots
    assert found.notes == ()
    assert all(action.source == "compliance tag" for action in found.actions)


def test_a_tag_without_a_bot_is_noted() -> None:
    assert asked("AUTO: |AUTO: bot") == [["bot"]]
    assert "names no bot" in notes("AUTO: |AUTO: bot")


@pytest.mark.parametrize(
    ("texts", "bots"),
    [
        (["bot p1 p2", "other"], [["bot", "p1", "p2"], ["other"]]),
        ([" bot  p1"], [["bot", "p1"]]),
        ("bot p1", [["bot", "p1"]]),
        ([], []),
        (None, []),
        (["TEMPLATE.BOT a=b=c"], [["TEMPLATE.BOT", "a=b=c"]]),
    ],
)
def test_remediation_actions_name_bots_whether_a_list_or_one_text(texts: Any, bots: list[list[str]]) -> None:
    found = actions(None, texts)
    assert [[action.bot, *action.args] for action in found.actions] == bots
    assert found.notes == ()
    assert all(action.source == "remediation action" for action in found.actions)


def test_tags_come_before_remediation_actions() -> None:
    found = actions("AUTO: second_by_name", ["a_first_by_name"]).actions
    assert [action.bot for action in found] == ["second_by_name", "a_first_by_name"]


@pytest.mark.parametrize("scalar", ["3", "true", "null", "-1.5", '"bot"', "NaN", 3, True, None, 1.5])
def test_a_json_scalar_among_the_actions_is_left_out_with_a_note(scalar: Any) -> None:
    assert asked(None, ["before", scalar, "after"]) == [["before"], ["after"]]
    assert "remediation action 2 names no bot" in notes(None, ["before", scalar, "after"])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ('{"RedundantPermissions": []}', "RedundantPermissions"),
        ({"Link": "https://example.com"}, "Link"),
        ("[1, 2]", "a JSON list"),
        (["bot"], "a JSON list"),
        ("{}", "empty"),
        ('{"SuggestedRole": null}', "SuggestedRole"),
        ('{"SuggestedRole": " "}', "SuggestedRole"),
        ("[" * 100_000, "too deep"),
    ],
)
def test_other_json_among_the_actions_is_left_out_with_a_note(other: Any, said: str) -> None:
    assert asked(None, ["before", other, "after"]) == [["before"], ["after"]]
    assert said in notes(None, ["before", other, "after"])


def test_quotes_that_do_not_pair_up_are_noted_with_their_action() -> None:
    assert asked('AUTO: bot "a', ["other 'b"]) == [["bot", '"a'], ["other", "'b"]]
    assert [
        note.startswith(start)
        for note, start in zip(
            actions('AUTO: bot "a', ["other 'b"]).notes,
            ("'bot \"a': quotes", '"other \'b": quotes'),
            strict=True,
        )
    ] == [True, True]


def test_an_action_with_nothing_in_it_is_left_out_with_a_note() -> None:
    assert asked(None, ["", "  ", "bot"]) == [["bot"]]
    assert "nothing in it" in notes(None, ["", "  ", "bot"])


@pytest.mark.parametrize("wrong", [3, True, {"bot": "x"}])
def test_sources_of_another_type_are_left_out_with_a_note(wrong: Any) -> None:
    assert asked(wrong, ["bot"]) == [["bot"]]
    assert "complianceTags" in notes(wrong, ["bot"])
    assert asked("AUTO: bot", wrong) == [["bot"]]
    assert "remediationActions" in notes("AUTO: bot", wrong)


def test_a_suggested_role_is_for_the_actions_after_it_only() -> None:
    suggestion = json.dumps({"Link": "https://example.com", "SuggestedRole": POLICY})
    found = actions("AUTO: tagged", ["before", suggestion, "after one", "later"]).actions
    assert {action.bot: action.suggested_policy for action in found} == {
        "tagged": None,
        "before": None,
        "after": POLICY,
        "later": POLICY,
    }
    assert found[2].args == ("one",)


def test_the_last_suggested_role_before_an_action_counts() -> None:
    other = '{"Statement":["other"]}'
    texts = [json.dumps({"SuggestedRole": text}) for text in (POLICY, other)]
    found = actions(None, [texts[0], "first", texts[1], "second"]).actions
    assert [action.suggested_policy for action in found] == [POLICY, other]


def test_a_suggested_role_that_is_an_object_becomes_json_text() -> None:
    found = actions(None, [json.dumps({"SuggestedRole": json.loads(POLICY)}), "bot"])
    policy = found.actions[0].suggested_policy
    assert policy is not None
    assert json.loads(policy) == json.loads(POLICY)
    assert found.notes == ()


def test_the_same_bot_with_the_same_words_runs_once() -> None:
    assert asked("AUTO: bot a", ["bot  a", "bot b", 'bot "a"']) == [["bot", "a"], ["bot", "b"]]
    assert actions("AUTO: bot a", ["bot  a"]).actions[0].source == "compliance tag"
    assert "more than once" in notes("AUTO: bot a", ["bot a"])


def test_a_repeated_bot_keeps_the_policy_either_of_them_has() -> None:
    suggestion = json.dumps({"SuggestedRole": POLICY})
    (only,) = actions("AUTO: bot", [suggestion, "bot"]).actions
    assert only.suggested_policy == POLICY
    assert only.source == "compliance tag"


def test_a_repeated_bot_with_another_policy_is_another_action() -> None:
    texts = [json.dumps({"SuggestedRole": text}) for text in (POLICY, '{"other":1}')]
    found = actions(None, [texts[0], "bot", texts[1], "bot", "bot"])
    assert [action.suggested_policy for action in found.actions] == [POLICY, '{"other":1}']


def test_notes_quote_a_long_action_only_in_part() -> None:
    long = "bot " + "x" * 5000
    assert max(map(len, actions(None, [long, long]).notes)) < 200
    assert max(map(len, actions(None, [json.dumps({"k" * 5000: 1})]).notes)) < 200


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(ANYTHING, ANYTHING)
def test_whatever_the_sources_are_every_action_has_a_bot(tags: Any, remediations: Any) -> None:
    found = actions(tags, remediations)
    assert all(isinstance(action.bot, str) for action in found.actions)
    assert len(set(found.actions)) == len(found.actions)


@given(st.lists(st.text("abc_", min_size=1, max_size=6), unique=True))
def test_no_bot_is_lost_between_the_two_sources(bots: list[str]) -> None:
    half = len(bots) // 2
    tags = "|".join(f"AUTO: {bot}" for bot in bots[:half])
    assert asked(tags, bots[half:]) == [[bot] for bot in bots]
