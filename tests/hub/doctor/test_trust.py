"""Who else may enter a spoke role is told from its trust policy."""

from __future__ import annotations

from typing import Any

import pytest

from hub.doctor.trust import Hub, judge
from hub.doctor.words import State
from tests.hub.doctor.estate import CURRENT
from tests.spoke_role.reading import NAMES, filled, parsed

HUB = Hub("111122223333", "remediation-hub", "o-exampleorgid")
ROOT = "arn:aws:iam::111122223333:root"
ROLE = "arn:aws:iam::111122223333:role/remediation-hub"
ASKED = {"sts:ExternalId": "an-external-id", "aws:PrincipalOrgID": "o-exampleorgid"}


def door(
    principal: Any = ROOT, *, arn: Any = ROLE, action: Any = "sts:AssumeRole", **asked: str
) -> dict[str, Any]:
    """A statement like the template's, by default without any condition but the role's."""
    condition: dict[str, Any] = {"StringEquals": asked} if asked else {}
    if arn:
        condition["ArnEquals"] = {"aws:PrincipalArn": arn}
    found = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": action}
    return found | ({"Condition": condition} if condition else {})


SOURCE = door(action="sts:SetSourceIdentity")


def said(*statements: dict[str, Any], hub: Hub = HUB) -> str:
    """All that is seen of a policy that lets the hub say for which run it comes, in one text."""
    return "; ".join(
        f"{line.state} {line.seen} {line.answer}" for line in judge({"Statement": [*statements, SOURCE]}, hub)
    )


@pytest.mark.parametrize("organization", ["", "o-exampleorgid"])
def test_the_templates_own_trust_policy_is_right(organization: str) -> None:
    role = parsed(CURRENT)["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]
    document = filled(role, NAMES, InOrganization=bool(organization))
    [line] = judge(document, Hub(HUB.account_id, HUB.role, organization))
    assert line.state is State.OK
    assert ("aws:PrincipalOrgID" in line.seen) == bool(organization)


def test_a_role_of_the_old_project_is_open_to_the_hubs_whole_account() -> None:
    # Its trust: the account's root, no condition.
    text = said(door(arn=None))
    assert "everybody of the hub's account" in text
    assert "no ExternalId" in text
    assert "aws:PrincipalOrgID is not asked for" in text


def test_an_account_written_as_a_number_is_the_whole_account_too() -> None:
    assert "everybody of the hub's account" in said(door("111122223333", arn=None, **ASKED))


def test_naming_the_hubs_role_as_the_principal_is_as_narrow_as_a_condition() -> None:
    assert said(door(ROLE, arn=None, **ASKED)).startswith("ok")


def test_a_role_with_a_path_is_the_hubs_role_too() -> None:
    arn = "arn:aws:iam::111122223333:role/security/remediation-hub"
    assert said(door(arn=arn, **ASKED)).startswith("ok")


@pytest.mark.parametrize("principal", ["*", None])
def test_a_role_that_is_open_to_the_world_is_told(principal: str | None) -> None:
    statement = door("*", arn=None, **{"sts:ExternalId": "x1"})
    if principal is None:
        statement["NotPrincipal"] = statement.pop("Principal")
    assert "everybody in every account" in said(statement)


def test_others_that_get_in_are_named() -> None:
    other = "arn:aws:iam::999988887777:role/vendor"
    text = said(door(**ASKED), door([other, "999988887777"], arn=None, **ASKED))
    assert "others than the hub's role get in 999988887777, arn:aws:iam::999988887777:role/vendor" in text
    text = said(door(**ASKED), door(arn=[ROLE, other], **ASKED))
    assert f"others than the hub's role get in {other}" in text
    text = said(door("*", arn=None, **ASKED))
    assert "others than the hub's role get in everybody of the organization" in text
    service = door(**ASKED) | {"Principal": {"Service": "ec2.amazonaws.com"}, "Condition": {}}
    assert "Service ec2.amazonaws.com" in said(door(**ASKED), service)


def test_a_pattern_of_role_names_is_not_the_hubs_role() -> None:
    arn = "arn:aws:iam::111122223333:role/*"
    assert f"others than the hub's role get in {arn}" in said(door(arn=arn, **ASKED))


def test_any_external_id_is_none() -> None:
    statement = door(**{"aws:PrincipalOrgID": "o-exampleorgid"})
    statement["Condition"]["StringLike"] = {"sts:ExternalId": "*"}
    assert "no ExternalId is asked for" in said(statement)
    statement["Condition"]["StringLike"] = {"STS:externalid": "between-*"}
    assert "no ExternalId is asked for" not in said(statement)


def test_a_condition_that_holds_where_the_key_is_absent_asks_for_nothing() -> None:
    statement = door(**{"aws:PrincipalOrgID": "o-exampleorgid"})
    statement["Condition"]["StringEqualsIfExists"] = {"sts:ExternalId": "an-external-id"}
    assert "no ExternalId is asked for" in said(statement)


def test_without_a_known_organization_nobody_has_to_ask_for_it() -> None:
    asked = {"sts:ExternalId": "an-external-id"}
    assert "aws:PrincipalOrgID is not asked for" in said(door(**asked))
    assert said(door(**asked), hub=Hub("111122223333", "remediation-hub", "")).startswith("ok")


def test_statements_that_let_nobody_in_say_nothing() -> None:
    denied = door("*", arn=None) | {"Effect": "Deny"}
    source = door(arn=None, action="sts:SetSourceIdentity")
    assert said(door(**ASKED), denied, source).startswith("ok")


def test_a_statement_for_all_of_sts_is_a_door() -> None:
    assert "everybody of the hub's account" in said(door(**ASKED), door(arn=None, action=["sts:*"], **ASKED))


def test_a_role_that_knows_no_source_identity_is_told() -> None:
    [line] = judge({"Statement": door(**ASKED)}, HUB)
    assert line.state is State.WARNING
    assert "for which run it comes" in line.seen
