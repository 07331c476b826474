"""The template of the spoke role: what stands in the file is what the policies say, and the door is narrow."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from spoke_role.documents import POLICY_CHARACTERS
from spoke_role.limits import limits
from spoke_role.policy import policies, select, version_of
from spoke_role.tags import BOTS_TAG, VERSION_TAG
from spoke_role.template import TEMPLATE_BYTES, TooLong, render
from tests.fake_aws.strict_iam import Request, Word, spoken
from tests.spoke_role.reading import NAMES, ROOT, filled, lint, parsed, substituted
from tests.spoke_role.synthetic import made_up

TEXT = render(select())
TEMPLATE = parsed(TEXT)
HUB_ROLE = "arn:aws:iam::111122223333:role/remediation-hub"
SPOKE_ROLE = "arn:aws:iam::222233334444:role/Dome9CloudBots"


def managed(template: dict[str, Any]) -> dict[str, Any]:
    return {
        name: resource["Properties"]
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::IAM::ManagedPolicy"
    }


def plain(value: Any) -> Any:
    """A policy of the template with its substitutions still to be made, as policy.py writes them."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return value["Fn::Sub"] if set(value) == {"Fn::Sub"} else {k: plain(v) for k, v in value.items()}
    return value


def test_the_file_is_what_the_bots_of_today_make_of_it() -> None:
    assert (ROOT / "spoke_role/role.yaml").read_text(encoding="utf-8") == TEXT


def test_the_template_says_what_the_policies_say() -> None:
    found = {
        plain(each["ManagedPolicyName"]): plain(each["PolicyDocument"]) for each in managed(TEMPLATE).values()
    }
    assert found == {f"${{RoleName}}-{name}": policy for name, policy in policies(select()).items()}


def test_every_policy_hangs_on_the_role_and_the_limits_come_first() -> None:
    for name, policy in managed(TEMPLATE).items():
        assert policy["Roles"] == [{"Ref": "Role"}]
        assert TEMPLATE["Resources"][name].get("DependsOn") == (
            None if name in ("Limits", "OptOut") else ["Limits", "OptOut"]
        )


def test_the_policies_have_names_the_role_is_denied_to_touch() -> None:
    for policy in managed(TEMPLATE).values():
        name = filled(policy["ManagedPolicyName"])
        arn = f"arn:aws:iam::222233334444:policy/{name}"
        denies = json.dumps(filled(managed(TEMPLATE)["Limits"]["PolicyDocument"]))
        assert spoken([denies], Request(action="iam:CreatePolicyVersion", resource=arn)) is Word.DENY


def test_the_linter_finds_nothing(tmp_path: Path) -> None:
    chosen = tmp_path / "chosen.yaml"
    chosen.write_text(render(select(["s3_enable_versioning"])), encoding="utf-8")
    assert lint(ROOT / "spoke_role/role.yaml", chosen) == ""


def test_no_partition_is_written_down() -> None:
    assert "arn:aws" not in TEXT


def test_a_template_cloudformation_would_not_take_is_refused() -> None:
    assert len(TEXT.encode()) <= TEMPLATE_BYTES
    actions = tuple(f"s3:G{number}" for number in range(2800))
    assert len(policies([made_up("many", reads=actions)])) <= 10
    with pytest.raises(TooLong, match="choose fewer bots"):
        render([made_up("many", reads=actions)])


def test_a_policy_more_gets_a_resource_of_its_own() -> None:
    actions = tuple(f"service:GetSomethingLong{number}" for number in range(400))
    found = managed(parsed(render([made_up("many", reads=actions)])))
    assert list(found)[-3:] == ["PermissionsIam", "PermissionsLToZ", "PermissionsLToZ2"]
    for policy in found.values():
        text = json.dumps(filled(policy["PolicyDocument"]), separators=(",", ":"))
        assert len(text) <= POLICY_CHARACTERS


