"""The grammar of the words after a bot's name."""

from __future__ import annotations

import ipaddress
import string
from enum import StrEnum
from typing import Annotated, Literal, Self

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BeforeValidator, Field, model_validator

from bots._bot import NoParams, Params
from bots._words import BadWords, Word, describe, parse, usage


class Color(StrEnum):
    RED = "Red"
    BLUE = "Blue"


class Rule(Params):
    """A bit of everything."""

    direction: Literal["inbound", "outbound"]
    port: Annotated[int, Field(ge=0, le=65535, description="exact single port")]
    scope: str = "0.0.0.0/0"
    split: bool = False
    kms_key_id: Annotated[str | None, Word(aliases=("key", "cmk"))] = None
    days: Annotated[int, Word(positional=False), Field(ge=1)] = 30
    dry_run: Annotated[bool, Word(flag="dryRun")] = False
    color: Annotated[Color, Word(positional=False)] = Color.RED


class Alarm(Params):
    email: str
    filters: Annotated[tuple[str, ...], Word(rest=True)] = ()


class Topic(Params):
    policy: Annotated[str, Word(rest=True)] = ""
    quiet: Annotated[bool, Word(flag="quiet")] = False


class Scopes(Params):
    cidrs: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()


class Suggested(Params):
    policy_name: Annotated[str, Word(positional=False)] = "boundary"
    suggested_policy: str | None = None


class Port(Params):
    port: int | Literal["*"] | None = None


class Level(Params):
    level: int | bool


class Network(Params):
    network: Annotated[str, BeforeValidator(lambda word: str(ipaddress.ip_network(word)))]


def _shout(word: str) -> str:
    raise ValueError(f"nobody wants {word.upper()}")


class Loud(Params):
    """Its validator quotes the word, but not as it came."""

    word: Annotated[str, BeforeValidator(_shout)] = ""


class Pair(Params):
    first: str = ""
    second: str = ""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.first and self.first == self.second:
            raise ValueError("first and second must differ")
        return self


MODELS: tuple[type[Params], ...] = (
    Rule, Alarm, Topic, Scopes, Suggested, Port, Network, Loud, Pair, NoParams,
)  # fmt: skip


def test_words_fill_the_fields_in_their_order() -> None:
    assert parse(Rule, ["inbound", "22", "10.0.0.0/8", "true"]) == Rule(
        direction="inbound", port=22, scope="10.0.0.0/8", split=True
    )


@pytest.mark.parametrize("sign", ["=", ":"])
@pytest.mark.parametrize(
    "name", ["kms_key_id", "KMS_KEY_ID", "kmsKeyId", "KmsKeyId", "kms-key-id", "Key", "cmk"]
)
def test_a_named_word_finds_its_field_by_any_spelling_in_any_case(name: str, sign: str) -> None:
    read = parse(Rule, ["port:22", f"{name}{sign}abc", "direction=outbound"])
    assert read == Rule(direction="outbound", port=22, kms_key_id="abc")


@pytest.mark.parametrize(
    "value",
    [
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd",
        "arn:aws:iam::111122223333:policy/team=blue",
        "::/0",
        "2001:db8::/32",
        '{"Version":"2012-10-17"}',
        '{"a=b": 1}',
        "=x",
        "1=1",
        "secops@example.com",
    ],
)
def test_a_value_full_of_separators_survives_in_its_position(value: str) -> None:
    assert parse(Rule, ["inbound", "22", value]).scope == value


@pytest.mark.parametrize("value", ["arn:aws:kms:eu-west-1:111122223333:key/a=b", "a=b==", "x:y=z", "="])
def test_a_named_value_is_split_at_the_first_separator_only(value: str) -> None:
    assert parse(Rule, ["inbound", "22", f"scope={value}"]).scope == value
    assert parse(Rule, ["inbound", "22", f"scope:{value}"]).scope == value


def test_a_bare_word_after_a_named_one_takes_the_field_of_its_own_position() -> None:
    assert parse(Rule, ["direction=inbound", "22", "split=true"]).port == 22
    assert parse(Rule, ["scope=x", "22", "direction=inbound"]).port == 22
    with pytest.raises(BadWords, match=r"direction is given twice, the second time by 'direction=inbound'"):
        parse(Rule, ["22", "direction=inbound"])


