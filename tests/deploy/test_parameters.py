"""Values are held against the template before AWS is asked, and every word about them helps."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.errors import InputWrong, ParametersWrong
from deploy.parameters import declared, from_file, from_words, settle, text_of
from deploy.rules import broken
from deploy.template import differences, hub_template, parse

HUB = parse(hub_template())
WHOLE = {"ExternalId": "between-us", "Compute": "none"}


def problems(given: dict[str, str], present: dict[str, str] | None = None) -> str:
    with pytest.raises(ParametersWrong) as wrong:
        settle(HUB, given, present)
    return str(wrong.value)


def test_the_templates_own_defaults_fit_it() -> None:
    for parameter in declared(HUB).values():
        if parameter.default is not None:
            assert parameter.trouble(parameter.default) == "", parameter.name


def test_values_that_are_not_given_are_kept_and_those_nobody_ever_gave_are_the_templates() -> None:
    values = settle(HUB, {"DryRun": "true"}, {**WHOLE, "DryRun": "false", "LogDays": "30", "Gone": "1"})
    assert values.given == {"DryRun": "true"}
    assert values.kept == {**WHOLE, "LogDays": "30"}
    assert values.defaults["OutputMode"] == "JSON"
    assert {"ParameterKey": "LogDays", "UsePreviousValue": True} in values.request
    assert {"ParameterKey": "DryRun", "ParameterValue": "true"} in values.request
    assert "OutputMode" not in [each["ParameterKey"] for each in values.request]
    assert values.all["DryRun"] == "true"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"DryRunn": "true"}, "there is no parameter DryRunn; did you mean DryRun?"),
        ({"externalid": "x"}, "did you mean ExternalId?"),
        ({"Zzz": "1"}, "there is no parameter Zzz"),
        ({"DryRun": "True"}, "DryRun must be one of true, false; did you mean true?"),
        ({"OutputMode": "xml"}, "OutputMode must be one of JSON, text"),
        ({"EmailAddress": "nobody"}, "EmailAddress must be empty or an e-mail address"),
        ({"ExternalId": "x"}, "ExternalId must be 2 to 256 letters"),
        ({"OrganizationId": "org"}, "OrganizationId must be empty or an organization's id"),
        ({"JournalDays": "0"}, "JournalDays must be at least 1"),
        ({"JournalDays": "many"}, "JournalDays must be a number"),
        ({"MaximumConcurrency": "1001"}, "MaximumConcurrency must be at most 1000"),
    ],
)
def test_what_does_not_fit_is_said_with_what_would(given: dict[str, str], said: str) -> None:
    assert said in problems({**WHOLE, **given})


def test_everything_wrong_is_told_at_once() -> None:
    told = problems({"DryRun": "perhaps", "Nonsense": "1"})
    assert len(told.splitlines()) == 3
    assert "ExternalId needs a value: What the spoke roles ask the hub for" in told


def test_a_rule_of_the_template_is_worked_out_beforehand() -> None:
    told = problems({"ExternalId": "between-us", "Compute": "lambda"})
    assert "Compute=lambda needs CodeBucket" in told
    assert settle(HUB, {**WHOLE, "Compute": "lambda", "CodeBucket": "our-code"}).all["CodeBucket"]


def test_a_rule_holds_for_what_is_kept_too() -> None:
    assert "needs CodeBucket" in problems(
        {"CodeBucket": ""}, {**WHOLE, "Compute": "lambda", "CodeBucket": "our-code"}
    )


def rule(condition: object, **values: str) -> bool:
    """Whether the assertion holds."""
    return broken({"R": {"Assertions": [{"Assert": condition, "AssertDescription": "no"}]}}, values) == []


def test_rules_are_logic() -> None:
    a = {"Fn::Equals": [{"Ref": "A"}, "1"]}
    b = {"Fn::Equals": [{"Ref": "B"}, "1"]}
    assert rule({"Fn::And": [a, b]}, A="1", B="1")
    assert not rule({"Fn::And": [a, b]}, A="1", B="2")
    assert rule({"Fn::Or": [a, b]}, A="2", B="1")
    assert not rule({"Fn::Not": [a]}, A="1")
    assert rule({"Fn::Contains": [["1", "2"], {"Ref": "A"}]}, A="2")
    assert not rule({"Fn::Contains": [["1", "2"], {"Ref": "A"}]}, A="3")


def test_a_rule_only_aws_can_answer_is_left_to_it() -> None:
    assert rule({"Fn::Equals": [{"Fn::ValueOf": ["A", "Tags"]}, "1"]}, A="2")
    assert rule({"Fn::EachMemberIn": [["1"], ["2"]]})


def test_lengths_are_looked_at() -> None:
    template = parse("Parameters: {L: {Type: String, MinLength: 2, MaxLength: 3}}")
    with pytest.raises(ParametersWrong, match="L must have at least 2 characters"):
        settle(template, {"L": "1"})
    with pytest.raises(ParametersWrong, match="L must have at most 3 characters"):
        settle(template, {"L": "1234"})


def test_every_item_of_a_list_is_looked_at() -> None:
    template = parse("Parameters: {L: {Type: CommaDelimitedList, AllowedPattern: '[0-9]+'}}")
    assert settle(template, {"L": "1, 22,333"}).given == {"L": "1, 22,333"}
    with pytest.raises(ParametersWrong, match=r"L must match \[0-9\]\+"):
        settle(template, {"L": "1,x"})


def test_words_are_taken_apart_at_the_first_equals_sign() -> None:
    assert from_words(["ExternalId=a=b", "Accounts="]) == {"ExternalId": "a=b", "Accounts": ""}


@pytest.mark.parametrize("words", [["DryRun"], ["=true"], ["A=1", "A=2"]])
def test_words_that_say_nothing_or_two_things_are_refused(words: list[str]) -> None:
    with pytest.raises(InputWrong, match="--parameter"):
        from_words(words)


@pytest.mark.parametrize(
    "text",
    [
        "DryRun: true\nAccounts: 012345678901\n",
        '{"DryRun": "true", "Accounts": "012345678901"}',
        '{"Parameters": {"DryRun": "true", "Accounts": "012345678901"}}',
        '[{"ParameterKey": "DryRun", "ParameterValue": "true"},'
        ' {"ParameterKey": "Accounts", "ParameterValue": "012345678901"}]',
        "DryRun: true\nAccounts: [012345678901]\n",
    ],
    ids=["yaml", "json", "codepipeline", "aws-cli", "list"],
)
def test_a_file_is_read_as_the_text_it_is_written_as(text: str, tmp_path: Path) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text(text, encoding="utf-8")
    assert from_file(path) == {"DryRun": "true", "Accounts": "012345678901"}


@pytest.mark.parametrize("text", ["", "just words", "A: {B: 1}", "- 1", "a: [", "[{}]"])
def test_a_file_without_parameters_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "hub.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputWrong, match=r"hub\.yaml"):
        from_file(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputWrong, match="could not be read: No such file"):
        from_file(tmp_path / "none.yaml")


def test_cloudformation_takes_only_text() -> None:
    assert [text_of(value) for value in (True, 3, ["a", "b"], "x")] == ["true", "3", "a,b", "x"]


def test_how_a_template_is_written_makes_no_difference() -> None:
    short = "Resources: {Q: {Type: T, Properties: {A: !Ref B, C: !GetAtt D.Arn, E: !Sub '${F}'}}}"
    long = {
        "Resources": {
            "Q": {
                "Type": "T",
                "Properties": {
                    "A": {"Ref": "B"},
                    "C": {"Fn::GetAtt": ["D", "Arn"]},
                    "E": {"Fn::Sub": "${F}"},
                },
            }
        }
    }
    assert differences(short, long) == ()
    assert differences(short, "Resources: {Q: {Type: U}, R: {Type: T}}\nDescription: new") == (
        "Description",
        "Resources.Q",
        "Resources.R",
    )
