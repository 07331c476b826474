"""The policies of both templates are clean under parliament, and what is wrong with a policy would be seen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bots._bot import Risk
from bots._catalogue import names
from spoke_role.policy import select
from spoke_role.template import render
from tests.policy_lint.__main__ import main, remarks_on
from tests.policy_lint.rules import is_action, remarks
from tests.policy_lint.templates import Found, policies
from tests.spoke_role.reading import ROOT, parsed


def test_the_committed_templates_leave_nothing_to_say(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0, capsys.readouterr().out
    assert capsys.readouterr().out == ""


CHOSEN = {
    "all, optional ones too": select(names()),
    **{f"at most {risk}": select(max_risk=risk) for risk in Risk},
    **{bot.name: (bot,) for bot in select()[::20]},
}


@pytest.mark.parametrize("bots", CHOSEN.values(), ids=CHOSEN)
def test_roles_for_some_of_the_bots_leave_nothing_to_say(bots: Any) -> None:
    assert list(remarks_on(render(bots), set())) == []


def test_every_policy_of_the_templates_is_looked_at() -> None:
    hub = {found.where for found in policies(parsed((ROOT / "deploy/hub.yaml").read_text(encoding="utf-8")))}
    assert {"InputTopicPolicy", "QueuePolicy", "HubRole", "HubWork", "Enter", "ReadRules"} <= hub
    spoke = {found.where for found in policies(parsed(render(select())))}
    assert {"Role", "Limits", "OptOut", "PermissionsEc2", "PermissionsIam"} <= spoke


def test_conditions_are_taken_both_ways() -> None:
    text = (ROOT / "spoke_role/role.yaml").read_text(encoding="utf-8")
    trusts = [found.document for found in policies(parsed(text)) if found.where == "Role"]
    assert ["o-exampleorgid" in trust for trust in trusts] == [True, False]


def statement(**changed: Any) -> dict[str, Any]:
    right = {
        "Effect": "Allow",
        "Action": ["s3:GetBucketPolicy"],
        "Resource": ["arn:aws:s3:::*"],
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-exampleorgid"]}},
    }
    return {key: value for key, value in (right | changed).items() if value is not None}


@pytest.mark.parametrize(
    ("wrong", "issue"),
    [
        ({}, None),
        ({"Action": ["s3:GetBucketPolicies"]}, "UNKNOWN_ACTION"),
        ({"Action": ["s33:GetBucketPolicy"]}, "UNKNOWN_PREFIX"),
        ({"Resource": ["arn:aws:sqs:us-east-1:111122223333:q"]}, "RESOURCE_MISMATCH"),
        ({"Resource": ["arn:aws:s3:us-east-1:x:y"]}, "INVALID_ARN"),
        ({"Condition": {"StringEqual": {"aws:PrincipalOrgID": ["o"]}}}, "UNKNOWN_OPERATOR"),
        ({"Condition": {"StringEquals": {"kms:ViaService": ["s3"]}}}, "UNKNOWN_CONDITION_FOR_ACTION"),
        ({"Effect": "Perhaps"}, "MALFORMED"),
        ({"Resource": None}, "MALFORMED"),
    ],
)
def test_what_is_wrong_with_a_policy_is_seen(wrong: Mapping[str, Any], issue: str | None) -> None:
    document = {"Version": "2012-10-17", "Statement": [statement(**wrong)]}
    found = {remark.issue for remark in remarks(Found("Policy", json.dumps(document)))}
    assert found == ({issue} if issue else set())


def test_actions_younger_than_the_linter_are_known() -> None:
    assert is_action("bedrock-agentcore:*")
    assert is_action("iam:*DelegationRequest")
    assert not is_action("iam:*DelegatedRequest")


def test_the_command_names_template_policy_and_trouble(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = render(select(["s3_enable_versioning"]))
    path = tmp_path / "role.yaml"
    path.write_text(text.replace("s3:PutBucketVersioning", "s3:PutBucketVersionin"), encoding="utf-8")
    assert main([str(path)]) == 1
    assert "role.yaml: PermissionsLToZ: UNKNOWN_ACTION" in capsys.readouterr().out