@pytest.mark.parametrize(("names", "whose"), [(None, "all"), (["s3_enable_versioning"], "1 chosen")])
def test_version_and_choice_of_bots_can_be_read_from_the_role_and_the_stack(
    names: list[str] | None, whose: str
) -> None:
    template = parsed(render(select(names)))
    expected = version_of(select(names))
    assert template["Outputs"]["PermissionsVersion"]["Value"] == expected
    tags = {tag["Key"]: tag["Value"] for tag in template["Resources"]["Role"]["Properties"]["Tags"]}
    assert tags == {VERSION_TAG: expected, BOTS_TAG: whose}


# --- who gets in


def trust(*, in_organization: bool) -> str:
    role = TEMPLATE["Resources"]["Role"]["Properties"]
    return json.dumps(filled(role["AssumeRolePolicyDocument"], InOrganization=in_organization))


def heard(
    action: str = "sts:AssumeRole", caller: str = HUB_ROLE, *, organization: bool = True, **keys: str | None
) -> Word:
    """What the trust policy says to a caller of the hub's account, the right one unless told otherwise."""
    context = {
        "aws:PrincipalArn": caller,
        "aws:PrincipalOrgID": NAMES["OrganizationId"],
        "sts:ExternalId": NAMES["ExternalId"],
    }
    named = {"external_id": "sts:ExternalId", "organization_id": "aws:PrincipalOrgID"}
    changed = {named[name]: value for name, value in keys.items()}
    context = {key: value for key, value in (context | changed).items() if value is not None}
    account = caller.split(":")[4]
    request = Request(action=action, resource=SPOKE_ROLE, context=context)
    principals = (caller, account, f"arn:aws:iam::{account}:root")
    return spoken([trust(in_organization=organization)], request, principals=principals)


def test_the_hub_gets_in_and_may_say_for_which_run() -> None:
    assert heard() is Word.ALLOW
    assert heard("sts:SetSourceIdentity", external_id=None) is Word.ALLOW
    assert heard(organization=False, organization_id=None) is Word.ALLOW


@pytest.mark.parametrize("caller", ["role/remediation-hub-2", "role/admin", "user/remediation-hub", "root"])
@pytest.mark.parametrize("action", ["sts:AssumeRole", "sts:SetSourceIdentity"])
def test_nobody_else_of_the_hubs_account_gets_in(caller: str, action: str) -> None:
    assert heard(action, f"arn:aws:iam::111122223333:{caller}") is Word.SILENT


def test_a_role_of_the_same_name_in_another_account_does_not_get_in() -> None:
    assert heard(caller="arn:aws:iam::333344445555:role/remediation-hub") is Word.SILENT


@pytest.mark.parametrize("external_id", [None, "", "another", "an-external-id "])
@pytest.mark.parametrize("organization", [True, False])
def test_without_the_external_id_the_hub_itself_does_not_get_in(
    external_id: str | None, organization: bool
) -> None:
    assert heard(external_id=external_id, organization=organization) is Word.SILENT


@pytest.mark.parametrize("organization_id", [None, "o-otherorgid0"])
def test_a_hub_that_left_the_organization_does_not_get_in(organization_id: str | None) -> None:
    assert heard(organization_id=organization_id) is Word.SILENT


def test_a_session_cannot_be_tagged() -> None:
    assert heard("sts:TagSession") is Word.SILENT


def test_the_trust_policy_fits_iams_quota_with_the_longest_names() -> None:
    longest = {**NAMES, "ExternalId": "e" * 256, "HubRoleName": "h" * 48, "AWS::Partition": "aws-us-gov"}
    longest["OrganizationId"] = "o-" + "o" * 32
    role = TEMPLATE["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]
    assert len(json.dumps(filled(role, longest, InOrganization=True))) <= 2048


def test_there_is_no_default_for_who_gets_in() -> None:
    required = {name for name, found in TEMPLATE["Parameters"].items() if "Default" not in found}
    assert required == {"HubAccountId", "ExternalId"}
    assert TEMPLATE["Parameters"]["RoleName"]["Default"] == "Dome9CloudBots"


def test_every_name_that_is_substituted_exists() -> None:
    for statement in limits(select())["Statement"]:
        for resource in statement["Resource"]:
            substituted(resource, dict.fromkeys([*TEMPLATE["Parameters"], *NAMES], "x"))
