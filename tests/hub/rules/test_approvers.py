"""Approvers are patterns of ARNs that people can have; others would leave steps without anybody to approve them."""

from __future__ import annotations

import pytest

from hub.rules.approvers import EXAMPLE, wrong_with


@pytest.mark.parametrize(
    "arn",
    [
        EXAMPLE,
        "arn:aws:sts::111122223333:assumed-role/Security/ada",
        "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Security_*/*@example.com",
        "arn:aws-us-gov:sts::*:assumed-role/Security*",
        "arn:aws:iam::111122223333:user/teams/security/ada",
        "arn:aws:iam::111122223333:root",
        "arn:aws:sts::111122223333:federated-user/ada",
        "arn:aws:*:*:111122223333:*ada",
    ],
)
def test_what_people_are_told_by_is_taken(arn: str) -> None:
    assert wrong_with(arn) == ("", "")


@pytest.mark.parametrize(
    ("arn", "told"),
    [
        ("*", "is no ARN"),
        ("ada", "leave approvers out"),
        ("arn:aws:iam::111122223333", "is no ARN"),
        ("urn:aws:iam::111122223333:user/ada", "is no ARN"),
        ("arn:aws:iam::1111:user/ada", "not 12 digits"),
        ("arn:aws:sts:eu-west-1:111122223333:assumed-role/a/*", "leave it empty"),
        (
            "arn:aws:iam::111122223333:role/teams/Security",
            "did you mean 'arn:aws:sts::111122223333:assumed-role/Security/*'?",
        ),
        (
            "arn:aws:sts::111122223333:assumed-role/Security",
            "did you mean 'arn:aws:sts::111122223333:assumed-role/Security/*'?",
        ),
        ("arn:aws:iam::111122223333:group/security", "no ARN that a person has"),
        ("arn:aws:s3::111122223333:bucket", "no ARN that a person has"),
        ("arn:aws:iam::111122223333:assumed-role/a/b", "no ARN that a person has"),
    ],
)
def test_what_nobody_is_told_by_is_a_mistake(arn: str, told: str) -> None:
    assert told in "; ".join(wrong_with(arn))