def test_flags_and_nameonly_words_take_no_position() -> None:
    read = parse(Rule, ["DRYRUN", "inbound", "days=90", "22"])
    assert (read.dry_run, read.direction, read.days, read.port) == (True, "inbound", 90, 22)


@pytest.mark.parametrize("word", ["dryRun", "dryrun", "DryRun", "dry_run", "dryRun=true", "dry_run:True"])
def test_a_flag_is_set_by_its_bare_word_or_by_name(word: str) -> None:
    assert parse(Rule, ["inbound", "22", word]).dry_run is True


def test_a_flag_can_be_unset_by_name() -> None:
    assert parse(Rule, ["inbound", "22", "dryRun=false"]).dry_run is False


@pytest.mark.parametrize(
    "word", ["exec_function_arn=arn:aws:lambda:x", "assumed_role_arn=arn:aws:iam::1:role/r"]
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_words_of_the_older_dispatcher_are_dropped_wherever_they_stand(word: str, place: int) -> None:
    words = ["inbound", "22"]
    words.insert(place, word)
    assert parse(Rule, words) == Rule(direction="inbound", port=22)
    assert parse(NoParams, [word]) == NoParams()
    assert parse(Topic, ["{}", word]).policy == "{}"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "direction and port must be given"),
        (["inbound"], "port must be given"),
        (["inbound", "22", "port=23"], "port is given twice"),
        (["port=1", "PORT:2"], "port is given twice"),
        (["inbound", "22", "dryRun", "dryRun"], "dry_run is given twice"),
        (["inbound", "22", "a", "true", "k", "x"], "'x' is one too many"),
        (["inbound", "22", "protocol=TCP"], "no parameter called 'protocol'"),
        (["inbound", "ssh"], "'ssh' does not fit port; port must be a whole number"),
        (["inbound", "65536"], "'65536' does not fit port"),
        (["sideways", "22"], "'sideways' does not fit direction"),
        (["inbound", "22", "color=green"], "'green' does not fit color"),
        (["inbound", "22", "split=yes"], "split must be true or false"),
        (["inbound", ""], "'' does not fit port"),
    ],
)
def test_words_that_do_not_fit_are_refused_with_what_is_wrong_and_the_usage(
    words: list[str], said: str
) -> None:
    with pytest.raises(BadWords) as refused:
        parse(Rule, words)
    assert said in str(refused.value)
    assert str(refused.value).endswith(f"Usage: {usage(Rule)}")
    assert refused.value.usage == usage(Rule)


def test_a_missing_word_comes_with_how_to_add_it() -> None:
    with pytest.raises(BadWords, match=r"add it as word 2 or as port=…"):
        parse(Rule, ["inbound"])


def test_an_unknown_name_comes_with_the_known_ones() -> None:
    with pytest.raises(BadWords, match=r"the parameters are email, filters"):
        parse(Alarm, ["mail=a@example.com"])


def test_fields_that_contradict_each_other_are_refused_in_the_models_words() -> None:
    with pytest.raises(BadWords, match=r"the words do not fit together; first and second must differ"):
        parse(Pair, ["a", "a"])


@pytest.mark.parametrize("word", ["true", "True", "TRUE", "tRuE"])
def test_true_is_true_in_any_case_and_false_is_false(word: str) -> None:
    assert parse(Rule, ["inbound", "22", "x", word]).split is True
    assert parse(Rule, ["inbound", "22", f"split={word}".replace("rue", "RUE")]).split is True
    assert parse(Rule, ["inbound", "22", "x", "FALSE"]).split is False


@pytest.mark.parametrize("word", ["1", "0", "yes", "no", "on", "t", "truee", " true", "none"])
def test_nothing_else_is_a_boolean(word: str) -> None:
    with pytest.raises(BadWords, match="split must be true or false"):
        parse(Rule, ["inbound", "22", "x", word])


@pytest.mark.parametrize("word", ["22.0", "1e3", "0x16", " 22", "2_2", "+22", "٢٢", "22;", "9" * 5000, "-"])
def test_only_plain_digits_are_a_whole_number(word: str) -> None:
    with pytest.raises(BadWords, match="port must be a whole number"):
        parse(Rule, ["inbound", word])


