"""An action's text taken apart into words."""

from __future__ import annotations

import json
import string
import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hub.dialects.words import split
from hub.model import Action

CLEAN = st.text(string.ascii_letters + string.digits + "-_./:=@*,#\\$()|%;", min_size=1)
JSON_OBJECTS = st.dictionaries(
    st.text(), st.recursive(st.text() | st.integers() | st.none(), st.lists, max_leaves=5), max_size=4
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ec2_stop_instance", ["ec2_stop_instance"]),
        ("bot a  b\t c\n", ["bot", "a", "b", "c"]),
        ("   bot", ["bot"]),
        ("tag_ec2_resource \"stopped by\" 'posture hub'", ["tag_ec2_resource", "stopped by", "posture hub"]),
        ("bot name=\"a b\" other:'c d'", ["bot", "name=a b", "other:c d"]),
        ('bot groups="a b","c d"', ["bot", "groups=a b,c d"]),
        ('bot ""', ["bot", ""]),
        ("bot ''", ["bot", ""]),
        ('bot "it\'s"', ["bot", "it's"]),
        ("bot 'say \"yes\"'", ["bot", 'say "yes"']),
        ('bot "two  blanks"', ["bot", "two  blanks"]),
        # Neither a backslash nor # means anything: Windows paths, patterns and channels come through.
        ("bot C:\\temp\\new #ops a\\ b", ["bot", "C:\\temp\\new", "#ops", "a\\", "b"]),
        ('bot "C:\\temp\\"', ["bot", "C:\\temp\\"]),
        # A quote inside a word is a letter, as in names of people.
        ("tag owner O'Brien's team's", ["tag", "owner", "O'Brien's", "team's"]),
        ("tag owner 'O'Brien's team'", ["tag", "owner", "O'Brien's team"]),
        ("policy_name=arn:aws:iam::$ACCOUNT_ID:policy/p", ["policy_name=arn:aws:iam::$ACCOUNT_ID:policy/p"]),
        ("bot [a,b] {c}", ["bot", "[a,b]", "{c}"]),
    ],
)
def test_blanks_part_words_and_quotes_hold_them_together(text: str, words: list[str]) -> None:
    assert list(split(text).words) == words
    assert split(text).notes == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('bot "a b', ["bot", '"a', "b"]),
        ("bot 'a b", ["bot", "'a", "b"]),
        ('bot a"b c"', ["bot", 'a"b', 'c"']),
        ('bot a b"', ["bot", "a", 'b"']),
        ('bot "a"b', ["bot", '"a"b']),
        ('bot {"a": "b c"}x', ["bot", '{"a":', '"b', 'c"}x']),
    ],
)
def test_a_quote_without_its_partner_stays_a_letter_and_is_noted(text: str, words: list[str]) -> None:
    found = split(text)
    assert list(found.words) == words
    assert "quotes" in found.notes[0]


def test_json_stays_one_word_as_it_was_written() -> None:
    policy = '{"Version": "2012-10-17", "Statement": [{"Sid": "it\'s  ok"}]}'
    assert split(f"bot policy={policy} last").words == ("bot", f"policy={policy}", "last")
    assert split(f"bot {policy}").words == ("bot", policy)


@given(st.lists(CLEAN, max_size=8))
def test_clean_words_come_out_as_they_went_in(words: list[str]) -> None:
    assert split(" ".join(words)).words == tuple(words)
    assert split("\t " + "  \n".join(words) + " ").words == tuple(words)


@given(st.lists(st.text(string.ascii_letters + " '-#\\", max_size=12), max_size=6))
def test_words_in_double_quotes_come_out_with_their_blanks(words: list[str]) -> None:
    assert split(" ".join(f'"{word}"' for word in words)).words == tuple(words)


@given(st.lists(st.text(string.ascii_letters + " -", max_size=12), max_size=6))
def test_an_action_shown_to_people_reads_back_as_the_same_words(args: list[str]) -> None:
    assert split(Action(bot="bot", args=tuple(args)).text).words == ("bot", *args)


@given(JSON_OBJECTS, CLEAN)
def test_any_json_object_is_one_word(value: dict[str, object], last: str) -> None:
    text = json.dumps(value)
    assert split(f"bot policy={text} {last}").words == ("bot", f"policy={text}", last)


@given(st.text())
def test_only_blanks_and_quotes_are_ever_lost(text: str) -> None:
    kept = [letter for letter in "".join(split(text).words) if not letter.isspace() and letter not in "\"'"]
    assert kept == [letter for letter in text if not letter.isspace() and letter not in "\"'"]


@settings(max_examples=20, deadline=None)
@given(st.text("'\"{}[]=:, a", min_size=1, max_size=8))
@example("[")
@example("[ ")
@example("'a ")
@example('{"a":[1, ')
def test_no_text_takes_more_time_than_its_length_explains(pattern: str) -> None:
    text = pattern * (200_000 // len(pattern))
    began = time.process_time()
    split(text)
    # About 0.2 s; an algorithm that goes back to the start for every quote takes minutes.
    assert time.process_time() - began < 5
