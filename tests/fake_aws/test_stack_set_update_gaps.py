"""StackSets brought up to date, instance by instance, and taken away again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fake_aws.server import allow, policy
from tests.fake_aws.stack_set_estate import Estate, only, refusal, role_template

REGION = ["us-east-1"]


def test_an_update_reaches_all_instances(estate: Estate) -> None:
    accounts = [estate.account(estate.upper), estate.account(estate.lower)]
    estate.create()
    estate.deploy(estate.upper)
    operation = estate.update("new words")
    assert {each["Status"] for each in estate.instances().values()} == {"OUTDATED"}
    assert estate.done(operation) == "SUCCEEDED"
    assert [estate.description(each) for each in accounts] == ["new words", "new words"]
    assert {each["Status"] for each in estate.instances().values()} == {"CURRENT"}
    assert only(estate.stacks(accounts[0]))["StackStatus"] == "UPDATE_COMPLETE"


def test_an_update_of_some_leaves_the_others_outdated(estate: Estate) -> None:
    upper, lower = estate.account(estate.upper), estate.account(estate.lower)
    estate.create()
    estate.deploy(estate.upper)
    targets: dict[str, Any] = {"Accounts": [lower], "OrganizationalUnitIds": [estate.upper]}
    targets["AccountFilterType"] = "INTERSECTION"
    assert estate.done(estate.update("new words", DeploymentTargets=targets)) == "SUCCEEDED"
    assert (estate.description(upper), estate.description(lower)) == ("as it was", "new words")
    found = estate.instances()
    assert (found[upper]["Status"], found[lower]["Status"]) == ("OUTDATED", "CURRENT")


def test_instances_can_have_values_of_their_own_that_later_updates_respect(estate: Estate) -> None:
    account = estate.account(estate.upper)
    estate.create()
    estate.deploy(estate.upper)
    asked: dict[str, Any] = {
        "StackSetName": "guards",
        "Regions": REGION,
        "DeploymentTargets": {"OrganizationalUnitIds": [estate.upper]},
        "ParameterOverrides": [{"ParameterKey": "Text", "ParameterValue": "of its own"}],
    }
    assert estate.done(estate.stack_sets.update_stack_instances(**asked)["OperationId"]) == "SUCCEEDED"
    estate.done(estate.update("for all"))
    assert estate.description(account) == "of its own"
    found = estate.stack_sets.describe_stack_instance(
        StackSetName="guards", StackInstanceAccount=account, StackInstanceRegion="us-east-1"
    )["StackInstance"]
    assert found["ParameterOverrides"] == [{"ParameterKey": "Text", "ParameterValue": "of its own"}]


def test_an_update_that_fails_in_an_account_is_rolled_back_there(estate: Estate) -> None:
    account = estate.account(estate.upper)
    estate.create()
    estate.deploy(estate.upper)
    broken = role_template(ManagedPolicyArns=["arn:aws:iam::aws:policy/NoSuchPolicy"])
    asked: dict[str, Any] = {"UsePreviousTemplate": False, "TemplateBody": broken}
    operation = estate.update("new words", **asked)
    estate.done(operation)
    status, reason = estate.results(operation)[account]
    assert (status, "NoSuchPolicy does not exist" in reason) == ("FAILED", True)
    assert estate.description(account) == "as it was"
    assert only(estate.stacks(account))["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    # The next update begins from there.
    estate.done(estate.update("better", UsePreviousTemplate=False, TemplateBody=role_template()))
    assert estate.description(account) == "better"


# --- the end


@pytest.mark.parametrize(("retain", "left"), [(True, ["Guard"]), (False, [])])
def test_instances_are_taken_away_with_their_stacks_or_without(
    estate: Estate, retain: bool, left: list[str]
) -> None:
    account = estate.account(estate.lower)
    estate.create()
    estate.deploy(estate.upper)
    code, _ = refusal(estate.stack_sets.delete_stack_set, StackSetName="guards")
    assert code == "StackSetNotEmptyException"
    operation = estate.stack_sets.delete_stack_instances(
        StackSetName="guards",
        Regions=REGION,
        RetainStacks=retain,
        DeploymentTargets={"OrganizationalUnitIds": [estate.upper]},
    )["OperationId"]
    assert estate.done(operation) == "SUCCEEDED"
    assert estate.results(operation)[account] == ("SUCCEEDED", "")
    assert (estate.instances(), estate.roles(account)) == ({}, left)
    # Who joins now gets nothing any more.
    assert estate.roles(estate.account(estate.upper)) == []
    estate.stack_sets.delete_stack_set(StackSetName="guards")
    code, _ = refusal(estate.stack_sets.describe_stack_set, StackSetName="guards")
    assert code == "StackSetNotFoundException"
    estate.create()  # the name is free again


def test_single_accounts_are_taken_out_and_their_unit_stays_targeted(estate: Estate) -> None:
    out, stays = estate.account(estate.upper), estate.account(estate.upper)
    estate.create()
    estate.deploy(estate.upper)
    targets = {"OrganizationalUnitIds": [estate.upper], "Accounts": [out]}
    operation = estate.stack_sets.delete_stack_instances(
        StackSetName="guards",
        Regions=REGION,
        RetainStacks=False,
        DeploymentTargets={**targets, "AccountFilterType": "INTERSECTION"},
    )["OperationId"]
    estate.done(operation)
    assert set(estate.instances()) == {stays}
    assert (estate.roles(out), estate.roles(estate.account(estate.upper))) == ([], ["Guard"])


def test_a_stack_that_cannot_be_deleted_makes_its_instance_inoperable(estate: Estate) -> None:
    account = estate.account(estate.upper)
    estate.create()
    estate.deploy(estate.upper)
    iam = estate.aws.admin(account).client("iam")
    made = iam.create_policy(PolicyName="by-hand", PolicyDocument=policy(allow("s3:ListAllMyBuckets")))
    iam.attach_role_policy(RoleName="Guard", PolicyArn=made["Policy"]["Arn"])
    asked: dict[str, Any] = {
        "StackSetName": "guards",
        "Regions": REGION,
        "DeploymentTargets": {"OrganizationalUnitIds": [estate.upper]},
    }
    delete = estate.stack_sets.delete_stack_instances
    operation = delete(**asked, RetainStacks=False)["OperationId"]
    assert estate.done(operation) == "FAILED"
    assert "Role" in estate.results(operation)[account][1]
    assert estate.instances()[account]["Status"] == "INOPERABLE"
    assert only(estate.stacks(account))["StackStatus"] == "DELETE_FAILED"
    assert estate.done(delete(**asked, RetainStacks=True)["OperationId"]) == "SUCCEEDED"
    assert estate.instances() == {}


def test_long_lists_come_in_pages(estate: Estate) -> None:
    accounts = {estate.account(estate.upper) for _ in range(3)}
    estate.create()
    operation = estate.begin(estate.upper)
    estate.done(operation)
    for call, more in (
        ("list_stack_instances", {}),
        ("list_stack_set_operation_results", {"OperationId": operation}),
    ):
        pages = estate.stack_sets.get_paginator(call).paginate(
            StackSetName="guards", PaginationConfig={"PageSize": 2}, **more
        )
        sizes = [page["Summaries"] for page in pages]
        assert [len(each) for each in sizes] == [2, 1]
        assert {each["Account"] for page in sizes for each in page} == accounts