@pytest.mark.parametrize("word", ["INBOUND", "Inbound", "inbound"])
def test_choices_are_read_in_any_case(word: str) -> None:
    assert parse(Rule, [word, "22", "color=BLUE"]).direction == "inbound"
    assert parse(Rule, [word, "22", "color=BLUE"]).color is Color.BLUE


def test_a_field_of_several_types_takes_the_first_that_fits() -> None:
    assert parse(Port, ["22"]).port == 22
    assert parse(Port, ["*"]).port == "*"
    with pytest.raises(BadWords, match="does not fit port"):
        parse(Port, ["22.5"])
    with pytest.raises(BadWords, match="level must be a whole number or true or false"):
        parse(Level, ["high"])


def test_an_empty_word_leaves_an_optional_field_at_its_default_and_keeps_its_position() -> None:
    read = parse(Rule, ["inbound", "22", "", "true"])
    assert (read.scope, read.split) == ("0.0.0.0/0", True)


def test_an_empty_word_is_a_value_for_a_required_text() -> None:
    assert parse(Alarm, [""]).email == ""


def test_the_last_field_takes_the_rest_of_the_words_and_splits_commas() -> None:
    read = parse(Alarm, ["a@example.com", "Root,Iam", "Trail", ","])
    assert read.filters == ("Root", "Iam", "Trail")


def test_the_rest_may_begin_with_its_name() -> None:
    assert parse(Alarm, ["a@example.com", "filters=Root", "Iam"]).filters == ("Root", "Iam")
    with pytest.raises(BadWords, match="filters is given twice"):
        parse(Alarm, ["a@example.com", "Root", "filters=Iam"])


def test_a_misspelt_name_among_the_rest_is_refused() -> None:
    with pytest.raises(BadWords, match="no parameter called 'filter'"):
        parse(Alarm, ["a@example.com", "Root", "filter=Iam"])


@pytest.mark.parametrize("start", ["", "policy=", "Policy:"])
def test_a_text_to_the_end_is_joined_exactly_as_it_came(start: str) -> None:
    words = [f'{start}{{"Statement":', "policy=1", "quiet", "", "x=y}"]
    assert parse(Topic, words) == Topic(policy='{"Statement": policy=1 quiet  x=y}')
    assert parse(Topic, ["quiet", *words]).quiet is True


def test_lists_are_split_at_commas_and_each_part_checked() -> None:
    assert parse(Scopes, ["10.0.0.0/8, ,192.0.2.0/24", "ports=22,443"]) == Scopes(
        cidrs=("10.0.0.0/8", "192.0.2.0/24"), ports=(22, 443)
    )
    with pytest.raises(BadWords, match="'x' does not fit ports"):
        parse(Scopes, ["ports=22,x"])


def test_a_suggested_policy_fills_its_field_only_where_there_is_one_and_it_is_open() -> None:
    assert parse(Suggested, [], suggested_policy="{}").suggested_policy == "{}"
    assert parse(Suggested, ["SuggestedPolicy:[]"], suggested_policy="{}").suggested_policy == "[]"
    assert parse(Suggested, []).suggested_policy is None
    assert parse(Alarm, ["a"], suggested_policy="{}") == Alarm(email="a")


def test_a_suggested_policy_is_never_a_bare_word() -> None:
    with pytest.raises(BadWords, match="one too many"):
        parse(Suggested, ["{}"])


def test_the_usage_line_shows_order_kinds_and_what_may_be_left_out() -> None:
    assert usage(Rule) == (
        "<direction: inbound|outbound> <port: number> [<scope>] [<split: true|false>] [<kms_key_id>] "
        "[days=<days: number>] [dryRun] [color=<color: Red|Blue>]"
    )
    assert usage(Alarm) == "<email> [<filters>…]"
    assert usage(Scopes) == "[<cidrs: a,b,…>] [<ports: a,b,…>]"
    assert usage(NoParams) == "no parameters"


def test_a_description_tells_all_a_person_needs_to_write_a_parameter() -> None:
    told = {row.name: row for row in describe(Rule)}
    assert list(told) == list(Rule.model_fields)
    assert told["port"] == ("port", True, None, "exact single port", ("word 2", "port=…", "port:…"))
    assert told["scope"].required is False
    assert told["scope"].default == "0.0.0.0/0"
    assert told["days"].spellings == ("days=…", "days:…")
    assert told["dry_run"].spellings[0] == "dryRun"
    assert {"key=…", "cmk:…"} <= set(told["kms_key_id"].spellings)
    assert describe(NoParams) == []


