"""Parameters of the hub's template: described, validated, safe by default; what cannot work is refused."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.deploy.hub_template import GIVEN_KEY, PARAMETERS, TEMPLATE, hub

EVERY = pytest.mark.parametrize("name", list(PARAMETERS))


def takes(declared: dict[str, Any], value: str) -> bool:
    """Whether CloudFormation takes a value; patterns are matched against the whole of it."""
    if "AllowedValues" in declared and value not in map(str, declared["AllowedValues"]):
        return False
    if declared["Type"] == "Number":
        low, high = declared.get("MinValue", -(10**9)), declared.get("MaxValue", 10**9)
        return re.fullmatch(r"-?\d+", value) is not None and low <= int(value) <= high
    length = declared.get("MinLength", 0) <= len(value) <= declared.get("MaxLength", 4096)
    return length and re.fullmatch(declared.get("AllowedPattern", ".*"), value) is not None


@EVERY
def test_a_parameter_says_what_it_is_and_what_it_takes(name: str) -> None:
    declared = PARAMETERS[name]
    assert declared["Description"].endswith((".", ")"))
    assert {"AllowedValues", "AllowedPattern", "MinValue"} & declared.keys()
    if declared["Type"] == "Number" and "AllowedValues" not in declared:
        assert {"MinValue", "MaxValue"} <= declared.keys()


@EVERY
def test_a_parameter_has_a_default_it_takes_or_has_to_be_chosen(name: str) -> None:
    declared = PARAMETERS[name]
    if name == "ExternalId":
        assert "Default" not in declared  # a default would be known to everybody
    else:
        assert takes(declared, str(declared["Default"]))


def test_the_console_shows_every_parameter_once_and_in_a_group() -> None:
    groups = TEMPLATE["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert all(group["Label"]["default"] for group in groups)
    shown = [name for group in groups for name in group["Parameters"]]
    assert sorted(shown) == sorted(PARAMETERS)


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("OptionalBots", ["vpc_delete", "vpc_delete,igw_delete"], ["vpc_delete, igw_delete", "VPC", "a,"]),
        (
            "Rules",
            ["s3://rules.of-the-hub/a/b_c=1.yaml", "s3://abc/k", "ssm:/hub/rules.prod", "ssm:/r"],
            [
                "rules.yaml",
                "s3://bucket",
                "s3://bucket/",
                "s3://bucket/a//b",
                "s3://bucket/a b",
                "s3://bucket/*",
                "s3://Bucket/k",
                "s3://bucket/k?",
                "ssm:rules",
                "ssm:/",
                "ssm://a",
                "ssm:/a:1",
                "ssm:/a/*",
                "https://a/b",
            ],
        ),
        ("FeedbackHosts", ["a.example.com,b.example.com"], ["https://a.example.com", "a.example.com/x"]),
        ("EmailAddress", ["sec@example.com"], ["sec", "a@b c@d"]),
        ("FailureRate", ["1", "100"], ["0", "101"]),
        (
            "PublisherAccounts",
            ["222233334444", "222233334444,333344445555"],
            ["22223333444", "222233334444,"],
        ),
        (
            "PublisherPrincipals",
            [
                "arn:aws:iam::222233334444:role/scanner",
                "arn:aws-cn:iam::222233334444:role/path/scanner,arn:aws:iam::222233334444:user/u",
            ],
            ["*", "222233334444", "arn:aws:iam::222233334444:root", "arn:aws:iam::222233334444:role/*"],
        ),
        ("ExternalId", ["between-us"], ["", "a", "with blanks"]),
        ("OrganizationId", ["o-exampleorgid"], ["r-abcd", "o-SHORT"]),
        ("Accounts", ["222233334444"], ["222233334444, 333344445555"]),
        ("RoleName", ["Dome9CloudBots"], ["", "a/b", "r" * 65]),
        (
            "PermissionsBoundaryArn",
            ["arn:aws:iam::aws:policy/PowerUserAccess", "arn:aws-us-gov:iam::111122223333:policy/limit"],
            ["limit", "arn:aws:iam::111122223333:role/limit"],
        ),
        ("CodeBucket", ["my-bucket.of.code"], ["s3://my-bucket", "My-Bucket"]),
        ("CodeKey", ["remediation-hub/0a1b.zip"], ["", " x"]),
        ("MaximumConcurrency", ["2", "1000"], ["1", "1001"]),
        ("ReservedConcurrency", ["-1", "50"], ["-2"]),
        ("WorkerPrincipal", ["arn:aws:iam::222233334444:role/w"], ["arn:aws:iam::222233334444:root", "w"]),
        ("KeyArn", [GIVEN_KEY], ["alias/mine", "arn:aws:kms:us-east-1:111122223333:alias/mine"]),
        ("JournalDays", ["1"], ["0", "99999"]),
        ("LogDays", ["365"], ["2", "-1"]),
        ("HubName", ["hub"], ["a", "remediation hub", "h" * 49]),
        ("InputTopicName", ["d9-findings"], ["", "a.fifo"]),
        ("OutputTopicName", ["remediationOutput"], ["a b"]),
        ("MetricsNamespace", ["RemediationHub", "Security/Hub"], ["", "with blank", 'quote"']),
    ],
)
def test_a_parameter_takes_what_works_and_nothing_else(name: str, good: list[str], bad: list[str]) -> None:
    assert [value for value in good if not takes(PARAMETERS[name], value)] == []
    assert [value for value in bad if takes(PARAMETERS[name], value)] == []


def test_every_free_text_was_tried() -> None:
    [mark] = test_a_parameter_takes_what_works_and_nothing_else.pytestmark  # type: ignore[attr-defined]
    tried = {case[0] for case in mark.args[1]}
    free = {name for name, each in PARAMETERS.items() if "AllowedPattern" in each}
    assert free <= tried


# --- combinations


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"CodeBucket": ""}, "CodeBucket"),
        ({"DataCenter": "none"}, "nobody may send"),
        ({"Encryption": "given-key"}, "needs KeyArn"),
        ({"KeyArn": GIVEN_KEY}, "given-key only"),
        ({"KeyArn": GIVEN_KEY, "Encryption": "own-key"}, "given-key only"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_made(given: dict[str, str], word: str) -> None:
    [refusal] = hub(**given).refusals
    assert word in refusal


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"Compute": "none", "CodeBucket": ""},
        {"DataCenter": "none", "PublisherAccounts": "222233334444"},
        {"DataCenter": "none", "PublisherPrincipals": "arn:aws:iam::222233334444:role/scanner"},
        {"Encryption": "own-key"},
        {"Encryption": "given-key", "KeyArn": GIVEN_KEY},
    ],
)
def test_what_works_is_not_refused(given: dict[str, str]) -> None:
    assert hub(**given).refusals == []


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov", "aws-cn"])
@pytest.mark.parametrize("compute", ["lambda", "none"])
@pytest.mark.parametrize("encryption", ["aws", "own-key", "given-key"])
@pytest.mark.parametrize("more", [{}, {"EmailAddress": "a@example.com", "DeploymentMode": "multi"}])
def test_nothing_names_what_is_not_made_and_every_arn_is_of_the_partition(
    partition: str, compute: str, encryption: str, more: dict[str, str]
) -> None:
    key = GIVEN_KEY.replace("arn:aws:", f"arn:{partition}:") if encryption == "given-key" else ""
    stack = hub(partition, Compute=compute, Encryption=encryption, KeyArn=key, **more)
    everything = [stack.properties(name) for name in sorted(stack.resources)] + [stack.outputs]
    found = set(re.findall(r"arn:(aws[a-z-]*):", repr(everything)))
    assert found == {partition}


def test_every_role_of_the_stack_takes_the_permissions_boundary() -> None:
    boundary = "arn:aws:iam::111122223333:policy/limit"
    roles = hub(PermissionsBoundaryArn=boundary).of_type("AWS::IAM::Role")
    assert roles
    assert all(each["PermissionsBoundary"] == boundary for each in roles.values())
    assert "PermissionsBoundary" not in hub().properties("HubRole")
