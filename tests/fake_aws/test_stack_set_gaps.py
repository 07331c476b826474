"""StackSets with permissions of the service: which accounts they reach, and what follows accounts that move."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fake_aws.server import FakeAws
from tests.fake_aws.stack_set_estate import (
    STACK_SETS,
    Estate,
    new_estate,
    only,
    refusal,
    role_template,
)


def test_units_at_any_depth_are_reached_and_real_stacks_are_made_there(estate: Estate) -> None:
    inside = [estate.account(unit) for unit in (estate.upper, estate.lower, estate.lowest)]
    outside = estate.account()
    estate.create()
    assert estate.deploy(estate.upper) == "SUCCEEDED"
    found = estate.instances()
    assert set(found) == set(inside)
    for account in inside:
        assert estate.roles(account) == ["Guard"]
        stack = only(estate.stacks(account))
        assert stack["StackName"].startswith("StackSet-guards-")
        assert (stack["StackStatus"], stack["StackId"]) == ("CREATE_COMPLETE", found[account]["StackId"])
        assert found[account]["Status"] == "CURRENT"
        assert found[account]["StackInstanceStatus"] == {"DetailedStatus": "SUCCEEDED"}
        # The unit that was targeted, not the one the account is in.
        assert found[account]["OrganizationalUnitId"] == estate.upper
    assert estate.roles(outside) == []


def test_the_root_means_everybody_but_the_management_account(estate: Estate) -> None:
    accounts = {estate.account(), estate.account(estate.lowest)}
    estate.management.client("organizations").move_account(
        AccountId=estate.management.account_id, SourceParentId=estate.root, DestinationParentId=estate.upper
    )
    estate.create()
    estate.deploy(estate.root)
    assert set(estate.instances()) == accounts
    assert "Guard" not in estate.roles(estate.management.account_id)


@pytest.mark.parametrize(("kind", "reached"), [("INTERSECTION", {0}), ("DIFFERENCE", {1})])
def test_a_filter_takes_some_accounts_of_a_unit(estate: Estate, kind: str, reached: set[int]) -> None:
    accounts = [estate.account(estate.lower), estate.account(estate.lower)]
    elsewhere = estate.account()
    estate.create()
    targets = {
        "OrganizationalUnitIds": [estate.upper],
        "Accounts": [accounts[0], elsewhere],
        "AccountFilterType": kind,
    }
    estate.deploy(DeploymentTargets=targets)
    assert set(estate.instances()) == {accounts[each] for each in reached}


def test_a_union_is_for_updates_and_refused_when_instances_are_made(estate: Estate) -> None:
    inside, beside = estate.account(estate.lower), estate.account()
    estate.create()
    union = {
        "OrganizationalUnitIds": [estate.lower],
        "Accounts": [beside],
        "AccountFilterType": "UNION",
    }
    asked: dict[str, Any] = {"StackSetName": "guards", "Regions": ["us-east-1"], "DeploymentTargets": union}
    code, message = refusal(estate.stack_sets.create_stack_instances, **asked)
    assert (code, "UNION is not supported" in message) == ("ValidationError", True)
    estate.deploy(estate.root)
    overrides = [{"ParameterKey": "Text", "ParameterValue": "another"}]
    operation = estate.stack_sets.update_stack_instances(**asked, ParameterOverrides=overrides)
    assert estate.done(operation["OperationId"]) == "SUCCEEDED"
    for account in (inside, beside):
        role = estate.aws.admin(account).client("iam").get_role(RoleName="Guard")["Role"]
        assert role["Description"] == "another"


def test_a_suspended_account_is_skipped_and_no_failure(estate: Estate) -> None:
    closed, open_ = estate.account(estate.lower), estate.account(estate.lower)
    estate.management.client("organizations").close_account(AccountId=closed)
    estate.create()
    assert estate.deploy(estate.lower, OperationPreferences={}) == "SUCCEEDED"
    found = estate.instances()
    assert found[closed]["StackInstanceStatus"]["DetailedStatus"] == "SKIPPED_SUSPENDED_ACCOUNT"
    assert (found[closed]["Status"], found[open_]["Status"]) == ("OUTDATED", "CURRENT")
    assert estate.roles(closed) == []


def test_what_is_no_unit_is_refused(estate: Estate) -> None:
    estate.create()
    asked = {"StackSetName": "guards", "Regions": ["us-east-1"]}
    create = estate.stack_sets.create_stack_instances
    missing = {"OrganizationalUnitIds": ["ou-abcd-11111111"]}
    assert "was not found" in refusal(create, **asked, DeploymentTargets=missing)[1]
    wrong = {"OrganizationalUnitIds": ["somewhere"]}
    assert "failed to satisfy constraint" in refusal(create, **asked, DeploymentTargets=wrong)[1]
    assert refusal(create, **asked, Accounts=["222233334444"])[0] == "ValidationError"
    assert "are required" in refusal(create, **asked, DeploymentTargets={})[1]


# --- accounts come and go


def test_an_account_made_or_moved_into_a_targeted_unit_gets_the_stack(estate: Estate) -> None:
    estate.create()
    estate.deploy(estate.upper)
    assert estate.instances() == {}
    later = estate.account()
    assert estate.roles(later) == []
    estate.move(later, estate.root, estate.lowest)
    assert estate.roles(later) == ["Guard"]
    assert estate.instances()[later]["Status"] == "CURRENT"
    automatic = estate.stack_sets.list_stack_set_operations(StackSetName="guards")["Summaries"][0]
    assert (automatic["Action"], automatic["Status"]) == ("CREATE", "SUCCEEDED")


def test_with_the_root_targeted_a_new_account_gets_the_stack_at_birth(estate: Estate) -> None:
    estate.create()
    estate.deploy(estate.root)
    assert estate.roles(estate.account()) == ["Guard"]


def test_an_account_that_leaves_the_unit_loses_the_stack(estate: Estate) -> None:
    account = estate.account(estate.lower)
    estate.create()
    estate.deploy(estate.upper)
    estate.move(account, estate.lower, estate.lowest)
    assert estate.roles(account) == ["Guard"]
    estate.move(account, estate.lowest, estate.root)
    assert (estate.roles(account), estate.stacks(account), estate.instances()) == ([], [], {})


def test_the_stack_stays_with_an_account_that_leaves_where_that_is_wanted(estate: Estate) -> None:
    account = estate.account(estate.lower)
    estate.create(AutoDeployment={"Enabled": True, "RetainStacksOnAccountRemoval": True})
    estate.deploy(estate.upper)
    estate.move(account, estate.lower, estate.root)
    assert (estate.roles(account), estate.instances()) == (["Guard"], {})
    assert only(estate.stacks(account))["StackStatus"] == "CREATE_COMPLETE"


def test_an_account_that_leaves_the_organization_loses_the_stack(estate: Estate) -> None:
    account = estate.account(estate.lower)
    estate.create()
    estate.deploy(estate.upper)
    estate.management.client("organizations").remove_account_from_organization(AccountId=account)
    assert (estate.roles(account), estate.instances()) == ([], {})


def test_without_automatic_deployment_nothing_follows_accounts(estate: Estate) -> None:
    leaving = estate.account(estate.lower)
    estate.create(AutoDeployment={"Enabled": False})
    estate.deploy(estate.upper)
    joining = estate.account(estate.lower)
    estate.move(leaving, estate.lower, estate.root)
    assert (estate.roles(joining), estate.roles(leaving)) == ([], ["Guard"])


def test_a_unit_named_to_pick_accounts_from_is_not_targeted(estate: Estate) -> None:
    chosen = estate.account(estate.lower)
    estate.create()
    targets = {
        "OrganizationalUnitIds": [estate.upper],
        "Accounts": [chosen],
        "AccountFilterType": "INTERSECTION",
    }
    estate.deploy(DeploymentTargets=targets)
    assert estate.roles(estate.account(estate.lower)) == []
    estate.move(chosen, estate.lower, estate.root)
    assert estate.roles(chosen) == []


# --- who may


def test_organizations_have_to_trust_stack_sets_first(aws: FakeAws) -> None:
    estate = new_estate(aws, trusted=False)
    client = estate.stack_sets
    assert client.describe_organizations_access()["Status"] == "DISABLED"
    asked: dict[str, Any] = {
        "StackSetName": "guards",
        "TemplateBody": role_template(),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": False},
    }
    text = "You must enable organizations access to operate a service managed stack set"
    assert refusal(client.create_stack_set, **asked) == ("ValidationError", text)
    client.activate_organizations_access()
    assert client.describe_organizations_access()["Status"] == "ENABLED"
    client.create_stack_set(**asked)


def test_a_delegated_administrator_works_on_the_stack_sets_of_the_management_account(estate: Estate) -> None:
    security, other = estate.account(), estate.account(estate.lower)
    client = estate.aws.admin(security).client("cloudformation")
    asked: dict[str, Any] = {
        "StackSetName": "guards",
        "TemplateBody": role_template(),
        "Capabilities": ["CAPABILITY_NAMED_IAM"],
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": False},
    }
    text = "Account used is not a delegated administrator"
    assert refusal(client.create_stack_set, **asked, CallAs="DELEGATED_ADMIN") == ("ValidationError", text)
    estate.management.client("organizations").register_delegated_administrator(
        AccountId=security, ServicePrincipal=STACK_SETS
    )
    assert refusal(client.create_stack_set, **asked)[0] == "ValidationError"
    client.create_stack_set(**asked, CallAs="DELEGATED_ADMIN")
    operation = client.create_stack_instances(
        StackSetName="guards",
        Regions=["us-east-1"],
        DeploymentTargets={"OrganizationalUnitIds": [estate.lower]},
        CallAs="DELEGATED_ADMIN",
    )
    assert estate.done(operation["OperationId"]) == "SUCCEEDED"
    assert estate.roles(other) == ["Guard"]
    # Not the administrator's own: the organization's.
    assert client.list_stack_sets()["Summaries"] == []
    assert only(client.list_stack_sets(CallAs="DELEGATED_ADMIN")["Summaries"])["StackSetName"] == "guards"
    seen = estate.stack_sets.describe_stack_set(StackSetName="guards")["StackSet"]
    assert seen["StackSetARN"].split(":")[4] == estate.management.account_id
    without = refusal(client.describe_stack_set, StackSetName="guards")
    assert without[0] == "StackSetNotFoundException"


def test_a_stack_set_tells_what_it_is_made_of(estate: Estate) -> None:
    estate.account(estate.lower)
    estate.create(
        Parameters=[{"ParameterKey": "Text", "ParameterValue": "words"}],
        Tags=[{"Key": "team", "Value": "security"}],
        Description="Guards.",
    )
    estate.deploy(estate.lower)
    found = estate.stack_sets.describe_stack_set(StackSetName="guards")["StackSet"]
    assert found["Parameters"] == [{"ParameterKey": "Text", "ParameterValue": "words"}]
    assert found["Tags"] == [{"Key": "team", "Value": "security"}]
    assert found["TemplateBody"] == role_template()
    assert found["OrganizationalUnitIds"] == [estate.lower]
    assert found["AutoDeployment"] == {"Enabled": True, "RetainStacksOnAccountRemoval": False}
    assert (found["Status"], found["PermissionModel"]) == ("ACTIVE", "SERVICE_MANAGED")
    assert (found["Description"], found["Regions"]) == ("Guards.", ["us-east-1"])
    assert found["StackSetARN"].endswith(f":stackset/{found['StackSetId']}")