def test_half_a_character_is_refused_wherever_it_comes_from() -> None:
    for words in (["a\ud800"], ["word=\udfff"]):
        with pytest.raises(BadWords, match="holds half a character"):
            parse(Loud, words)
    with pytest.raises(BadWords, match="holds half a character"):
        parse(Suggested, [], suggested_policy='{"Sid": "\ud83d"}')
    assert parse(Alarm, ["\U0001f600@example.com"]).email == "\U0001f600@example.com"


def test_two_fields_of_one_name_are_a_defect_of_the_bot() -> None:
    class Twice(Params):
        key: str = ""
        other: Annotated[str, Word(aliases=("KEY",))] = ""

    with pytest.raises(AssertionError, match="two fields share a name"):
        parse(Twice, [])


# Words a finding might hold: names of fields, separators and values thrown together, and plain noise.
PIECES = st.sampled_from([
    "direction", "port", "dryRun", "filters", "policy", "split", "days", "kmsKeyId", "=", ":", ",", "22", "-1", "true",
    "inbound", "*", "", " ", "arn:aws:iam::111122223333:role/r", "10.0.0.0/8", "exec_function_arn=x", "\x00", "\ud800",
])  # fmt: skip
WORDS = st.lists(st.one_of(st.text(), st.lists(PIECES, max_size=4).map("".join)), max_size=8)


def _read(model: type[Params], words: list[str], suggested: str | None = None) -> Params | BadWords:
    """What comes of the words; any other exception fails the test."""
    try:
        return parse(model, words, suggested_policy=suggested)
    except BadWords as refused:
        return refused


@given(model=st.sampled_from(MODELS), words=WORDS, suggested=st.none() | st.text())
@example(model=Loud, words=["\x1b[31m"], suggested=None)
def test_any_words_give_parameters_or_a_printable_refusal(
    model: type[Params], words: list[str], suggested: str | None
) -> None:
    read = _read(model, words, suggested)
    assert isinstance(read, (model, BadWords))
    if isinstance(read, BadWords):
        assert str(read).endswith(usage(model))
        assert str(read).isprintable()


@given(
    model=st.sampled_from(MODELS),
    letter=st.sampled_from([*string.ascii_letters, "7", "=", ":", "\x1b", "\ud800", "é", " "]),
    start=st.sampled_from(["", "port=", "filters=", "policy=", "nobody=", "network=", "first="]),
    more=st.sampled_from([(), ("x",)]),
)
@example(model=Loud, letter="a", start="", more=())
@example(model=Loud, letter=" ", start="", more=())
@example(model=Network, letter="7", start="", more=())
def test_no_refusal_repeats_more_than_80_characters_of_a_word(
    model: type[Params], letter: str, start: str, more: tuple[str, ...]
) -> None:
    read = _read(model, [f"{start}{letter * 500}", *more])
    if isinstance(read, BadWords):
        assert letter.lower() * 81 not in str(read).lower()
        assert len(read.word) <= 80


VALUES = {
    "direction": st.sampled_from(["inbound", "outbound"]),
    "port": st.integers(0, 65535).map(str),
    "scope": st.from_regex(r"[a-z0-9./]{1,20}", fullmatch=True),
    "split": st.sampled_from(["true", "False"]),
    "kms_key_id": st.from_regex(
        r"arn:aws:kms:[a-z0-9-]{1,9}:[0-9]{12}:key/[a-z0-9=:-]{1,20}", fullmatch=True
    ),
}


@given(values=st.fixed_dictionaries(VALUES), data=st.data())
def test_positions_names_and_any_mix_of_them_mean_the_same(
    values: dict[str, str], data: st.DataObject
) -> None:
    values = {name: values[name] for name in VALUES}
    by_position = parse(Rule, list(values.values()))
    order = data.draw(st.permutations(list(values)))
    by_name = parse(Rule, [f"{name}{data.draw(st.sampled_from('=:'))}{values[name]}" for name in order])
    mixed = parse(
        Rule, [value if data.draw(st.booleans()) else f"{name}={value}" for name, value in values.items()]
    )
    assert by_position == by_name == mixed
