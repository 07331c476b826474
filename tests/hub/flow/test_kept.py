"""A finding that the journal keeps while its step waits, and the finding that is made of that again."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from bots._catalogue import bot_named
from hub.errors import JournalUnwritable
from hub.flow.kept import MOST_BYTES, finding_of, kept_finding
from hub.model import Action, Feedback, Finding

BOT = bot_named("sg_single_rule_delete")
KEY = "Zq3v9XkPw7TnLb2RjYc5"
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**31), 2**31), WORDS),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)),
    max_leaves=6,
)
ACTIONS = st.builds(
    Action,
    bot=WORDS,
    args=st.lists(WORDS, max_size=3).map(tuple),
    source=st.sampled_from(["compliance tag", "remediation action", "remediation rule"]),
    suggested_policy=st.one_of(st.none(), WORDS),
)


def finding(**more: Any) -> Finding:
    given_: dict[str, Any] = {
        "dialect": "cloudguard",
        "occurrence": "o",
        "key": "k",
        "passed": False,
        "account_id": "222233334444",
    }
    return Finding(**(given_ | more))


@given(
    st.dictionaries(st.sampled_from(["id", "name", "type", "region", "arn", "tags"]), VALUES, max_size=4),
    st.dictionaries(WORDS, VALUES, max_size=4),
    st.lists(ACTIONS, max_size=3).map(tuple),
    st.lists(WORDS, max_size=3).map(tuple),
    st.one_of(st.none(), WORDS),
)
def test_what_is_kept_is_the_finding_again(
    entity: dict[str, Any],
    rule: dict[str, Any],
    actions: tuple[Action, ...],
    notes: tuple[str, ...],
    event_time: str | None,
) -> None:
    asked = finding(entity=entity, rule_document=rule, actions=actions, notes=notes, event_time=event_time)
    written = json.loads(json.dumps(kept_finding(asked, BOT)))
    assert finding_of(written) == asked


def test_of_the_resource_only_what_rules_and_the_bot_look_at_is_kept() -> None:
    entity = {"id": "i-1", "name": "web", "type": "Instance", "tags": [{"key": "a", "value": "b"}]}
    more = {"userData": "password=hunter2-hunter2", "environment": {"DB_PASSWORD": "hunter2-hunter2"}}
    asked = finding(entity={**entity, **more, "nic": ["eni-1"]})
    assert finding_of(kept_finding(asked, BOT)).entity == entity
    looked_at = replace(BOT, entity_keys=("nic",))
    assert finding_of(kept_finding(asked, looked_at)).entity == {**entity, "nic": ["eni-1"]}


def test_the_credential_of_the_feedback_call_is_kept_nowhere() -> None:
    feedback = Feedback(url="https://hooks.example.com", key=SecretStr(KEY), stream="s", partition_key="p")
    asked = finding(feedback=feedback, entity={"id": "sg-1", "name": f"key {KEY} again"})
    written = kept_finding(asked, BOT)
    assert KEY not in json.dumps(written)
    assert "hooks.example.com" not in json.dumps(written)
    assert finding_of(written) == replace(
        asked, feedback=None, entity={"id": "sg-1", "name": "key [secret removed] again"}
    )


def test_names_and_parameters_that_look_like_secrets_come_back_as_they_are() -> None:
    name = "wJalrXUtnFEMI7K7MDENGbPxRfiCYEXAMPLEKEY1"
    asked = finding(entity={"id": name}, actions=(Action(bot="b", args=(name,)),))
    assert finding_of(kept_finding(asked, BOT)) == asked


def test_one_that_is_too_large_cannot_wait() -> None:
    with pytest.raises(JournalUnwritable, match="finding k is too large"):
        kept_finding(finding(notes=("x" * MOST_BYTES,)), BOT)


def test_what_a_newer_hub_has_added_is_passed_over_and_what_is_damaged_is_said() -> None:
    written = kept_finding(finding(actions=(Action(bot="b"),)), BOT)
    [action] = written["actions"]
    newer = {**written, "colour": "red", "actions": [{**action, "colour": "red"}]}
    assert finding_of(newer) == finding(actions=(Action(bot="b"),))
    with pytest.raises(JournalUnwritable, match="damaged"):
        finding_of({"key": "k"})
